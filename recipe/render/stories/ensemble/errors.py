"""Where the model is wrong: confusion, recall, slices, and the items with the highest loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from urllib.parse import quote

from recipe.record.ensemble import Errors, Lookup, Mistake
from recipe.record.slices import Slice, Slices
from recipe.render.blocks import Block, Cell, Curve, Heatmap, Intervals, Pictures, Row, Series, Table

_MOST_CLASSES = 40


def errors_found(errors: Errors) -> list[Block]:
    """Confusion, recall and the hardest items; of numbers, what was said against what is true."""
    blocks: list[Block] = []
    if errors.confusion and len(errors.classes) <= _MOST_CLASSES:
        blocks.append(
            Heatmap(
                title=_confused(errors),
                name="confusion",
                caption=f"Rows are what {errors.split} items are, columns what the ensemble says. Counts.",
                rows=errors.classes,
                columns=errors.classes,
                row_label="true class",
                column_label="said",
                values=errors.confusion,
                confusion=True,
                checks=("every-class-recognised",),
            )
        )
    if errors.recalls:
        ranked = sorted(errors.recalls, key=lambda one: one.recall.mean)[:_MOST_CLASSES]
        blocks.append(
            Intervals(
                title=f"{ranked[0].name} is recognised least, {ranked[-1].name} best",
                name="recall",
                caption="Recall of each class with Wilson's 95 % interval.",
                rows=[Row(label=one.name, interval=one.recall) for one in ranked],
                label="recall",
                checks=("every-class-recognised",),
            )
        )
    if errors.residuals:
        true, said = [t for t, _ in errors.residuals], [s for _, s in errors.residuals]
        ends = [min(true), max(true)]
        blocks.append(
            Curve(
                title="What was said against what is true",
                name="said-against-true",
                caption=f"A sample of the {errors.split} items; on the line both are equal.",
                series=[
                    Series(name="items", x=true, y=said, style="points"),
                    Series(name="equal", x=ends, y=ends, dashed=True),
                ],
                x_label="true",
                y_label="said",
            )
        )
    return blocks + _hardest(errors)


def _confused(errors: Errors) -> str:
    """The commonest mistake, as a title."""
    names = errors.classes
    counts = [(n, i, j) for i, row in enumerate(errors.confusion) for j, n in enumerate(row) if i != j and n]
    if not counts:
        return f"All {errors.items} {errors.split} items are right"
    n, i, j = max(counts, key=lambda one: (one[0], -one[1], -one[2]))
    return f"{errors.wrong} of {errors.items} are wrong; {names[i]} is taken for {names[j]} most often ({n})"


def _hardest(errors: Errors) -> list[Block]:
    if not errors.hardest:
        return []
    if errors.sheet:
        return [
            Pictures(
                title=f"The {len(errors.hardest)} {errors.split} items with the highest loss",
                name="hardest",
                caption="Each as the net gets it, and what it made of it."
                if errors.restored
                else "True class, what was said, and how sure the ensemble was of it.",
                sheet=errors.sheet,
                across=errors.across,
                down=-(-len(errors.hardest) // errors.across),
                captions=[_told(m) for m in errors.hardest],
                tones=["bad" if m.true != m.said else "plain" for m in errors.hardest],
                count=len(errors.hardest),
            )
        ]
    return [
        Table(
            title=f"The {len(errors.hardest)} {errors.split} items with the highest loss",
            name="hardest",
            caption=_caption(errors.hardest),
            columns=_columns(errors.hardest),
            rows=_rows(errors.hardest),
            tones=["bad" if m.true != m.said else "plain" for m in errors.hardest],
        )
    ]


def _told(m: Mistake) -> str:
    """Under its picture."""
    sure = f" ({m.sure:.0%})" if math.isfinite(m.sure) else ""
    return f"{m.true}, said {m.said}{sure}" if m.true or m.said else f"{m.item}, loss {m.loss:.3g}"


def _columns(hardest: Sequence[Mistake]) -> list[str]:
    return ["item", *(name for name, there in _filled(hardest) if there), "loss"]


def _rows(hardest: Sequence[Mistake]) -> list[list[Cell]]:
    there = [given for _, given in _filled(hardest)]
    rows: list[list[Cell]] = []
    for m in hardest:
        cells: list[Cell] = [m.text, m.true, m.said, m.sure]
        rows.append([m.item, *(cell for cell, given in zip(cells, there, strict=True) if given), m.loss])
    return rows


def _filled(hardest: Sequence[Mistake]) -> list[tuple[str, bool]]:
    """(column, whether any of them has something there)."""
    return [
        ("text", any(m.text for m in hardest)),
        ("true", any(m.true for m in hardest)),
        ("said", any(m.said for m in hardest)),
        ("sure", any(math.isfinite(m.sure) for m in hardest)),
    ]


def _caption(hardest: Sequence[Mistake]) -> str:
    if not any(m.text for m in hardest):
        return ""
    return "How each text begins; of a language model what stands before the token that cost it most."


def looked_up(found: Lookup | None) -> list[Block]:
    """Validation items with the highest loss, each with its place in the data browser."""
    if found is None or not found.hardest:
        return []
    return [
        Table(
            title=f"The {len(found.hardest)} {found.split} items with the highest loss, in the data browser",
            name="hardest-in-the-browser",
            caption="Each name opens inspect-data's browser at the item, where it can be marked: drop, relabel, fine.",
            columns=_columns(found.hardest),
            rows=_rows(found.hardest),
            tones=["bad" if m.true != m.said else "plain" for m in found.hardest],
            links=[f"{found.link}#search={quote(query)}" for query in found.queries],
        )
    ]


def weak_slices(found: Slices | None) -> list[Block]:
    """Parts of the split with more errors than the rest."""
    if found is None or not found.slices:
        return []
    worst = found.slices[0]
    sure = [one for one in found.slices if one.p < 0.05]
    title = f"{len(sure)} of {found.looked} slices have more errors than the rest, by more than chance"
    if sure:
        title += f": most of all {worst.attribute} = {worst.value}"
    return [
        Table(
            title=title,
            name="slices",
            caption=f"Parts of the {found.items} {found.split} items by columns, measured attributes and what the data "
            f"say; p is corrected for all {found.looked} (Holm). Mean {found.what} with 95 % intervals.",
            columns=["attribute", "value", "items", found.what, "of the others", "p"],
            rows=[[s.attribute, s.value, s.items, s.inside, s.outside, s.p] for s in found.slices],
            tones=["warn" if s.p < 0.05 else "quiet" for s in found.slices],
            links=[f"{found.link}#search={quote(_query(s))}" for s in found.slices],
            checks=("no-weak-slice",),
        )
    ]


def _query(one: Slice) -> str:
    """What the browser's search is asked for: the items of the slice in the splits that it shows."""
    name = "-".join("".join(c if c.isalnum() else " " for c in one.attribute.lower()).split())
    if one.low is None or one.high is None:
        return f'{name}="{one.value}"'
    return f"{name}>={one.low:.6g} {name}<={one.high:.6g}"
