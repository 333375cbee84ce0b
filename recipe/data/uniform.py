"""Pictures of another library's data set, made alike as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False)
class Uniform:
    """Items of another data set, as uint8 (C, H, W) of one size and mode."""

    dataset: Any
    shape: tuple[int, int]
    mode: str

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        import numpy as np
        import torch

        picture, target = self.dataset[index]
        picture = picture if picture.mode == self.mode else picture.convert(self.mode)
        if picture.size != (self.shape[1], self.shape[0]):
            picture = picture.resize((self.shape[1], self.shape[0]))
        array = np.array(picture)
        return torch.from_numpy(array[None] if array.ndim == 2 else array.transpose(2, 0, 1).copy()), int(target)


def looks_of(first: Any, size: int | Sequence[int] | None, mode: str) -> tuple[tuple[int, int], str]:
    """((height, width), mode) of all pictures: what was asked for, else what the first one is."""
    if size is None:
        shape = (first.size[1], first.size[0])
    else:
        shape = (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))
    return shape, mode if mode != "auto" else "L" if first.mode in ("1", "L") else "RGB"
