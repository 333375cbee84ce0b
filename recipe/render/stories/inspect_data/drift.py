"""Whether the splits look alike: to a classifier, attribute by attribute, in difficulty, and along the file."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.drift import Difficulty, Drift, OrderEffects, SplitLayout, SplitsApart
from recipe.record.evidence import Shelf
from recipe.render.blocks import Block, Cell, Curve, Histogram, Intervals, Row, Series, Table
from recipe.render.wording import slug

MOST_ATTRIBUTES = 6


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The classifier first, then a histogram for each attribute that differs most, then the rest."""
    apart = shelf.found("splits_apart", SplitsApart)
    if apart is not None:
        yield _told_apart(apart)
        yield _drivers(apart)
    drift = shelf.found("drift", Drift)
    if drift is not None:
        yield from _attributes(drift)
    difficulty = shelf.found("difficulty", Difficulty)
    if difficulty is not None:
        yield _difficulty(difficulty)
    order, layout = shelf.found("order_effects", OrderEffects), shelf.found("split_layout", SplitLayout)
    rows = [*(_order(order) if order else ()), *(_layout(layout) if layout else ())]
    if rows:
        yield Table(
            title="Order along the file, and ways to turn a split back",
            name="order-and-layout",
            caption="Order is asked within each class. A way back that fits raises a split's likelihood under train.",
            checks=["random-split-of-ordered-rows", "splits-respect-time", "splits-laid-out-alike"],
            columns=["question", "measured", "compared with"],
            rows=rows,
        )


def _told_apart(apart: SplitsApart) -> Curve:
    worst = max(apart.splits, key=lambda one: one.auc.mean)
    lines = [
        Series(
            name=f"{one.split}, AUC {one.auc.mean:.3f} [{one.auc.low:.3f}, {one.auc.high:.3f}]",
            x=[alarms for alarms, _ in one.curve],
            y=[hits for _, hits in one.curve],
        )
        for one in apart.splits
    ]
    chance = Series(name="chance", x=[0.0, 1.0], y=[0.0, 1.0], dashed=True, quiet=True)
    return Curve(
        title=f"A classifier tells {worst.split} from train with an AUC of {worst.auc.mean:.3f}",
        name="told-apart",
        caption="ROC curves of the better of lines (on all that a net will see, pooled) and trees (on columns or "
        "attributes), on items not learnt from. 0.5 is chance: no difference was found.",
        checks=["splits-told-apart"],
        series=[*lines, chance],
        x_label="share of train taken for the split",
        y_label="share of the split found",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
    )


def _drivers(apart: SplitsApart) -> Table:
    rows: list[list[Cell]] = [[one.split, name, area] for one in apart.splits for name, area in one.drivers[:3]]
    return Table(
        title="What tells the splits apart, if anything",
        name="drivers",
        caption="AUC of each alone; below 0.55 is next to nothing.",
        checks=["splits-told-apart"],
        columns=["split", "what", "AUC alone"],
        rows=rows,
    )


def _attributes(drift: Drift) -> Iterator[Histogram]:
    ranked = sorted(drift.attributes, key=lambda a: -max(a.distance.values(), default=0.0))
    for one in ranked[:MOST_ATTRIBUTES]:
        if one.distance:
            split, far = max(one.distance.items(), key=lambda item: item[1])
            mixed = f" {one.weighted[split]:.3f} with targets mixed alike." if split in one.weighted else ""
            yield Histogram(
                title=f"{one.attribute}: {split} and train differ by {far:.3f}",
                name=f"attribute-{slug(one.attribute)}",
                caption=f"Kolmogorov's distance;{mixed} chance exceeds {one.critical[split]:.3f} for one of all "
                "attributes once in a thousand.",
                checks=["split-drift", "outliers"],
                edges=one.edges,
                groups=dict(one.shares),
                x_label=one.attribute,
                y_label="share of the split",
            )


def _difficulty(found: Difficulty) -> Intervals:
    return Intervals(
        title=f"A simple model scores {found.val.mean:.3f} on val, {found.rest.mean:.3f} on the rest of train",
        name="difficulty",
        caption=f"{found.model.capitalize()}, fitted on {found.fitted:,} items of train; never scored on test. "
        "Classes: share predicted right; numbers: share of the squared error removed.",
        checks=["val-difficulty"],
        label="score",
        reference=found.chance,
        reference_label="chance",
        rows=[Row(label="rest of train", interval=found.rest), Row(label="val", interval=found.val)],
    )


def _order(found: OrderEffects) -> Iterator[list[Cell]]:
    yield ["nearest neighbour lies nearer in the file", found.nearer, f"0.5; by chance up to {found.critical:.3f}"]
    if found.shuffled is not None and found.blocks is not None:
        yield ["neighbours tell of the target", found.shuffled, f"{found.blocks} from elsewhere in the file"]
    if found.drift is not None:
        yield ["first half of the file told from the last (AUC)", found.drift, "0.5"]


def _layout(found: SplitLayout) -> Iterator[list[Cell]]:
    for one in found.found:
        yield [f"{one.split} {one.way}: undone, nats a number", one.gain, f"{one.held_out} for train's own"]
