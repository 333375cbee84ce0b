"""Numbers as a Gaussian kernel sees them: the numbers themselves, and random waves of two lengths over them.

Random Fourier features, Rahimi and Recht 2007. Nothing here sees a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

SAMPLED = 1000
LENGTHS = (1.0, 0.5)
"""Of the kernel, in medians of the distance between two items."""


@dataclass(frozen=True, eq=False)
class Waves:
    """centre, scale: (D). waves: (D, W); phase: (W)."""

    centre: Tensor
    scale: Tensor
    waves: Tensor
    phase: Tensor

    @property
    def width(self) -> int:
        """Numbers that an item becomes."""
        return len(self.centre) + len(self.phase)

    def __call__(self, features: np.ndarray) -> Tensor:
        """float32 (n, D) → float32 (n, width)."""
        x = (torch.from_numpy(features) - self.centre) * self.scale
        return torch.cat([x, torch.addmm(self.phase, x, self.waves).cos_()], dim=1)


def fit_waves(features: np.ndarray, seed: int, *, most: int = 1024) -> Waves:
    """Waves whose lengths fit float32 features (N, D), drawn with the seed; no more than there are items."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.from_numpy(features)
    centre, deviation = x.mean(dim=0), x.std(dim=0)
    # A column that hardly varies would otherwise be its rare items' alone.
    scale = torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), 0.0)
    rows = torch.randperm(len(x), generator=generator)[:SAMPLED]
    some = ((x[rows] - centre) * scale).clamp(-5, 5)
    median = float(torch.pdist(some).median()) if len(some) > 1 else 1.0
    count = max(64, min(most, len(x))) // len(LENGTHS)
    drawn = [
        torch.randn(x.shape[1], count, generator=generator) / max(1e-6, length * median / 2**0.5) for length in LENGTHS
    ]
    waves = torch.cat(drawn, dim=1)
    return Waves(centre, scale, waves, 2 * torch.pi * torch.rand(waves.shape[1], generator=generator))
