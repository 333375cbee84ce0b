"""Random patches as features of pictures: one layer of a ConvNet whose filters nobody trains (Coates & Ng 2011).

A linear model on them is near to a small trained ConvNet at a thousandth of its cost, and says what it was shown:
patches of one size, averaged over the whole picture or over each of its quarters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

DRAWN = 6000
"""Patches from which the whitening is estimated, and the filters are taken."""
COMPONENTS = 40
"""Principal components of patches that are kept: more of them are noise in large patches."""
DETAIL = 8
"""Numbers a side of a patch; larger patches are seen in less detail, as wide receptive fields mostly are."""
SHRINK = 0.25
"""What a filter's response must exceed to count, in deviations (soft threshold)."""
CHUNK = 4
"""Pictures at once: their responses then stay in the processor's cache."""


@dataclass(frozen=True)
class Filters:
    """weight: (numbers of a patch, count), bias: (count). height, width: of a patch. reduced: pictures, beforehand."""

    weight: Tensor
    bias: Tensor
    height: int
    width: int
    reduced: int


def learn_filters(pictures: Tensor, size: int, count: int, generator: np.random.Generator) -> Filters:
    """`count` patches of `size` pixels a side, drawn from pictures (N, C, H, W), whitened, of unit length.

    No labels are looked at. A size beyond a side of the pictures means that whole side.
    """
    reduced = max(1, -(-size // DETAIL))
    small = _reduce(pictures, reduced)
    height, width = (min(max(1, round(size / reduced)), side) for side in small.shape[2:])
    drawn = _draw(small, height, width, DRAWN, generator)
    mean = drawn.mean(dim=0)
    centred = drawn - mean
    values, vectors = torch.linalg.eigh((centred.T @ centred).double() / len(drawn))
    values, vectors = values.flip(0)[:COMPONENTS].clamp(min=0), vectors.flip(1)[:, :COMPONENTS]
    whiten = (vectors * (values + 0.01 * values.mean() + 1e-12).rsqrt()).float()
    white = centred @ whiten
    length = white.norm(dim=1)
    # Flat patches, of which some pictures have many, point nowhere.
    told = torch.from_numpy(generator.permutation(int((length > 0.1 * length.mean()).sum())))
    kept = (length > 0.1 * length.mean()).nonzero()[:, 0]
    chosen = kept[told].repeat(-(-count // max(1, len(kept))))[:count] if len(kept) else torch.zeros(count).long()
    weight = whiten @ (white[chosen] / length[chosen, None].clamp(min=1e-6)).T
    # Half the way to another patch's response: filters of one direction then differ in where they begin to count.
    other = _draw(small, height, width, count, generator) - mean
    bias = -(mean @ weight) - 0.5 * (other * weight.T).sum(dim=1)
    return Filters(weight.contiguous(), bias, height, width, reduced)


def responses(pictures: Tensor, filters: Filters, grid: int = 2) -> Tensor:
    """float32 (N, 2, cells, count): mean response, and mean size of it, in each of grid × grid parts of the picture."""
    small = _reduce(pictures, filters.reduced)
    rows, columns = small.shape[2] - filters.height + 1, small.shape[3] - filters.width + 1
    pool = torch.kron(_parts(rows, grid), _parts(columns, grid))
    found = torch.empty(len(small), 2, len(pool), filters.weight.shape[1])
    for start in range(0, len(small), CHUNK):
        part = slice(start, start + CHUNK)
        seen = _windows(small[part], filters.height, filters.width)
        heard = F.softshrink(torch.addmm(filters.bias, seen, filters.weight), SHRINK)
        heard = heard.view(-1, rows * columns, heard.shape[1])
        found[part, 0] = torch.matmul(pool, heard)
        found[part, 1] = torch.matmul(pool, heard.abs_())
    return found


def _reduce(pictures: Tensor, times: int) -> Tensor:
    if times == 1:
        return pictures
    height, width = (max(1, round(side / times)) for side in pictures.shape[2:])
    return F.adaptive_avg_pool2d(pictures, (height, width))


def _windows(pictures: Tensor, height: int, width: int) -> Tensor:
    """All patches as rows: (N · places, C · height · width)."""
    found = pictures.unfold(2, height, 1).unfold(3, width, 1).permute(0, 2, 3, 1, 4, 5)
    return found.reshape(-1, pictures.shape[1] * height * width)


def _draw(pictures: Tensor, height: int, width: int, count: int, generator: np.random.Generator) -> Tensor:
    """(count, numbers of a patch) from random places of random pictures."""
    top = generator.integers(0, pictures.shape[2] - height + 1, count)
    left = generator.integers(0, pictures.shape[3] - width + 1, count)
    which = generator.integers(0, len(pictures), count)
    places = pictures.unfold(2, height, 1).unfold(3, width, 1)
    return places[which, :, top, left].reshape(count, -1)


def _parts(length: int, grid: int) -> Tensor:
    """(parts, length): weights that average over runs of about equal length."""
    parts = min(grid, length)
    weights = torch.zeros(parts, length)
    for k in range(parts):
        start, end = round(k * length / parts), round((k + 1) * length / parts)
        weights[k, start:end] = 1 / (end - start)
    return weights
