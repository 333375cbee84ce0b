"""Items that want a look: unreadable, blank, far from all others; and the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recipe.record.data import Item, Reading
from recipe.record.evidence import Shelf
from recipe.record.features import Columns, Outliers, Sheet
from recipe.render.blocks import Block, Cell, Table
from recipe.render.stories.sheets import sheet_of

LISTED = 20


def blocks(shelf: Shelf) -> Iterator[Block]:
    """What to look at first."""
    reading, outliers = shelf.found("reading", Reading), shelf.found("outliers", Outliers)
    if reading is not None and (table := _problems(reading)):
        yield table
    pictures = shelf.found("outlier_pictures", Sheet)
    if outliers is not None and pictures is not None:
        near = f"the {outliers.neighbours} nearest of {outliers.reference:,} training examples"
        caption = f"By the mean distance to {near}, after preprocessing."
        yield sheet_of(pictures, "outliers", "The examples farthest from all others", caption, ["outliers"])
    if outliers is not None and outliers.fences:
        yield _fences(outliers)
    columns = shelf.found("columns", Columns)
    if columns is not None and columns.named:
        yield _columns(columns)


def _problems(reading: Reading) -> Table | None:
    kinds = {
        "unreadable": reading.unreadable,
        "not finite": reading.non_finite,
        "blank": reading.blank,
        "odd": reading.odd,
        "note": reading.noted,
    }
    rows = [[what, item.name, item.note, item.split] for what, items in kinds.items() for item in items[:LISTED]]
    if not rows:
        return None
    counts = [reading.count(kind) for kind in ("unreadable", "non_finite", "blank", "odd")]
    where = f" All of them: evidence/{reading.listed}." if reading.listed else ""
    return Table(
        title=f"{sum(counts):,} items want a look" if any(counts) else "Some items were read with a note",
        name="problems",
        caption=f"Up to {LISTED} of each kind, by path, row or position.{where}",
        checks=["items-readable", "items-ordinary", "inputs-finite", "blank-items"],
        columns=["what", "item", "reason", "split"],
        rows=rows,
    )


def _fences(outliers: Outliers) -> Table:
    ranked = sorted(outliers.fences, key=lambda f: (-f.apart, f.third <= f.first, -(f.below + f.above)))[:LISTED]
    apart = sum(f.apart for f in outliers.fences)
    # Where the quartiles are equal, all that differs from them lies outside: that is no tail.
    most = max(outliers.fences, key=lambda f: (f.third > f.first) * (f.below + f.above))
    outside = (most.third > most.first) * (most.below + most.above)
    return Table(
        title=f"{apart:,} {'value lies' if apart == 1 else 'values lie'} apart from all others"
        if apart
        else f"{most.attribute} has the longest tails: {outside:,} outside 1.5 quartile ranges",
        name="fences",
        caption="Below, above: training examples more than 1.5 quartile ranges off the quartiles, as heavy tails bring "
        "along. Apart: of all splits, beyond what even the tail of the other values makes likely.",
        checks=["attribute-outliers"],
        columns=["attribute", "quartile 1", "quartile 3", "below", "above", "apart", "farthest"],
        rows=[[f.attribute, f.first, f.third, f.below, f.above, f.apart, _names(f.farthest)] for f in ranked],
        tones=["warn" if f.apart else "plain" for f in ranked],
    )


def _names(items: Sequence[Item]) -> str:
    return ", ".join(f"{item.name} ({item.note})" for item in items[:2])


def _columns(columns: Columns) -> Table:
    rows: list[list[Cell]] = []
    for c in columns.columns:
        empty, alone = 100 * c.empty.get("train", 0.0), None if c.gain is None else 100 * c.gain
        rows.append([c.name, c.kind, c.different, c.blank, empty, alone, c.left_out or "input"])
    used = sum(not c.left_out for c in columns.columns)
    return Table(
        title=f"{used} of {len(rows)} columns are inputs",
        name="columns",
        caption="Alone: how much of a blind guess's error on val a guess from this column alone removes.",
        checks=["columns-vary", "id-columns", "empty-cells"],
        columns=["column", "kind", "different", "empty", "empty, % of train", "alone, %", "use"],
        rows=rows,
        tones=["quiet" if c.left_out else "plain" for c in columns.columns],
    )
