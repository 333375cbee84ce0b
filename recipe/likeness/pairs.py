"""Pairs of items, and the clusters that they form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """(M) each. first < second: items. likeness: up to 1. mirrored: one is like the other's mirror image."""

    first: np.ndarray
    second: np.ndarray
    likeness: np.ndarray
    mirrored: np.ndarray

    def chosen(self, which: np.ndarray) -> Pairs:
        """Some of them, by mask or by index."""
        return Pairs(*(part[which] for part in self))


def no_pairs() -> Pairs:
    """None at all."""
    none = np.zeros(0, dtype=np.int64)
    return Pairs(none, none, none.astype(np.float32), none.astype(bool))


def joined(one: Pairs, other: Pairs) -> Pairs:
    """All of one, and those of the other that it has not."""
    known = set(zip(one.first.tolist(), one.second.tolist(), strict=True))
    new = [pair not in known for pair in zip(other.first.tolist(), other.second.tolist(), strict=True)]
    more = other.chosen(np.array(new, dtype=bool))
    return Pairs(*(np.concatenate(both) for both in zip(one, more, strict=True)))


def clusters(first: np.ndarray, second: np.ndarray, items: int) -> np.ndarray:
    """int64 (items): the number of the cluster of each item; items in no pair are clusters of their own."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(first), dtype=bool), (first, second)), shape=(items, items))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
