"""inspect-data as a page: the examples themselves first, then how they are distributed, then what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from recipe.record.data import Balance, Ceiling, Duplicates, Reading, TargetSpread, Twins
from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.record.features import BeforeAfter, Columns, Drift, Outliers, Preprocessing, Rows, Sheet
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Bar, Bars, Block, Cell, Fact, Facts, Histogram, Mark, Note, Pictures, Table, missing

E = TypeVar("E", bound=Evidence)
MOST_CLASSES = 40
MOST_ATTRIBUTES = 6
MOST_FEATURES = 3
LISTED = 20


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks, most telling first."""
    return [
        *_examples(shelf),
        *_targets(shelf),
        *_repeats(shelf),
        *_oddities(shelf),
        *_drift(shelf),
        *_preprocessing(shelf),
    ]


def _examples(shelf: Shelf) -> Iterator[Block]:
    reading = _get(shelf, "reading", Reading)
    if reading is None:
        yield missing("The data were not read", shelf.get("reading", Reading))
        return
    yield _facts(reading, _get(shelf, "balance", Balance))
    samples = _get(shelf, "samples", Sheet)
    if samples is not None:
        yield _pictures(
            samples, "samples", f"{samples.across} of each class" if samples.row_labels else "Some examples"
        )
    means = _get(shelf, "class_means", Sheet)
    if means is not None:
        yield _pictures(
            means, "class-means", "The mean picture of each class", "What they share is sharp; what varies is not."
        )
    rows = _get(shelf, "rows", Rows)
    if rows is not None:
        yield Table(title=f"{len(rows.rows)} rows, drawn at random", name="rows", columns=rows.columns, rows=rows.rows)


def _facts(reading: Reading, balance: Balance | None) -> Facts:
    train = reading.splits[0]
    counts = [Fact(f"{one.split} examples", one.items) for one in reading.splits]
    if balance is not None:
        counts.append(
            Fact("classes", len(balance.classes), f"about {train.items // max(1, len(balance.classes)):,} each")
        )
    shape = " × ".join(map(str, train.shape)) or "one number"
    counts.append(Fact("one example", shape, f"{train.dtype}, {train.low:.4g} to {train.high:.4g}"))
    return Facts(
        title=f"{sum(one.items for one in reading.splits):,} examples were read, each once",
        name="facts",
        caption="Raw, as the source gives them. The test split was read for leaks and drift only.",
        checks=["items-readable", "inputs-finite", "input-scale"],
        facts=counts,
    )


def _targets(shelf: Shelf) -> Iterator[Block]:
    balance = _get(shelf, "balance", Balance)
    if balance is not None and balance.present:
        yield _balance(balance)
    spread = _get(shelf, "target_spread", TargetSpread)
    if spread is not None:
        groups: dict[str, Sequence[float]] = {
            one.split: [count / max(1, one.items) for count in one.counts] for one in spread.splits
        }
        yield Histogram(
            title=f"Targets lie around {spread.splits[0].mean:.4g}, with a deviation of {spread.splits[0].std:.4g}",
            name="targets",
            caption=f"{spread.different:,} different values in train.",
            checks=["target-spikes", "label-shift"],
            edges=spread.edges,
            groups=groups,
            x_label="target",
            y_label="share of the split",
            marks=[Mark(label=f"{s.items:,} are {s.value:g}", x=s.value, tone="warn") for s in spread.spikes[:3]],
        )


def _balance(balance: Balance) -> Bars:
    order = sorted(range(len(balance.classes)), key=lambda k: -balance.splits[0].counts[k])[:MOST_CLASSES]
    order = sorted(order) if len(balance.classes) <= MOST_CLASSES else order
    more = f" {len(order)} of {len(balance.classes)} classes." if len(order) < len(balance.classes) else ""
    bars = [
        Bar(name=one.split, values=[100 * one.counts[k] / max(1, one.items) for k in order]) for one in balance.splits
    ]
    return Bars(
        title=f"The rarest class has {min(balance.present) / sum(balance.present):.1%} of the training examples",
        name="class-balance",
        caption=f"Smallest {balance.smallest:.2g} of an even share, largest over smallest {balance.ratio:.3g}, "
        f"evenness {balance.evenness:.2f} (1 is even).{more}",
        checks=["class-balance", "class-coverage", "label-shift"],
        categories=[balance.classes[k] for k in order],
        bars=bars,
        label="% of the split",
        marks=[] if balance.several else [Mark(label="even", y=100 / len(balance.classes))],
    )


