"""Mixes of targets: weights that make one split's mix of classes, or of sizes of a number, that of another."""

from __future__ import annotations

import numpy as np

BINS = 10
DIFFERENT = 0.05
"""Total variation between two mixes from which on it is worth weighing."""


def weights_towards(targets: np.ndarray, others: np.ndarray, classes: tuple[str, ...] | None) -> np.ndarray | None:
    """float64 (N) for items with `targets`, mean 1: with them their mix is that of `others`. None: it is so already."""
    a, b = strata(targets, others, classes)
    size = int(max(a.max(), b.max())) + 1
    share, wanted = np.bincount(a, minlength=size) / len(a), np.bincount(b, minlength=size) / len(b)
    # What chance makes of a small split is no shift.
    chance = float(np.sqrt(2 * share * (1 - share) / (np.pi * len(b))).sum()) / 2
    if np.abs(share - wanted).sum() / 2 < DIFFERENT + chance:
        return None
    weight = np.where(share > 0, wanted / np.where(share > 0, share, 1), 0.0)[a]
    return np.asarray(weight / max(float(weight.mean()), 1e-12))


def strata(targets: np.ndarray, others: np.ndarray, classes: tuple[str, ...] | None) -> tuple[np.ndarray, np.ndarray]:
    """int64 (N), int64 (M): the class, the tenth of a number, or for several targets the first."""
    a, b = targets.reshape(len(targets), -1)[:, 0], others.reshape(len(others), -1)[:, 0]
    if classes is not None or len(np.unique(a)) <= BINS:
        place = np.unique(np.concatenate([a, b]), return_inverse=True)[1]
        return place[: len(a)], place[len(a) :]
    edges = np.unique(np.quantile(a, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, a, side="right"), np.searchsorted(edges, b, side="right")
