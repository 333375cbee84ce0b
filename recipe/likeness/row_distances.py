"""Rows of numbers on one scale, and the distances to their nearest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recipe.likeness.neighbours import EXACT, nearest

FAR = 5.0
"""Deviations beyond which a number is taken as that: one extreme value is no direction of its own."""
SAME_UNITS = 5.0
"""Largest deviation of a column over the median one, up to which all columns are in one unit, as pixels are."""


class Near(NamedTuple):
    """squared: (N, k) distances, rising; point: int64 (N, k), whose. Where there are fewer: infinite, and -1."""

    squared: Tensor
    point: Tensor


def scaled(rows: np.ndarray, *, one_unit: bool) -> Tensor:
    """float32 (N, D of those that vary), columns about 0 with deviations of 1.

    one_unit: where columns may be of one kind they keep their proportions: a pixel that hardly varies says little.
    """
    x = np.nan_to_num(rows.astype(np.float64), posinf=0.0, neginf=0.0)
    spread = x.std(axis=0)
    x, spread = x[:, spread > 0], spread[spread > 0]
    if not len(spread):
        return torch.zeros(len(x), 0)
    typical = np.median(spread)
    if one_unit and spread.max() <= SAME_UNITS * typical:
        spread = np.full_like(spread, typical)
    return torch.from_numpy(((x - x.mean(axis=0)) / spread).clip(-FAR, FAR)).float()


def near_rows(x: Tensor, k: int) -> Near:
    """The k nearest of each row: exact up to EXACT rows, beyond by regions (`neighbours`)."""
    point = _exactly(x, k) if len(x) <= EXACT else _by_angle(x, k)
    squared = [
        ((x[rows][:, None] - x[some.clamp(min=0)]) ** 2).sum(dim=2).masked_fill(some < 0, torch.inf)
        for rows, some in zip(torch.split(torch.arange(len(x)), 512), torch.split(point, 512), strict=True)
    ]
    ordered, place = torch.cat(squared).sort(dim=1)
    return Near(ordered, point.gather(1, place))


def _exactly(x: Tensor, k: int) -> Tensor:
    found = []
    for rows in torch.split(torch.arange(len(x)), 1024):
        distance = torch.cdist(x[rows], x)
        distance[torch.arange(len(rows)), rows] = torch.inf
        found.append(distance.topk(k, dim=1, largest=False).indices)
    return torch.cat(found)


def _by_angle(x: Tensor, k: int) -> Tensor:
    """Lifted onto a sphere in a dimension more, the smallest angle is nearly the smallest distance."""
    length = x.norm(dim=1)
    reach = 2 * length.max()
    lifted = torch.cat([x, (reach**2 - length**2).sqrt()[:, None]], dim=1) / reach
    return nearest(lifted, lifted, k).point
