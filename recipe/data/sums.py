"""What grows over the chunks of a split: sums of its numbers and of each class's pictures, and rows that are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from recipe.data.data import Data, Split

MOST_VALUES = 256
"""Different numbers up to which they are counted."""


@dataclass
class Sums:
    """Running count, sum and sum of squares (about an origin) of all finite numbers, and their ends."""

    origin: float
    count: float = 0.0
    total: float = 0.0
    square: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    seen: set[float] | None = field(default_factory=set)
    whole: bool = True

    def add(self, flat: Tensor) -> None:
        """Takes in the numbers of a chunk."""
        x = flat if flat.dtype in (torch.float32, torch.float64) else flat.to(torch.float32)
        good = x.isfinite()
        kept = x if bool(good.all()) else x[good]
        if kept.numel() == 0:
            return
        shifted = kept.reshape(-1) - self.origin
        self.count += kept.numel()
        self.total += float(shifted.sum(dtype=torch.float64))
        self.square += float((shifted * shifted).sum(dtype=torch.float64))
        self.low, self.high = min(self.low, float(kept.min())), max(self.high, float(kept.max()))
        some = kept.reshape(-1)[: 1 << 16]
        self.whole = self.whole and bool((some == some.round()).all())
        if self.seen is not None:
            self.seen |= set(torch.unique(some).tolist()[: MOST_VALUES + 1])
            self.seen = None if len(self.seen) > MOST_VALUES else self.seen

    @property
    def mean(self) -> float:
        """Of all finite numbers."""
        return self.total / max(1.0, self.count) + self.origin

    @property
    def std(self) -> float:
        """Their standard deviation."""
        centred = self.total / max(1.0, self.count)
        return float(max(0.0, self.square / max(1.0, self.count) - centred * centred) ** 0.5)


class ClassMeans:
    """Sum and count of the inputs of each class."""

    def __init__(self, split: Split, data: Data) -> None:
        self.targets, self.classes = split.targets, len(data.classes or ())
        self.sums: Tensor | None = None
        self.counts = torch.zeros(self.classes)

    def add(self, positions: np.ndarray, inputs: Tensor) -> None:
        """Takes in the pictures at these positions."""
        labels = self.targets[torch.from_numpy(positions)]
        if self.sums is None:
            self.sums = torch.zeros(self.classes, *inputs.shape[1:])
        self.sums.index_add_(0, labels, inputs.to(torch.float32).nan_to_num())
        self.counts += torch.bincount(labels, minlength=self.classes)

    def result(self) -> Tensor | None:
        """The mean picture of each class, black where a class has none."""
        if self.sums is None:
            return None
        return self.sums / self.counts.clamp(min=1).view(-1, *([1] * (self.sums.ndim - 1)))


class Rows:
    """Arrays of one row an item, filled chunk by chunk: a list of chunks, joined, would hold all of them twice."""

    def __init__(self, items: int) -> None:
        self.items, self.end = items, 0
        self.arrays: dict[str, np.ndarray] = {}

    def add(self, chunk: dict[str, np.ndarray]) -> None:
        """The next rows of each array; all have as many."""
        start, self.end = self.end, self.end + max((len(values) for values in chunk.values()), default=0)
        for name, values in chunk.items():
            if name not in self.arrays:
                self.arrays[name] = np.empty((self.items, *values.shape[1:]), values.dtype)
            self.arrays[name][start : self.end] = values

    def filled(self) -> dict[str, np.ndarray]:
        """The rows that were given."""
        return {name: values[: self.end] for name, values in self.arrays.items()}
