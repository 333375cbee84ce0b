"""Texts as they were read, before anything is made of them: what a person reads, and what encoders start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Texts:
    """One text an item."""

    values: Sequence[str]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> str:
        return self.values[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def take(self, indices: np.ndarray) -> Texts:
        """Some of the texts, in the order of `indices`."""
        return Texts([self.values[int(i)] for i in indices])
