"""D8, first part: whether val and test look like train, one attribute at a time."""

from __future__ import annotations

import math

import numpy as np

from recipe.data.scan import Scan
from recipe.record.drift import AttributeDrift, Drift

BINS = 30
CRITICAL = 1.95
"""Kolmogorov's constant for one in a thousand: times sqrt((n + m) / nm)."""
MOST = 256


def measure_drift(scan: Scan) -> Drift:
    """The distribution of each attribute in each split, and its distance to train's."""
    names = list(scan.splits["train"].attributes)[:MOST]
    values = {n: {s: _known(one.attributes[n]) for s, one in scan.splits.items() if n in one.attributes} for n in names}
    train = scan.splits["train"].split
    return Drift(
        attributes=tuple(_drift(name, by_split) for name, by_split in values.items() if len(by_split["train"])),
        varies=train.streams and not train.inputs.repeats(),
    )


def _known(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.isfinite(values)].astype(np.float64))


def _drift(name: str, by_split: dict[str, np.ndarray]) -> AttributeDrift:
    train = np.sort(by_split["train"])
    others = {split: np.sort(v) for split, v in by_split.items() if split != "train" and len(v)}
    low, high = min(v[0] for v in (train, *others.values())), max(v[-1] for v in (train, *others.values()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    shown = {"train": train, **others}
    return AttributeDrift(
        attribute=name,
        edges=tuple(edges.tolist()),
        shares={split: tuple((np.histogram(v, edges)[0] / len(v)).tolist()) for split, v in shown.items()},
        mean={split: float(v.mean()) for split, v in shown.items()},
        distance={split: _distance(train, v) for split, v in others.items()},
        critical={
            split: CRITICAL * math.sqrt((len(train) + len(v)) / (len(train) * len(v))) for split, v in others.items()
        },
    )


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov's: the largest difference between the two cumulative distributions; both sorted."""
    at = np.concatenate([a, b])
    share_a = np.searchsorted(a, at, side="right") / len(a)
    share_b = np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(share_a - share_b).max())
