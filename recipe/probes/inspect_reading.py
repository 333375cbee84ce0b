"""D1: every item read once: what could not be read, is not finite, is blank, or is there again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipe.data.data import Trouble
from recipe.data.scan import Scan, SplitScan
from recipe.record.data import Item, Reading, SplitReading
from recipe.tree import leaves, stack

LISTED = 50


def measure_reading(scan: Scan) -> Reading:
    """Reads all splits."""
    data, splits = scan.data, scan.splits.values()
    lost = [*data.unreadable, *(trouble for one in splits for trouble in one.unreadable)]
    return Reading(
        kind=data.kind,
        splits=tuple(_reading(one) for one in splits),
        max_unreadable=data.max_unreadable,
        unreadable=_told(lost),
        odd=_told(data.odd),
        non_finite=tuple(item for one in splits for item in _non_finite(one))[:LISTED],
        blank=tuple(item for one in splits for item in _blank(one))[:LISTED],
    )


def _reading(one: SplitScan) -> SplitReading:
    return SplitReading(
        split=one.split.name,
        items=len(one.positions),
        shape=one.shape,
        dtype=one.dtype,
        low=one.low,
        high=one.high,
        mean=one.mean,
        std=one.std,
        whole=one.whole,
        values=one.values,
        contents=len(np.unique(one.contents)),
        blank=int(one.blank.sum()),
        non_finite=int((~one.finite).sum()),
        repeats=not one.split.streams or one.split.inputs.repeats(),
    )


def _told(troubles: Sequence[Trouble]) -> tuple[Item, ...]:
    return tuple(Item(split=t.split, name=t.where, note=t.reason) for t in troubles)


def _non_finite(one: SplitScan) -> list[Item]:
    """The items, each with its first number that is not finite and where in the item it stands."""
    found = []
    for k in np.flatnonzero(~one.finite)[:LISTED].tolist():
        position = int(one.positions[k])
        bad = [(leaf, (~leaf.isfinite()).nonzero()) for leaf in leaves(stack([one.split.raw(position)[0]]))]
        leaf, places = next((leaf[0], places[:, 1:]) for leaf, places in bad if len(places))
        place = tuple(places[0].tolist())
        note = f"{float(leaf[place])} at {place}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")
        found.append(one.item(k, note))
    return found


def _blank(one: SplitScan) -> list[Item]:
    return [one.item(k, "blank") for k in np.flatnonzero(one.blank)[:LISTED].tolist()]
