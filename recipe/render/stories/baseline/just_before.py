"""What reaches the net: pictures or rows of train, augmented train and val; and what augmentation leaves."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.transforms import Augmented, JustBefore
from recipe.render.blocks import Block, Intervals, Row, Table
from recipe.render.stories.sheets import sheet_of

CHECKS = ("same-way-to-the-net", "augmentation-varies", "stored-data-unchanged")


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The tensors first, then the probes on augmented items."""
    found = shelf.found("just_before", JustBefore)
    if found is not None:
        yield from _tensors(found)
    augmented = shelf.found("augmented", Augmented)
    if augmented is not None:
        yield _left(augmented)


def _tensors(found: JustBefore) -> Iterator[Block]:
    first = found.reaches[0]
    shape = " × ".join(map(str, first.shape[1:])) or "one number"
    if found.sheet is not None:
        caption = "The tensors that model(x) gets, on one scale from the smallest number to the largest."
        yield sheet_of(found.sheet, "just-before", f"Just before the net: {shape}, {first.dtype}", caption, CHECKS)
    elif found.rows:
        yield Table(
            title=f"Just before the net: {shape}, {first.dtype}",
            name="just-before",
            caption="The first numbers of some items as model(x) gets them.",
            checks=CHECKS,
            columns=["items", "target", "numbers"],
            rows=[list(row) for row in found.rows],
        )
    yield Table(
        title="The same way to the net in train and val",
        name="reaches",
        checks=CHECKS,
        columns=["items", "tensor", "shape of a batch", "type", "lowest", "highest", "mean", "deviation", "layout"],
        rows=[
            [r.what, r.leaf, " × ".join(map(str, r.shape)), r.dtype, r.low, r.high, r.mean, r.std, r.layout]
            for r in found.reaches
        ],
    )


def _left(found: Augmented) -> Block:
    rows = [
        Row(label="plain items", interval=found.plain, tone="quiet"),
        Row(label="augmented items", interval=found.augmented),
    ]
    rows += [
        Row(label=f"augmented {one.label} that look like {one.like}", interval=one.share, tone="warn")
        for one in found.lost[:3]
    ]
    return Intervals(
        title=f"A probe recognises {found.augmented.mean:.0%} of augmented items, {found.plain.mean:.0%} of plain ones",
        name="augmented",
        caption=f"{found.probe}, which learnt augmented and plain items, on {found.items:,} others.",
        checks=["augmentation-leaves-enough", "labels-survive-augmentation"],
        rows=rows,
        label="share of items",
        reference=found.chance,
        reference_label="chance",
    )
