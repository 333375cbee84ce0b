"""Folds for cross-validation: as many of each class in each, and what belongs together (copies, groups) in one."""

from __future__ import annotations

import numpy as np


def folds_of(labels: np.ndarray, together: np.ndarray, count: int, seed: int) -> np.ndarray:
    """int64 (N): the fold of each item. labels, together: int64 (N); items equal in `together` share a fold."""
    generator = np.random.default_rng([seed, 11])
    _, first, bundle = np.unique(together, return_index=True, return_inverse=True)
    order = generator.permutation(len(first))
    # Bundles of a class one after the other, dealt out in turn.
    order = order[np.argsort(labels[first][order], kind="stable")]
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % count
    return np.asarray(fold[bundle])
