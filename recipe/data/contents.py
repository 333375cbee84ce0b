"""All different contents of a data set, and where each of them is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recipe.data.scan import SplitScan
from recipe.record.evidence import CannotMeasure


@dataclass(frozen=True, eq=False)
class Contents:
    """All different contents of all splits that are not blank: C of them.

    split, item: (N) where each item is; content: (N) which it is; first: (C) its first item, as an index of these.
    label: (N) numbered from 0.
    """

    scans: Sequence[SplitScan]
    split: np.ndarray
    item: np.ndarray
    content: np.ndarray
    first: np.ndarray
    label: np.ndarray

    def inside(self, split: int) -> np.ndarray:
        """bool (C): contents with an item in this split."""
        found = np.zeros(len(self.first), dtype=bool)
        found[self.content[self.split == split]] = True
        return found

    def of_first(self, values: Callable[[SplitScan], np.ndarray]) -> np.ndarray:
        """An array of the splits' items, for the first item of each content."""
        parts = [values(one)[self.item[self.split == k]] for k, one in enumerate(self.scans)]
        return np.asarray(np.concatenate(parts)[self.first])


def different_contents(scans: Sequence[SplitScan], most: int) -> tuple[Contents, int]:
    """The contents of `most` items, and how many items of train were left out. CannotMeasure when none has any."""
    kept = [np.flatnonzero(~one.blank & one.finite) for one in scans]
    room = max(1, most - sum(map(len, kept[1:])))
    left_out = max(0, len(kept[0]) - room)
    if left_out:
        kept[0] = kept[0][np.linspace(0, len(kept[0]) - 1, room).astype(int)]
    if not sum(map(len, kept)):
        raise CannotMeasure("no item has any content")
    raw = np.concatenate([one.contents[k] for one, k in zip(scans, kept, strict=True)])
    labels = [one.targets.reshape(len(one.targets), -1)[k, 0] for one, k in zip(scans, kept, strict=True)]
    _, first, content = np.unique(raw, return_index=True, return_inverse=True)
    split = np.repeat(np.arange(len(scans)), [len(k) for k in kept])
    label = np.unique(np.concatenate(labels), return_inverse=True)[1].reshape(-1)
    return Contents(scans, split, np.concatenate(kept), content.reshape(-1), first, label), left_out
