"""D1: every item read once: what could not be read, is not finite, is blank, or is there again and again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from recipe.data.data import Trouble
from recipe.data.scan import Scan, SplitScan
from recipe.record.data import Item, Reading, SplitReading
from recipe.record.evidence import Shelf
from recipe.tree import leaves, stack

LISTED = 200


def measure_reading(scan: Scan, shelf: Shelf) -> Reading:
    """Reads all splits. Every item that could not be read, or only just, is listed in a side file, reading.csv."""
    data, splits = scan.data, scan.splits.values()
    lost = [*data.unreadable, *(trouble for one in splits for trouble in one.unreadable)]
    found: dict[str, list[Item]] = {
        "unreadable": _told(lost),
        "odd": _told([t for t in data.odd if not t.harmless]),
        "noted": _told([t for t in data.odd if t.harmless]),
        "non_finite": [item for one in splits for item in _non_finite(one)],
        "blank": [one.item(k, "blank") for one in splits for k in np.flatnonzero(one.blank).tolist()],
    }
    counts = {kind: len(items) for kind, items in found.items()}
    return Reading(
        kind=data.kind,
        splits=tuple(_reading(one) for one in splits),
        max_unreadable=data.max_unreadable,
        **{kind: tuple(items[:LISTED]) for kind, items in found.items()},
        counts=counts,
        listed=shelf.put_side("reading.csv", _table(found)) if any(counts.values()) else "",
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


def _told(troubles: Sequence[Trouble]) -> list[Item]:
    return [Item(split=t.split, name=t.where, note=t.reason) for t in troubles]


def _non_finite(one: SplitScan) -> Iterator[Item]:
    """The items, the first of them with the first number that is not finite and where in the item it stands."""
    for n, k in enumerate(np.flatnonzero(~one.finite).tolist()):
        yield one.item(k, _place(one, k) if n < LISTED else "not finite")


def _place(one: SplitScan, k: int) -> str:
    bad = [
        (leaf, (~leaf.isfinite()).nonzero())
        for leaf in leaves(stack([one.split.raw(int(one.positions[k]))[0]]))
        if leaf.is_floating_point()
    ]
    leaf, places = next(((leaf[0], places[:, 1:]) for leaf, places in bad if len(places)), (None, None))
    if leaf is None or places is None:
        return "not finite when it was read"
    place = tuple(places[0].tolist())
    return f"{float(leaf[place])} at {place}" + (f" and {len(places) - 1} more" if len(places) > 1 else "")


def _table(found: dict[str, Iterable[Item]] | dict[str, list[Item]]) -> bytes:
    """All items as csv, a row an item."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["kind", "split", "item", "position", "label", "reason"])
    for kind, items in found.items():
        for item in items:
            at = "" if item.position < 0 else item.position
            rows.writerow([kind.replace("_", " "), item.split, item.name, at, item.label, item.note])
    return out.getvalue().encode(errors="backslashreplace")