def _repeats(shelf: Shelf) -> Iterator[Block]:
    found = _get(shelf, "duplicates", Duplicates)
    if found is None:
        return
    kinds = (
        ("in two splits", found.across_twins),
        ("two labels", found.conflict_twins),
        ("within", found.within_twins),
    )
    rows = [[what, *_twin_cells(twins)] for what, some in kinds for twins in some[:LISTED]]
    if not rows:
        return
    across, conflicts = sum(one.items for one in found.across), sum(found.conflicting.values())
    ceiling = _get(shelf, "ceiling", Ceiling)
    cap = f" No model can exceed a train accuracy of {ceiling.accuracy:.4f}." if ceiling and ceiling.accuracy else ""
    checks = ["cross-split-duplicates", "conflicting-labels"]
    yield Table(
        title=f"{across:,} items are in two splits, {conflicts:,} have an equal with another label",
        name="duplicates",
        caption=f"Items whose decoded content is exactly the same; the first of each kind.{cap if conflicts else ''}",
        checks=checks,
        columns=["kind", "first", "the same as", "labels"],
        rows=rows,
    )
    twins = _get(shelf, "twins", Sheet)
    if twins is not None:
        yield _pictures(twins, "twins", "Twins, side by side", checks=checks)


def _twin_cells(twins: Twins) -> list[str]:
    first, *others = twins.items
    labels = dict.fromkeys(item.label for item in twins.items if item.label)
    return [f"{first.split}: {first.name}", "; ".join(f"{o.split}: {o.name}" for o in others), " / ".join(labels)]


def _oddities(shelf: Shelf) -> Iterator[Block]:
    reading, outliers = _get(shelf, "reading", Reading), _get(shelf, "outliers", Outliers)
    if reading is not None and (table := _problems(reading)):
        yield table
    pictures = _get(shelf, "outlier_pictures", Sheet)
    if outliers is not None and pictures is not None:
        near = f"the {outliers.neighbours} nearest of {outliers.reference:,} training examples"
        caption = f"By the mean distance to {near}, after preprocessing."
        yield _pictures(pictures, "outliers", "The examples farthest from all others", caption, ["outliers"])
    if outliers is not None and outliers.fences:
        yield _fences(outliers)
    columns = _get(shelf, "columns", Columns)
    if columns is not None and columns.named:
        yield _columns(columns)


def _problems(reading: Reading) -> Table | None:
    kinds = {
        "unreadable": reading.unreadable,
        "not finite": reading.non_finite,
        "blank": reading.blank,
        "odd": reading.odd,
    }
    rows = [[what, item.split, item.name, item.note] for what, items in kinds.items() for item in items[:LISTED]]
    if not rows:
        return None
    return Table(
        title=f"{sum(map(len, kinds.values())):,} items want a look",
        name="problems",
        caption=f"Up to {LISTED} of each kind, by path, row or position.",
        checks=["items-readable", "items-ordinary", "inputs-finite", "blank-items"],
        columns=["what", "split", "item", "reason"],
        rows=rows,
    )


def _fences(outliers: Outliers) -> Table:
    ranked = sorted(outliers.fences, key=lambda f: -(f.below + f.above))[:LISTED]
    return Table(
        title=f"{ranked[0].attribute} has the most outliers: {ranked[0].below + ranked[0].above:,}",
        name="fences",
        caption="Training examples more than 1.5 quartile ranges below the first or above the third quartile.",
        checks=["outliers"],
        columns=["attribute", "quartile 1", "quartile 3", "below", "above", "farthest"],
        rows=[
            [f.attribute, f.first, f.third, f.below, f.above, f.farthest[0].name if f.farthest else ""] for f in ranked
        ],
    )


