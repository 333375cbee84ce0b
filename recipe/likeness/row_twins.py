"""Near twins among rows of continuous numbers: much nearer to each other than to the rest around them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from recipe.likeness.pairs import Pairs, no_pairs

OTHERS = 12
"""The neighbour that stands for the others: with fewer twins than that it is none."""
CHANCE = 1e-4
"""How often chance alone may bring a neighbour so near, in as many dimensions as the rows have around a point."""
MOST_NEAR = 0.35
LEAST = 50
ROWS = 1024


def find_row_twins(rows: np.ndarray) -> Pairs:
    """Of float32 rows (N, D), all different, columns of one scale."""
    if len(rows) < LEAST:
        return no_pairs()
    points = torch.from_numpy(rows)
    distance, index = _nearest(points)
    others = distance[:, -1].clamp(min=1e-12)
    near = min(MOST_NEAR, CHANCE ** (1 / _dimensions(distance)))
    which = (distance < near * others[:, None]).nonzero()
    first, second = which[:, 0], index[which[:, 0], which[:, 1]]
    # Both must see it so: at the edge of a cloud a point is near to one that has many nearer.
    both = distance[which[:, 0], which[:, 1]] < near * others[second]
    pairs = torch.stack([torch.minimum(first, second), torch.maximum(first, second)])[:, both]
    if not pairs.shape[1]:
        return no_pairs()
    unique = torch.unique(pairs, dim=1)
    apart = (points[unique[0]] - points[unique[1]]).norm(dim=1) / others[unique[0]]
    first, second = unique.numpy()
    return Pairs(first, second, (1 - apart).numpy().astype(np.float32), np.zeros(len(first), dtype=bool))


def _nearest(points: Tensor) -> tuple[Tensor, Tensor]:
    """(distances (N, OTHERS), positions) of the nearest others."""
    distances, positions = [], []
    for start in range(0, len(points), ROWS):
        apart = torch.cdist(points[start : start + ROWS], points)
        own = torch.arange(len(apart))
        apart[own, own + start] = torch.inf
        found = apart.topk(OTHERS, largest=False)
        distances.append(found.values)
        positions.append(found.indices)
    return torch.cat(distances), torch.cat(positions)


def _dimensions(distance: Tensor) -> float:
    """How many there are around a point, by how distances grow with the neighbour (Levina and Bickel 2004)."""
    last = distance[:, -1:].clamp(min=1e-12)
    # The farther half of the neighbours, which a few twins do not touch.
    growth = (last / distance[:, OTHERS // 2 : -1].clamp(min=1e-12)).clamp(min=1 + 1e-6).log()
    expected = sum(math.log(OTHERS / k) for k in range(OTHERS // 2 + 1, OTHERS)) / (OTHERS - 1 - OTHERS // 2)
    return max(1.0, expected / max(1e-6, float(growth.mean())))
