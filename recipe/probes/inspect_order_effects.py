"""D8: whether rows that lie together are alike, what that does to a random split, and whether splits respect time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recipe.clues import Target, Told, standardised, target_of, tell_by_lines
from recipe.data.data import Data, Split
from recipe.data.mix import strata
from recipe.data.scan import Scan, SplitScan
from recipe.intervals import area_under_curve
from recipe.machine import one_thread
from recipe.record.drift import OrderEffects, PositionSplit
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

BLOCK, BLOCKS = 40, 60
"""Rows in a run of neighbours of the file, and runs that are looked at."""
NEIGHBOURS = 8
SHUFFLES = 100
LEAST = 200


class Rows(NamedTuple):
    """Some rows of train in the order of the file. kind: int64 (n), its class. block: int64 (n), the run it is in."""

    x: np.ndarray
    target: Target
    kind: np.ndarray
    block: np.ndarray
    place: np.ndarray


def measure_order_effects(scan: Scan, *, seed: int) -> OrderEffects:
    """By distances between neighbours in the file. CannotMeasure on few items, or where items have no target each."""
    if scan.data.without_label:
        raise CannotMeasure(scan.data.without_label)
    train = scan.splits["train"]
    different = len(np.unique(train.contents[train.finite]))
    if different < LEAST:
        raise CannotMeasure(f"{different:,} different items are too few to tell an order")
    rows = _rows(train)
    with one_thread():
        nearer, critical = _nearer(rows, np.random.default_rng([seed, 79]))
        drift = _drift(train, np.random.default_rng([seed, 83]))
        free, held = _told(rows, np.random.default_rng([seed, 89])), _told(rows, None)
    data = scan.data
    return OrderEffects(
        items=len(rows.x),
        nearer=nearer,
        critical=critical,
        shuffled=free.gain(),
        blocks=held.gain(),
        lost=free.beyond(held),
        drift=drift,
        random=data.time is None and data.val.origin == data.train.origin,
        time=data.time or "",
        later=_later(data),
    )


def _rows(train: SplitScan) -> Rows:
    """Runs of neighbouring rows, spread evenly over the file; of equal items only the first."""
    single = np.zeros(len(train.positions), dtype=bool)
    single[np.unique(train.contents, return_index=True)[1]] = True
    place = train.split.rows.numpy()[train.positions]
    order = np.argsort(place, kind="stable")
    order = order[single[order] & train.finite[order]]
    runs = min(BLOCKS, max(4, len(order) // BLOCK))
    starts = np.linspace(0, max(0, len(order) - BLOCK), runs).astype(int)
    at = np.unique(np.concatenate([np.arange(s, min(s + BLOCK, len(order))) for s in starts]))
    block = np.searchsorted(starts, at, side="right") - 1
    chosen = order[at]
    kind, _ = strata(train.targets[chosen], train.targets[chosen], train.classes)
    x = standardised(train.features[chosen])
    if x.shape[1] > 40:
        _, axes = np.linalg.eigh((x.T @ x).astype(np.float64))
        x = (x @ axes[:, ::-1][:, :40]).astype(np.float32)
    # A number of which rows are alike in the file is no more alike than the rows are: its tenths are all one kind.
    kind = kind if train.classes is not None else np.zeros_like(kind)
    return Rows(x, target_of(train.targets[chosen], train.classes), kind, block, place[chosen].astype(np.float64))


def _distances(x: np.ndarray) -> np.ndarray:
    square = (x * x).sum(axis=1)
    found = square[:, None] + square[None, :] - 2 * x @ x.T
    np.fill_diagonal(found, np.inf)
    return np.asarray(found)


def _nearer(rows: Rows, generator: np.random.Generator) -> tuple[float, float]:
    """Chance that the nearest of its kind is nearer in the file than another of it; what shuffles give at most."""
    distance = _distances(rows.x)
    distance[rows.kind[:, None] != rows.kind[None, :]] = np.inf
    nearest = distance.argmin(axis=1)
    has = np.isfinite(distance.min(axis=1))
    place = rows.place.copy()
    mine = _share(place, nearest, rows.kind, has, generator)
    chance = []
    for _ in range(SHUFFLES):
        mixed = place.copy()
        for kind in np.unique(rows.kind):
            own = np.flatnonzero(rows.kind == kind)
            mixed[own] = place[generator.permutation(own)]
        chance.append(_share(mixed, nearest, rows.kind, has, generator))
    return mine, float(max(chance))


def _share(
    place: np.ndarray, nearest: np.ndarray, kind: np.ndarray, has: np.ndarray, generator: np.random.Generator
) -> float:
    other = np.arange(len(place))
    for one in np.unique(kind):
        own = np.flatnonzero(kind == one)
        other[own] = own[generator.integers(0, len(own), len(own))]
    own_gap, other_gap = np.abs(place - place[nearest]), np.abs(place - place[other])
    fair = has & (other != np.arange(len(place)))
    return float(((own_gap < other_gap) + 0.5 * (own_gap == other_gap))[fair].mean()) if fair.any() else 0.5


def _told(rows: Rows, generator: np.random.Generator | None) -> Told:
    """By neighbours of other runs; with a generator, by those of other runs after runs were dealt out at random."""
    block = rows.block.copy()
    if generator is not None:
        for kind in np.unique(rows.kind):
            own = np.flatnonzero(rows.kind == kind)
            block[own] = rows.block[generator.permutation(own)]
    distance = _distances(rows.x)
    distance[block[:, None] == block[None, :]] = np.inf
    near = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    y = rows.target.values
    return Told(rows.target, y[near].mean(axis=1), np.zeros_like(y))


def _drift(train: SplitScan, generator: np.random.Generator) -> Interval | None:
    """AUC of telling, within each class, the first half of the file from the last."""
    place = train.split.rows.numpy()[train.positions]
    kind = train.targets.reshape(len(train.targets), -1)[:, 0] if train.classes else np.zeros(len(place))
    late = np.zeros(len(place), dtype=bool)
    for one in np.unique(kind):
        own = np.flatnonzero(kind == one)
        late[own] = place[own] > np.median(place[own])
    single = np.unique(train.contents, return_index=True)[1]
    chosen = generator.permutation(single[train.finite[single]])[:3000]
    y = late[chosen]
    if min(y.sum(), (~y).sum()) < 20:
        return None
    told = tell_by_lines(train.features[chosen], Target((y - y.mean())[:, None], ("",), np.array([True])))
    score = told.said[:, 0] - told.mean[:, 0]
    return area_under_curve(score[y], score[~y])


def _later(data: Data) -> dict[str, float]:
    """{split: share of its items no earlier than the last of train}; empty where nothing orders the items."""
    splits = [s for s in (data.train, data.val, data.compare_test()) if s is not None]
    if data.time is None or any(data.time not in s.attributes for s in splits):
        return {}
    latest = max(data.train.attributes[data.time].tolist())
    return {s.name: float(np.mean([v >= latest for v in s.attributes[data.time].tolist()])) for s in splits[1:]}


def measure_position_split(data: Data) -> PositionSplit:
    """Whether train and val are the two ends of a file sorted by target. CannotMeasure for several targets an item."""
    a, b = data.train.targets.numpy(), data.val.targets.numpy()
    if a.ndim > 1 or len(a) < 20:
        raise CannotMeasure("there are several targets an item, or too few items")
    own = _in_order(data.train)
    labels, other = strata(a, b, data.classes)
    share, wanted = (
        np.bincount(v, minlength=int(max(labels.max(), other.max())) + 1) / len(v) for v in (labels, other)
    )
    if data.classes is not None:
        same, expected = float((own[1:] == own[:-1]).mean()), float((share**2).sum())
    else:
        ranks = np.argsort(np.argsort(own, kind="stable"), kind="stable")
        same, expected = abs(float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])), 0.0
    below = area_under_curve(b, a).mean
    return PositionSplit(
        sorted=same,
        expected=expected,
        below=max(below, 1 - below),
        shift=float(np.abs(share - wanted).sum() / 2),
        items=len(b),
    )


def _in_order(split: Split) -> np.ndarray:
    return np.asarray(split.targets.numpy()[np.argsort(split.rows.numpy(), kind="stable")])
