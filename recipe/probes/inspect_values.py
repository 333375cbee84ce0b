"""D4 for columns: numbers that stand for nothing (-999, 99999, a zero far from the rest), caps, and spikes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from recipe.data.scan import Scan, SplitScan
from recipe.record.evidence import CannotMeasure
from recipe.record.quality import OddValue, OddValues

DIFFERENT = 20
"""Fewer different values than this are ratings or codes, of which each has many rows."""
NEAR = 4
"""Neighbouring values, by which it is told how many rows a value should have."""
APART = 0.5
"""Quartile ranges between a value and the next one, from which on it stands apart."""
TIMES = 5.0
"""Times the rows of a neighbouring value, from which on an end is capped, or a number that looks so is a stand-in."""
FEWEST, SHARE = 10, 0.001
"""Rows, and share of the rows, that an end of the range needs to be a cap."""
SPIKE_TIMES, SPIKE = 20.0, 0.02
LIMITS = {2**15 - 1, -(2**15), 2**16 - 1, 2**31 - 1, -(2**31), 2**32 - 1}
LISTED = 20


class Counted(NamedTuple):
    """values: the different ones, sorted; counts: their rows in all splits."""

    values: np.ndarray
    counts: np.ndarray


def measure_values(scan: Scan) -> OddValues:
    """Looks at every numeric column, over all splits. CannotMeasure when there are none."""
    train = scan.splits["train"]
    named = train.split.cells.numeric_names if train.split.cells is not None else ()
    names = [n for n in train.attributes if n in named or (scan.data.kind != "image" and n.startswith("column "))]
    if not names:
        raise CannotMeasure("the inputs have no columns of numbers")
    found: list[OddValue] = []
    looked = 0
    for name in names:
        columns = {split: one.attributes[name] for split, one in scan.splits.items()}
        every = np.concatenate(list(columns.values()))
        counted = Counted(*np.unique(every[np.isfinite(every)], return_counts=True))
        if len(counted.values) < DIFFERENT:
            continue
        looked += 1
        for k, kind in _odd(counted, named=bool(named)):
            found.append(_told(name, counted, k, kind, scan.splits))
    return OddValues(columns=looked, values=tuple(found))


def _odd(counted: Counted, *, named: bool) -> Iterator[tuple[int, str]]:
    """(place among the values, kind) of those that are odd."""
    values, counts = counted
    last, total = len(values) - 1, counts.sum()
    for k in np.flatnonzero((counts >= FEWEST) | (counts >= 2) & _looks(values)).tolist():
        usual, gap = _usual(counted, k), _gap(counted, k)
        many = counts[k] >= TIMES * usual
        if _looks(values[k : k + 1])[0] and _stands_in(counted, k, gap, many=many):
            yield k, "stand-in"
        # Zero is where counts and amounts end; columns of a nameless array are often pixels, which end there too.
        elif k in (0, last) and named and many and values[k] != 0 and counts[k] >= max(FEWEST, SHARE * total):
            yield k, "capped"
        elif 0 < k < last and values[k] != 0 and counts[k] >= max(SPIKE_TIMES * usual, SPIKE * total):
            yield k, "spike"


def _looks(values: np.ndarray) -> np.ndarray:
    """bool (n): 0, -1, 9, 99, -99, 999 … and the ends of the whole numbers that a computer knows."""
    size = np.abs(values)
    digits = np.round(np.log10(np.maximum(size, 1) + 1))
    nines = (size >= 9) & (size < 1e9) & (size == 10.0**digits - 1)
    return np.asarray(nines | (values == 0) | (values == -1) | np.isin(values, list(LIMITS)))


def _stands_in(counted: Counted, k: int, gap: float, *, many: bool) -> bool:
    values, counts = counted
    value, end = values[k], k in (0, len(values) - 1)
    if value == 0:
        # Amounts that are mostly zero are amounts; a few zeros far below all others were never measured.
        return bool(gap >= APART and end and 3 <= counts[k] < 0.5 * counts.sum())
    if value == -1:
        return bool(k == 0 and (values[1:] >= 0).all() and (values == values.round()).all())
    return bool(gap >= APART or (many and end and abs(value) > 9))


def _usual(counted: Counted, k: int) -> float:
    """The most rows that one of the neighbouring values has."""
    around = np.r_[max(0, k - NEAR) : k, k + 1 : min(len(counted.values), k + NEAR + 1)]
    return float(counted.counts[around].max())


def _gap(counted: Counted, k: int) -> float:
    """Distance to the next value, in quartile ranges of the other rows (without a value that half of them have)."""
    values, counts = (np.delete(a, k) for a in counted)
    near = float(np.abs(values - counted.values[k]).min())
    most = int(counts.argmax())
    if counts[most] >= 0.5 * counts.sum() and len(values) > 2:
        values, counts = (np.delete(a, most) for a in (values, counts))
    order = np.cumsum(counts) / counts.sum()
    first, third = values[np.searchsorted(order, [0.25, 0.75])]
    return near / float(third - first) if third > first else 0.0


def _told(name: str, counted: Counted, k: int, kind: str, splits: dict[str, SplitScan]) -> OddValue:
    value, items = counted.values[k], int(counted.counts[k])
    rows = [
        one.item(int(row), f"{name} is {value:g}")
        for one in splits.values()
        for row in np.flatnonzero(one.attributes[name] == value)[:LISTED]
    ]
    return OddValue(
        column=name,
        value=float(value),
        kind=kind,
        place="lowest" if k == 0 else "highest" if k == len(counted.values) - 1 else "",
        items=items,
        share=items / int(counted.counts.sum()),
        usual=_usual(counted, k),
        gap=_gap(counted, k),
        rows=tuple(rows[:LISTED]),
    )