def _columns(columns: Columns) -> Table:
    rows: list[list[Cell]] = []
    for c in columns.columns:
        empty, alone = 100 * c.empty.get("train", 0.0), None if c.gain is None else 100 * c.gain
        rows.append([c.name, c.kind, c.different, empty, alone, c.left_out or "input"])
    used = sum(not c.left_out for c in columns.columns)
    return Table(
        title=f"{used} of {len(rows)} columns are inputs",
        name="columns",
        caption="Alone: how much of a blind guess's error on val a guess from this column alone removes.",
        checks=["columns-vary", "id-columns", "telling-columns", "empty-cells"],
        columns=["column", "kind", "different", "empty, % of train", "alone, %", "use"],
        rows=rows,
        tones=["quiet" if c.left_out else "plain" for c in columns.columns],
    )


def _drift(shelf: Shelf) -> Iterator[Block]:
    drift = _get(shelf, "drift", Drift)
    if drift is None:
        return
    ranked = sorted(drift.attributes, key=lambda a: -max(a.distance.values(), default=0.0))
    for one in ranked[:MOST_ATTRIBUTES]:
        if one.distance:
            split, far = max(one.distance.items(), key=lambda item: item[1])
            yield Histogram(
                title=f"{one.attribute}: {split} and train differ by {far:.3f}",
                name=f"attribute-{_slug(one.attribute)}",
                caption=f"Kolmogorov's distance; chance exceeds {one.critical[split]:.3f} once in a thousand.",
                checks=["split-drift", "outliers"],
                edges=one.edges,
                groups=dict(one.shares),
                x_label=one.attribute,
                y_label="share of the split",
            )


def _preprocessing(shelf: Shelf) -> Iterator[Block]:
    found = _get(shelf, "preprocessing", Preprocessing)
    if found is None:
        return
    yield Note(
        title=f"Inputs reach the net by {found.name.replace('_', ' ')}",
        name="preprocessing-choice",
        text=f"{found.because[:1].upper()}{found.because[1:]}. Fitted on train only. After it, numbers lie between "
        f"{found.low:.3g} and {found.high:.3g}, with mean {found.mean:.2g} and deviation {found.std:.2g}.",
        checks=["preprocessed-inputs"],
    )
    # Where a feature is spread most widely there is most to see.
    ranked = sorted(found.features, key=lambda f: -(f.edges[-1] - f.edges[0]) / max(f.std, 1e-12))
    for one in ranked[:MOST_FEATURES]:
        yield from _before_after(one)
    if len(found.features) > MOST_FEATURES:
        yield Table(
            title="Each feature, before and after",
            name="preprocessing",
            checks=["preprocessed-inputs"],
            columns=["feature", "mean", "deviation", "mean after", "deviation after"],
            rows=[[f.feature, f.mean, f.std, f.mean_after, f.std_after] for f in found.features],
        )


def _before_after(one: BeforeAfter) -> Iterator[Histogram]:
    sides = (
        ("before", one.edges, one.counts, one.mean, one.std),
        ("after", one.edges_after, one.counts_after, one.mean_after, one.std_after),
    )
    for when, edges, counts, mean, std in sides:
        yield Histogram(
            title=f"{one.feature} {when}: mean {mean:.3g}, deviation {std:.3g}",
            name=f"{when}-{_slug(one.feature)}",
            checks=["preprocessed-inputs"],
            edges=edges,
            groups={"train": counts},
            x_label=one.feature,
            log_y=max(counts) > 20 * sum(counts) / len(counts),
        )


def _pictures(sheet: Sheet, name: str, title: str, caption: str = "", checks: Sequence[str] = ()) -> Pictures:
    return Pictures(
        title=title,
        name=name,
        caption=caption,
        checks=checks,
        sheet=sheet.side,
        across=sheet.across,
        down=sheet.down,
        captions=sheet.captions,
        row_labels=sheet.row_labels,
        count=sheet.count,
    )


def _get(shelf: Shelf, name: str, kind: type[E]) -> E | None:
    record = shelf.get(name, kind)
    return None if isinstance(record, Unmeasured) else record


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name.lower()).strip("-") or "feature"
