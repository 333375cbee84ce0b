"""D8: pictures of a split that are turned, inverted, moved or of other channel order; columns that changed places.

A Gaussian fitted to train says how likely a picture is. If val's become likelier by being turned back while train's own
become less likely by it, val was turned. What leaves train as likely as before (a mirror, for many photographs) is no
fault that could be seen, and no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from recipe.data.scan import Scan, SplitScan
from recipe.machine import one_thread
from recipe.record.drift import SplitLayout, Undone
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

SAMPLE = 2000
GRID = 8
LEAST = 8
FLOOR = 4.0
"""Variance, in levels of 255, that a pixel has at least."""
SHRINK = 0.1
FAR, NEAR = 0.3, 0.15
"""Kolmogorov's distances between columns that differ, and that could be one."""
MOST_COLUMNS = 64

Way = Callable[[np.ndarray], np.ndarray]


def measure_split_layout(scan: Scan, *, seed: int) -> SplitLayout:
    """Ways in which a split's items fit train better. CannotMeasure when items are neither pictures nor rows."""
    train = scan.splits["train"]
    others = {name: one for name, one in scan.splits.items() if name != "train" and len(one.positions) >= LEAST}
    items = {name: min(SAMPLE, len(one.positions)) for name, one in others.items()}
    if not others or len(train.positions) < 4 * LEAST:
        raise CannotMeasure("there are too few items in any other split")
    if train.pictures is None:
        names = _columns(train)
        if not names:
            raise CannotMeasure("the items are neither pictures nor rows of a few numbers")
        moved = {name: _moved(names, train, one) for name, one in others.items()}
        return SplitLayout(tried=0, items=items, found=(), columns=moved)
    with one_thread():
        tried, found = _turned(train, others, np.random.default_rng([seed, 67]))
    return SplitLayout(tried=tried, items=items, found=tuple(found))


def _turned(train: SplitScan, others: dict[str, SplitScan], generator: np.random.Generator) -> tuple[int, list[Undone]]:
    mine = _pooled(train, generator, 3 * SAMPLE)
    cut = max(len(mine) // 2, len(mine) - SAMPLE)
    fitted, rest = mine[:cut], mine[cut:]
    unlikely = _unlikely(fitted)
    usual = float(unlikely(rest).mean())
    ways = list(_ways(mine.shape[1:]))
    found = []
    for name, one in others.items():
        x = _pooled(one, generator, SAMPLE)
        if x.shape[1:] != mine.shape[1:]:
            continue
        before = unlikely(x)
        told = [(way, unlikely(undo(x)), unlikely(undo(rest))) for way, undo in ways]
        way, after, held = min(told, key=lambda one: float(one[1].mean()))
        found.append(
            Undone(
                split=name,
                way=way,
                gain=_mean(before - after),
                held_out=_mean(unlikely(rest) - held),
                before=float(before.mean()) - usual,
                left=float(after.mean()) - usual,
            )
        )
    return len(ways), found


def _pooled(one: SplitScan, generator: np.random.Generator, most: int) -> np.ndarray:
    """float64 (n, C, g, g'): pictures averaged to at most GRID cells a side."""
    assert one.pictures is not None
    chosen = generator.permutation(np.flatnonzero(one.finite))[:most]
    x = one.pictures[chosen].astype(np.float64)
    h, w = x.shape[2:]
    rows, columns = (np.arange(size) * min(size, GRID) // size for size in (h, w))
    x = np.stack([x[:, :, rows == k].mean(axis=2) for k in range(rows.max() + 1)], axis=2)
    return np.stack([x[:, :, :, columns == k].mean(axis=3) for k in range(columns.max() + 1)], axis=3)


def _unlikely(fitted: np.ndarray) -> Way:
    """(n) mean negative log-likelihood a number, under a Gaussian with the covariance drawn towards its diagonal."""
    x = fitted.reshape(len(fitted), -1)
    mean = x.mean(axis=0)
    covariance = np.cov(x.T, bias=True).reshape(x.shape[1], -1)
    variance = np.diag(covariance) + FLOOR
    covariance = (1 - SHRINK) * covariance + np.diag(variance - (1 - SHRINK) * np.diag(covariance))
    root = np.linalg.inv(np.linalg.cholesky(covariance))

    def say(others: np.ndarray) -> np.ndarray:
        z = (others.reshape(len(others), -1) - mean) @ root.T
        # A few numbers that train never showed would outweigh all others.
        return np.asarray(np.minimum(z * z, 100.0).mean(axis=1) / 2)

    return say


def _ways(shape: tuple[int, ...]) -> Iterator[tuple[str, Way]]:
    channels, h, w = shape
    yield "mirrored left to right", lambda x: x[:, :, :, ::-1]
    yield "upside down", lambda x: x[:, :, ::-1]
    yield "turned by half", lambda x: x[:, :, ::-1, ::-1]
    yield "inverted", lambda x: 255 - x
    if h == w:
        yield "transposed", lambda x: x.transpose(0, 1, 3, 2)
        yield "turned by a quarter to the left", lambda x: np.rot90(x, -1, (2, 3))
        yield "turned by a quarter to the right", lambda x: np.rot90(x, 1, (2, 3))
        yield "transposed across the other diagonal", lambda x: np.rot90(x, 2, (2, 3)).transpose(0, 1, 3, 2)
    if channels == 3:
        for order in list(permutations(range(3)))[1:]:
            how = "with red and blue exchanged" if order == (2, 1, 0) else f"with channels in the order {order}"
            yield how, lambda x, order=order: x[:, list(np.argsort(order))]  # type: ignore[misc]
    if min(h, w) >= GRID:
        for axis, words in ((2, ("down", "up")), (3, ("to the right", "to the left"))):
            for step, word in zip((-1, 1), words, strict=True):
                yield f"moved {word}", lambda x, step=step, axis=axis: np.roll(x, step, axis)  # type: ignore[misc]


def _mean(values: np.ndarray) -> Interval:
    mean, half = float(values.mean()), 1.96 * float(values.std()) / max(1.0, float(len(values))) ** 0.5
    return Interval(mean, mean - half, mean + half, len(values))


def _columns(train: SplitScan) -> list[str]:
    """The attributes that are columns of a table or of an array, unless they are very many."""
    names = train.split.cells.numeric_names if train.split.cells is not None else train.attributes
    found = [n for n in names if n in train.attributes and (train.split.cells is not None or n.startswith("column "))]
    return found if len(found) <= MOST_COLUMNS else []


def _moved(names: list[str], train: SplitScan, other: SplitScan) -> tuple[tuple[str, str], ...]:
    """(column of the split, column of train that it looks like), where it does not look like its own."""
    mine, theirs = ([_known(one.attributes[name]) for name in names] for one in (train, other))
    found = []
    for k, b in enumerate(theirs):
        distance = np.array([_distance(a, b) for a in mine])
        best = int(distance.argmin())
        chance = 1.95 * ((len(mine[k]) + len(b)) / max(1, len(mine[k]) * len(b))) ** 0.5
        if distance[k] > max(FAR, 2 * chance) and distance[best] < max(NEAR, chance):
            found.append((names[k], names[best]))
    return tuple(found)


def _known(values: np.ndarray) -> np.ndarray:
    return np.sort(values[np.isfinite(values)])


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov's, of sorted numbers; 1 where there are none."""
    if not len(a) or not len(b):
        return 1.0
    at = np.concatenate([a, b])
    return float(
        np.abs(np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)).max()
    )
