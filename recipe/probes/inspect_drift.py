"""D8, first part: whether val and test look like train, one attribute at a time."""

from __future__ import annotations

import math

import numpy as np

from recipe.data.mix import weights_towards
from recipe.data.scan import Scan
from recipe.record.drift import AttributeDrift, Drift

BINS = 30
CHANCE = 0.001
MOST = 256


def measure_drift(scan: Scan) -> Drift:
    """The distribution of each attribute in each split, and its distance to train's."""
    names = list(scan.splits["train"].attributes)[:MOST]
    values = {
        n: {s: one.attributes[n].astype(np.float64) for s, one in scan.splits.items() if n in one.attributes}
        for n in names
    }
    train = scan.splits["train"]
    weights = {
        split: weights_towards(train.targets, one.targets, train.classes)
        for split, one in scan.splits.items()
        if split != "train" and len(one.positions)
    }
    tests = max(1, len(names) * len(weights))
    return Drift(
        attributes=tuple(
            _drift(name, by_split, weights, tests)
            for name, by_split in values.items()
            if len(_known(by_split["train"]))
        ),
        varies=train.split.streams and not train.split.inputs.repeats(),
    )


def _known(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.isfinite(values)])


def _drift(
    name: str, by_split: dict[str, np.ndarray], weights: dict[str, np.ndarray | None], tests: int
) -> AttributeDrift:
    train = np.sort(_known(by_split["train"]))
    others = {split: np.sort(_known(v)) for split, v in by_split.items() if split in weights and len(_known(v))}
    low, high = min(v[0] for v in (train, *others.values())), max(v[-1] for v in (train, *others.values()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    shown = {"train": train, **others}
    # Kolmogorov's constant for a chance of CHANCE over all attributes of all splits.
    constant = math.sqrt(-math.log(CHANCE / tests / 2) / 2)
    return AttributeDrift(
        attribute=name,
        edges=tuple(edges.tolist()),
        shares={split: tuple((np.histogram(v, edges)[0] / len(v)).tolist()) for split, v in shown.items()},
        mean={split: float(v.mean()) for split, v in shown.items()},
        distance={split: _distance(train, v) for split, v in others.items()},
        critical={
            split: constant * math.sqrt((len(train) + len(v)) / (len(train) * len(v))) for split, v in others.items()
        },
        weighted={
            split: _weighted(by_split["train"], weight, v)
            for split, v in others.items()
            if (weight := weights[split]) is not None
        },
    )


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov's: the largest difference between the two cumulative distributions; both sorted."""
    at = np.concatenate([a, b])
    share_a = np.searchsorted(a, at, side="right") / len(a)
    share_b = np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(share_a - share_b).max())


def _weighted(a: np.ndarray, weight: np.ndarray, b: np.ndarray) -> float:
    """The same, of items with weights and sorted ones without."""
    kept = np.isfinite(a) & (weight > 0)
    if not kept.any():
        return 1.0
    order = np.argsort(a[kept], kind="stable")
    values, total = a[kept][order], np.concatenate([[0.0], np.cumsum(weight[kept][order])])
    at = np.concatenate([values, b])
    share_a = total[np.searchsorted(values, at, side="right")] / total[-1]
    return float(np.abs(share_a - np.searchsorted(b, at, side="right") / len(b)).max())
