"""Transforms with one planted fault each, for `data.train_transform` and `data.eval_transform`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


class HalfTurn:
    """P09 half of the pictures are turned by 180 degrees, and keep their label."""

    def __call__(self, picture: Any) -> Tensor:
        """One picture."""
        x = torch.as_tensor(picture)
        return x.flip(-1, -2) if float(torch.rand(())) < 0.5 else x


class Noise:
    """P10 noise of a deviation of `std` (2 drowns the picture); P11 as an eval_transform."""

    def __init__(self, std: float = 2.0) -> None:
        self.std = std

    def __call__(self, example: Any) -> Tensor:
        """One example."""
        x = torch.as_tensor(example).float()
        return x + self.std * torch.randn_like(x)


class SameNoise:
    """P12 a generator made anew, with the same seed, for each example."""

    def __init__(self, std: float = 0.2) -> None:
        self.std = std

    def __call__(self, example: Any) -> Tensor:
        """One example."""
        x = torch.as_tensor(example).float()
        return x + self.std * torch.from_numpy(np.random.default_rng(0).normal(size=tuple(x.shape)).astype(np.float32))


class SmallShift:
    """H08 healthy: a picture moves by at most one pixel."""

    def __call__(self, picture: Any) -> Tensor:
        """One picture."""
        x = torch.as_tensor(picture)
        across, down = (int(torch.randint(-1, 2, ())) for _ in range(2))
        return x.roll((across, down), dims=(-1, -2))
