"""What small pictures are found by: 64 numbers each that are alike for the same picture shown in another way.

Light and contrast go by subtracting means and dividing by lengths. `arrangement` is the picture at 8 by 8; `spectrum`
the strength of its waves, which a shift does not change, and made the same for a picture and its mirror image.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.machine import ahead

SIDE = 8
WAVES = 8
NUMBERS = 64
SAMPLE = 20_000
CHUNK = 2048


def floats(pictures: np.ndarray) -> Tensor:
    """uint8 (n, C, h, w) as float32 from 0 to 1."""
    return torch.from_numpy(pictures).float() / 255


def unit(rows: Tensor) -> Tensor:
    """Rows of length 1; those of almost none stay what they are."""
    scaled: Tensor = rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-6)
    return scaled


def arrangement(pictures: Tensor) -> Tensor:
    """(n, C * 64): areas of an eighth of the sides, each channel about its mean."""
    height, width = pictures.shape[2:]
    small = F.adaptive_avg_pool2d(pictures, (min(SIDE, height), min(SIDE, width)))
    return unit((small - small.mean(dim=(2, 3), keepdim=True)).flatten(1))


def spectrum(pictures: Tensor) -> Tensor:
    """(n, W): amplitudes of the longest waves of the grey picture, of both diagonals' together and their difference."""
    grey = pictures.mean(dim=1)
    height, width = grey.shape[1:]
    window = torch.hann_window(height + 2)[1:-1, None] * torch.hann_window(width + 2)[1:-1]
    waves = torch.fft.rfft2((grey - grey.mean(dim=(1, 2), keepdim=True)) * window).abs()
    down, across = torch.arange(1, min(WAVES, (height + 1) // 2)), torch.arange(1, min(WAVES, width // 2 + 1))
    falling, rising = waves[:, down][:, :, across], waves[:, height - down][:, :, across]
    both = [(falling + rising).flatten(1), (falling - rising).abs().flatten(1), waves[:, down, 0], waves[:, 0, across]]
    return unit(torch.cat(both, dim=1))


def enlarged(pictures: Tensor, times: float) -> Tensor:
    """The middle of each picture, enlarged to its full size."""
    placing = torch.tensor([[1 / times, 0.0, 0.0], [0.0, 1 / times, 0.0]]).expand(len(pictures), 2, 3)
    grid = F.affine_grid(placing, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False, padding_mode="border")


def described(pictures: np.ndarray, describe: Callable[[Tensor], Tensor]) -> Tensor:
    """float32 (N, W) of uint8 pictures (N, C, h, w), chunk by chunk."""
    starts = range(0, len(pictures), CHUNK)
    return torch.cat(list(ahead(lambda k: describe(floats(pictures[k : k + CHUNK])), starts)))


class Projection:
    """Onto the leading principal components, strong ones damped by the root of their deviation; rows of length 1.

    Undamped, the few components that all pictures share would decide; evened out wholly, noise would.
    """

    def __init__(self, rows: Tensor) -> None:
        some = rows[:: max(1, len(rows) // SAMPLE)].double()
        self.mean = some.mean(dim=0)
        values, vectors = torch.linalg.eigh((some - self.mean).T @ (some - self.mean) / len(some))
        kept = slice(max(0, len(values) - NUMBERS), None)
        scale = values[kept].clamp(min=1e-6 * float(values[-1]) + 1e-12) ** -0.25
        self.axes = (vectors[:, kept] * scale).float()
        self.mean = self.mean.float()

    def __call__(self, rows: Tensor) -> Tensor:
        """float32 (n, 64 at most)."""
        return unit((rows - self.mean) @ self.axes)
