"""Near twins among rows of numbers: one measurement repeated with a little noise, closer than density explains.

How close the nearest row is by chance depends on how densely rows lie and in how many dimensions. A pair counts when
its squared distance is small beside that to the tenth neighbour or so of either row; and where most rows have the same
number of near ones and then a gap, all pairs on this side of the gap do.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recipe.likeness.pairs import Pairs, no_pairs
from recipe.likeness.row_distances import Near, near_rows, scaled
from recipe.machine import one_thread

CHANCE, MOST_NEAR = 5e-4, 0.5
"""The share of the volume out to the tenth neighbour within which the nearest counts as a twin. In clouds without any,
half a percent of the rows have one at most; of five noisy variants of each of the digits, nine tenths are found."""
RANKS = (7, 10, 16)
LEAST_ROWS, LEAST_COLUMNS = 40, 4
STEP = 2.0
"""By chance k log(d[k+1] / d[k]) is the same for all k (Rényi 1953). Its median for one k over the median of these is
1.0 to 1.4 on 17 sets without variants; three to ten noisy variants of each digit make it 7 to 70."""


def find_row_twins(rows: np.ndarray, *, one_unit: bool, by_density: bool = True) -> Pairs:
    """Of float rows (N, D), all different. one_unit: columns may be of one kind; then they keep their proportions.

    by_density: else only gaps that most rows have count.
    """
    with one_thread():
        x = scaled(rows, one_unit=one_unit)
        if len(x) < LEAST_ROWS or x.shape[1] < LEAST_COLUMNS:
            return no_pairs()
        near = near_rows(x, RANKS[-1])
        local = near.squared[:, RANKS[1] - 1]
        limit = _dense(near) * local if by_density else torch.zeros(len(x))
        variants = variants_of(near.squared)
        if variants:
            ends = near.squared[:, variants - 1 : variants + 1]
            limit = torch.maximum(limit, ends.log().mean(dim=1).exp())
        return _within(near, limit, local)


def variants_of(squared: Tensor) -> int:
    """After how many neighbours most rows have a gap; 0: there is no such step. squared: (N, k), rising."""
    ratio = (squared[:, 1:] / squared[:, :-1].clamp(min=1e-12)).clamp(min=1).log()
    steps = (ratio * torch.arange(1, squared.shape[1])).median(dim=0).values
    usual = float(steps.median())
    return int(steps.argmax()) + 1 if usual > 0 and float(steps.max()) >= STEP * usual else 0


def _within(near: Near, limit: Tensor, local: Tensor) -> Pairs:
    """Pairs that are close enough for both; likeness: by how much nearer than their surroundings."""
    item = torch.arange(len(near.point))[:, None].expand_as(near.point)
    other = near.point.clamp(min=0)
    close = (near.squared <= torch.minimum(limit[item], limit[other])) & (near.point >= 0)
    low, high = torch.minimum(item, other)[close], torch.maximum(item, other)[close]
    code, where = torch.unique(low * len(near.point) + high, return_inverse=True)
    beside = (near.squared / torch.minimum(local[item], local[other]).clamp(min=1e-12))[close]
    likeness = torch.zeros(len(code)).scatter_reduce(0, where, 1 - beside, "amax")
    first, second = (code // len(near.point)).numpy(), (code % len(near.point)).numpy()
    return Pairs(first, second, likeness.numpy(), np.zeros(len(first), dtype=bool))


def _dense(near: Near) -> float:
    """Of the usual squared distance, what that of twins is at most, by how fast distances grow from there on."""
    ranked = near.squared[:, [rank - 1 for rank in RANKS]]
    sound = ranked[(ranked[:, 0] > 0) & ranked.isfinite().all(dim=1)]
    if not len(sound):
        return 0.0
    growth = float((sound[:, 2] / sound[:, 0]).log().mean())
    steps = float(sum(1 / k for k in range(RANKS[0], RANKS[-1])))
    return min(MOST_NEAR, float(CHANCE ** (growth / steps)))
