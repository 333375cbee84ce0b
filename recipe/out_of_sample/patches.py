"""Pictures as random patches see them: whitened patches of train as filters, rectified both ways, averaged in cells.

After Coates, Ng and Lee 2011, who found random patches about as good as learnt filters. Nothing here sees a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SAMPLED = 2000
"""Pictures that patches are taken from."""
PATCHES = 40_000
WHITENING = 0.1
GUARD = 10 / 255
"""Added to a patch's deviation, so that noise in flat patches is not blown up."""
THRESHOLD = 0.25


@dataclass(frozen=True, eq=False)
class Patches:
    """filters: (F, C * side * side). side, stride, pad: of the patches. cells: a side of the grid of averages."""

    filters: Tensor
    offset: Tensor
    side: int
    stride: int
    pad: int
    cells: int

    @property
    def width(self) -> int:
        """Numbers that a picture becomes."""
        return 2 * len(self.filters) * self.cells**2

    def __call__(self, pictures: np.ndarray) -> Tensor:
        """uint8 (n, C, h, w) → float32 (n, width)."""
        x = F.pad(_scaled(pictures), (self.pad,) * 4)
        n = len(x)
        patches, height, width = _patches(x, self.side, self.stride)
        answers = (patches @ self.filters.T).view(n, height * width, -1)
        # Each patch without its mean and over its deviation, taken from its answer: cheaper than from the patch.
        mean, square = (F.avg_pool2d(y, self.side, self.stride).mean(dim=1).view(n, -1, 1) for y in (x, x.square()))
        scale = ((square - mean.square()).clamp(min=0) + GUARD**2).rsqrt()
        answers = answers.sub_(mean * self.filters.sum(dim=1)).mul_(scale).add_(self.offset)
        pool = _pool(height, width, self.cells)
        parts = [torch.matmul(pool, (signed - THRESHOLD).relu_()).flatten(1) for signed in (answers, -answers)]
        # The root draws in long tails: what is there counts more than how strongly.
        return torch.cat(parts, dim=1).sqrt_()


def fit_patches(pictures: np.ndarray, seed: int) -> Patches:
    """Filters from patches of uint8 pictures (N, C, h, w), drawn with the seed."""
    generator = torch.Generator().manual_seed(seed)
    small = min(pictures.shape[2:]) < 16
    side, stride, pad, cells = (min(4, *pictures.shape[2:]), 1, 1, 3) if small else (6, 2, 2, 4)
    count = 64 if small else 48
    if pictures.shape[1] > 1:
        # Colour needs more filters, and fewer cells leave room for them.
        count, cells = 96, 3
    chosen = torch.randperm(len(pictures), generator=generator)[:SAMPLED]
    patches, _, _ = _patches(_scaled(pictures[chosen.numpy()]), side, 1)
    patches = patches[torch.randperm(len(patches), generator=generator)[:PATCHES]]
    patches = patches - patches.mean(dim=1, keepdim=True)
    patches = patches * (patches.square().mean(dim=1, keepdim=True) + GUARD**2).rsqrt()
    centre = patches.mean(dim=0)
    patches = patches - centre
    values, vectors = torch.linalg.eigh((patches.T @ patches / len(patches)).to(torch.float64))
    whiten = (vectors * (values.clamp(min=0) + WHITENING).rsqrt() @ vectors.T).to(torch.float32)
    white = patches @ whiten
    size = white.norm(dim=1)
    good = (size >= size.median() / 2).nonzero()[:, 0]
    chosen = good[torch.randperm(len(good), generator=generator)[:count]]
    filters = white[chosen] / size[chosen, None].clamp(min=1e-6) @ whiten
    return Patches(filters, -(filters @ centre), side, stride, pad, cells)


def _scaled(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(torch.float32) / 255


def _patches(x: Tensor, side: int, stride: int) -> tuple[Tensor, int, int]:
    """(n * rows * columns, C * side * side) patches; rows; columns."""
    found = x.unfold(2, side, stride).unfold(3, side, stride)
    rows, columns = found.shape[2], found.shape[3]
    return found.permute(0, 2, 3, 1, 4, 5).reshape(len(x) * rows * columns, -1), rows, columns


def _pool(rows: int, columns: int, cells: int) -> Tensor:
    """(cells * cells, rows * columns): what takes the mean over each cell; cells of very small pictures overlap."""

    def along(size: int) -> Tensor:
        found = torch.zeros(cells, size)
        for k in range(cells):
            found[k, k * size // cells : max(k * size // cells + 1, (k + 1) * size // cells)] = 1
        return found / found.sum(dim=1, keepdim=True)

    return torch.kron(along(rows), along(columns))
