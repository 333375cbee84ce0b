"""Near twins among rows of numbers: one measurement repeated with a little noise, closer than density explains.

How close the nearest row is by chance depends on how densely rows lie and in how many dimensions, so a pair counts
when its squared distance is small beside that to the tenth neighbour or so of either row.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recipe.likeness.neighbours import EXACT, nearest
from recipe.likeness.pairs import Pairs, no_pairs
from recipe.machine import one_thread

CHANCE, MOST_NEAR = 5e-4, 0.5
"""The share of the volume out to the tenth neighbour within which the nearest counts as a twin. In clouds without any,
half a percent of the rows have one at most; of five noisy variants of each of the digits, nine tenths are found."""
RANKS = (7, 10, 16)
LEAST_ROWS, LEAST_COLUMNS = 40, 4
FAR = 5.0
"""Deviations beyond which a number is taken as that: one extreme value is no direction of its own."""
SAME_UNITS = 5.0
"""Largest deviation of a column over the median one, up to which all columns are in one unit, as pixels are."""


def find_row_twins(rows: np.ndarray, *, one_unit: bool) -> Pairs:
    """Of float rows (N, D), all different. one_unit: columns may be of one kind; then they keep their proportions."""
    x = _scaled(rows.astype(np.float64), one_unit)
    if len(x) < LEAST_ROWS or x.shape[1] < LEAST_COLUMNS:
        return no_pairs()
    with one_thread():
        return _twins(torch.from_numpy(x).float())


def _scaled(x: np.ndarray, one_unit: bool) -> np.ndarray:
    """Columns without spread go; the others are about 0, with deviations of 1, or of 1 in the middle."""
    x = np.nan_to_num(x, posinf=0.0, neginf=0.0)
    spread = x.std(axis=0)
    x, spread = x[:, spread > 0], spread[spread > 0]
    if not len(spread):
        return x
    typical = np.median(spread)
    if one_unit and spread.max() <= SAME_UNITS * typical:
        spread = np.full_like(spread, typical)
    return np.asarray(((x - x.mean(axis=0)) / spread).clip(-FAR, FAR))


def _twins(x: Tensor) -> Pairs:
    n = len(x)
    point = _neighbours(x, min(RANKS[-1], n - 1))
    known = point >= 0
    squared = torch.cat([((x[a][:, None] - x[b]) ** 2).sum(dim=2) for a, b in _parts(point)])
    squared = torch.where(known, squared, torch.inf)
    squared, order = squared.sort(dim=1)
    point = point.gather(1, order)
    ranked = squared[:, [min(rank, squared.shape[1]) - 1 for rank in RANKS]]
    near = _near(ranked)
    item = torch.arange(n)[:, None].expand_as(point)
    local = torch.minimum(ranked[:, 1][item], ranked[:, 1][point.clamp(min=0)])
    close = (squared <= near * local) & (point >= 0)
    low, high = torch.minimum(item, point)[close], torch.maximum(item, point)[close]
    code, where = torch.unique(low * n + high, return_inverse=True)
    likeness = torch.zeros(len(code)).scatter_reduce(0, where, 1 - (squared / local)[close], "amax")
    first, second = (code // n).numpy(), (code % n).numpy()
    return Pairs(first, second, likeness.numpy(), np.zeros(len(first), dtype=bool))


def _near(ranked: Tensor) -> float:
    """Of the usual squared distance, what that of twins is at most."""
    sound = ranked[(ranked[:, 0] > 0) & ranked.isfinite().all(dim=1)]
    if not len(sound):
        return 0.0
    growth = float((sound[:, 2] / sound[:, 0]).log().mean())
    steps = float(sum(1 / k for k in range(RANKS[0], RANKS[-1])))
    return min(MOST_NEAR, float(CHANCE ** (growth / steps)))


def _neighbours(x: Tensor, k: int) -> Tensor:
    """int64 (N, k): by distance up to EXACT rows; beyond, by the angle seen from far outside, nearly the same."""
    if len(x) <= EXACT:
        found = []
        for rows in torch.split(torch.arange(len(x)), 1024):
            distance = torch.cdist(x[rows], x, compute_mode="donot_use_mm_for_euclid_dist")
            distance[torch.arange(len(rows)), rows] = torch.inf
            found.append(distance.topk(k, dim=1, largest=False).indices)
        return torch.cat(found)
    length = x.norm(dim=1)
    reach = 2 * length.max()
    lifted = torch.cat([x, (reach**2 - length**2).sqrt()[:, None]], dim=1) / reach
    lifted = lifted - lifted.mean(dim=0)
    lifted = lifted / lifted.norm(dim=1, keepdim=True).clamp(min=1e-12)
    return nearest(lifted, lifted, k).point


def _parts(point: Tensor) -> list[tuple[Tensor, Tensor]]:
    items = torch.arange(len(point))
    return list(zip(torch.split(items, 2048), torch.split(point.clamp(min=0), 2048), strict=True))
