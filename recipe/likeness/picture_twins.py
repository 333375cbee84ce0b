"""Near twins among small pictures: one shot cropped, moved, stretched, in another light, re-encoded or mirrored.

Candidates, by descriptors that such changes hardly move; then each candidate is laid over the other (`alignment`).
How far apart unrelated pictures are depends on where they lie: two trousers are more alike than two dogs. So a pair
counts when what differs is small beside what differs between either of the two and its tenth neighbours or so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.likeness.alignment import Placed, coarse, fine, halved
from recipe.likeness.descriptors import Projection, arrangement, described, enlarged, floats, spectrum
from recipe.likeness.neighbours import Found, nearest
from recipe.likeness.pairs import Pairs, no_pairs
from recipe.machine import ahead, one_thread

CHANCE = 0.02
"""Share of the volume around a picture, out to its tenth neighbour or so, within which the nearest counts as a twin."""
LEAST_NEAR = 0.1
FAR = 0.15
"""Largest difference of twins, however far the others are. How both were found: docs/decisions/009-near-twins.md."""
RANKS = (7, 10, 16)
"""Neighbours that stand for the others; the middle one counts, so up to nine twins do not hide it."""
COARSELY = 1.2
"""Of the usual difference around a pair, what its own may be at most to be looked at closely; both coarse."""
SYMMETRIC = 0.2
"""Correlation by which mirroring must change a pair as it lies; if less, both ways are tried."""
MOST_GROWTH = 5.0
"""The fine difference to others, at most, in units of the coarse one (99 % of Fashion-MNIST: 4.5, of CIFAR-10 2.1)."""
ZOOMS, ZOOMED = (1.06, 1.2), 4
SMALL = 20_000
"""Candidates that are looked at in any case."""
FEW = 4000
"""Pairs that are compared closely in any case."""
SAMPLE = 400
LEAST = 24
SIDE = 6
"""Pictures need as many pixels on either side."""


class Usual(NamedTuple):
    """How far pictures are from the others, over a sample. coarse: median; low, high: 5 % and 95 % of the fine ones.

    near: of the usual difference to others, what the difference between twins is at most.
    """

    coarse: float
    low: float
    high: float
    near: float


class Ranked(NamedTuple):
    """(M) pairs by one descriptor. codes: of the pairs. ratio: how near. first: whether none is nearer to the one."""

    codes: Tensor
    ratio: Tensor
    first: Tensor


def find_picture_twins(pictures: np.ndarray) -> Pairs:
    """Of uint8 pictures (N, C, h, w), all different. Pictures without structure have none."""
    if len(pictures) < LEAST or min(pictures.shape[2:]) < SIDE:
        return no_pairs()
    with one_thread():
        return _Search(pictures).twins()


def usual_difference(pictures: np.ndarray) -> float | None:
    """Median difference of two pictures drawn at random: about 1, and near 0 where all show the same. None: too few."""
    if len(pictures) < LEAST or min(pictures.shape[2:]) < SIDE:
        return None
    order = np.random.default_rng([SAMPLE, 0]).permutation(len(pictures))[: 2 * (min(len(pictures), SAMPLE) // 2)]
    a, b = (floats(pictures[part]) for part in np.split(order, 2))
    with one_thread():
        placed = coarse(halved(a), halved(b))
        return float((1 - fine(a, b, placed.placing).likeness).median())


class _Search:
    """One search. halves: of all pictures, for coarse comparisons. others: (N, 2, k) nearest by places, by waves."""

    def __init__(self, pictures: np.ndarray) -> None:
        self.pictures, self.n = pictures, len(pictures)
        self.halves = described(pictures, halved)
        tiny = F.adaptive_avg_pool2d(self.halves, (8, 8))
        tiny = tiny - tiny.mean(dim=(2, 3), keepdim=True)
        self.tiny = tiny / tiny.flatten(1).norm(dim=1).clamp(min=1e-6)[:, None, None, None]

    def twins(self) -> Pairs:
        first, second, mirrored = self._both_ways(*self._candidates())
        usual = self._usual()
        placed = self._compare_coarsely(first, second, mirrored)
        kept = self._may_be_close(first, second, 1 - placed.likeness, usual)
        first, second, mirrored = first[kept], second[kept], mirrored[kept]
        likeness = self._compare_finely(first, second, mirrored, placed.placing[kept])
        kept = self._are_close(first, second, 1 - likeness, usual)
        return _better_way(Pairs(*(part[kept].numpy() for part in (first, second, likeness, mirrored))))

    def _both_ways(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(first, second, whether the second is mirrored): twice where that is seen only once they lie right."""
        gain = self._gain_of_mirroring(first, second)
        twice = (gain.abs() <= SYMMETRIC).nonzero()[:, 0]
        again = torch.cat([torch.arange(len(first)), twice])
        mirrored = gain > SYMMETRIC
        return first[again], second[again], torch.cat([mirrored, torch.ones(len(twice), dtype=torch.bool)])

    def _candidates(self) -> tuple[Tensor, Tensor]:
        """Pairs by each of the descriptors, nearest first in units of how far the last neighbour is."""
        k = min(RANKS[-1], self.n - 1)
        places = described(self.pictures, arrangement)
        places = Projection(places)(places)
        by_places = nearest(places, places, k)
        waves = described(self.pictures, spectrum)
        project = Projection(waves)
        waves = project(waves)
        by_waves = nearest(waves, waves, k)
        # By either: where pictures show small things anywhere, those of one place are no likely twins.
        self.others = torch.stack([by_places.point, by_waves.point], dim=1)
        found = [_ranked(by_places, by_places), _ranked(by_waves, by_waves)]
        for times in ZOOMS:
            grey = partial(_enlarged_waves, times=times)
            found.append(_ranked(nearest(waves, project(described(self.pictures, grey)), ZOOMED), by_waves))
        code, which = torch.unique(torch.cat([one.codes for one in found]), return_inverse=True)
        ratios = torch.cat([one.ratio for one in found])
        ratio = torch.full((len(code),), torch.inf).scatter_reduce(0, which, ratios, "amin")
        # The nearest of each item by each, and of all as many as there are items; a small set can afford more.
        kept = torch.isin(code, torch.cat([one.codes[one.first] for one in found]))
        kept[ratio.argsort(stable=True)[: max(self.n, SMALL)]] = True
        return code[kept] // self.n, code[kept] % self.n

    def _usual(self) -> Usual:
        items = torch.from_numpy(np.unique(np.linspace(0, self.n - 1, SAMPLE).astype(int)))
        differences = self._differences(items)
        # Where distances grow slowly from neighbour to neighbour, that is in many dimensions, chance hardly ever makes
        # one much smaller than the others; where they grow fast it often does.
        middle = _middle(differences)
        growth = float((differences[..., -1] / differences[..., 0].clamp(min=1e-6)).clamp(min=1).log().mean())
        near = max(LEAST_NEAR, CHANCE ** (growth / float(sum(1 / k for k in range(RANKS[0], RANKS[-1])))))
        low, high = middle.quantile(torch.tensor([0.05, 0.95])).tolist()
        return Usual(float(_middle(self._differences(items, finely=False)).median()), low, high, near)

    def _differences(self, items: Tensor, *, finely: bool = True) -> Tensor:
        """(n, 2, ranks), rising: of each item and the neighbours, of either search, that stand for all others.

        Coarsely the middle one has to do.
        """
        ranks = torch.tensor([min(rank, self.others.shape[2]) - 1 for rank in (RANKS if finely else RANKS[1:2])])
        others = self.others[items][:, :, ranks]
        first, second = items[:, None, None].expand_as(others).reshape(-1), others.reshape(-1)
        known = second >= 0
        second = torch.where(known, second, (first + 1) % self.n)
        mirrored = self._gain_of_mirroring(first, second) > 0
        placed = self._compare_coarsely(first, second, mirrored)
        likeness = self._compare_finely(first, second, mirrored, placed.placing) if finely else placed.likeness
        return torch.where(known, 1 - likeness, 1.0).view(others.shape).sort(dim=2).values

    def _local(self, first: Tensor, second: Tensor, *, finely: bool) -> Tensor:
        """(n): the usual difference around either of two items, the smaller one."""
        items, place = torch.unique(torch.cat([first, second]), return_inverse=True)
        if not len(items):
            return torch.zeros(0)
        middle = _middle(self._differences(items, finely=finely))
        return middle[place].view(2, -1).amin(dim=0)

    def _may_be_close(self, first: Tensor, second: Tensor, difference: Tensor, usual: Usual) -> Tensor:
        """Which pairs (n indices) deserve the fine comparison."""
        kept = (difference <= min(2 * FAR, 0.8 * usual.coarse)).nonzero()[:, 0]
        # Where all are far from each other, those are few.
        if len(kept) <= max(self.n / 8, FEW) or 0.8 * usual.coarse >= 2 * FAR:
            return kept
        local = self._local(first[kept], second[kept], finely=False)
        return kept[difference[kept] <= COARSELY * local]

    def _are_close(self, first: Tensor, second: Tensor, difference: Tensor, usual: Usual) -> Tensor:
        """bool (n). Whoever is closer than nearly all others are to each other needs no closer look."""
        close = difference <= min(FAR, usual.near * usual.low)
        unsure = (~close & (difference <= min(FAR, usual.near * usual.high))).nonzero()[:, 0]
        rough = self._local(first[unsure], second[unsure], finely=False)
        unsure = unsure[difference[unsure] <= usual.near * MOST_GROWTH * rough]
        local = self._local(first[unsure], second[unsure], finely=True)
        close[unsure] = difference[unsure] <= usual.near * local
        return close

    def _gain_of_mirroring(self, first: Tensor, second: Tensor) -> Tensor:
        """(n): by how much the second is more like the first when mirrored, both as they lie."""

        def one(rows: Tensor) -> Tensor:
            a, b = self.tiny[first[rows]], self.tiny[second[rows]]
            gain: Tensor = (a * (b.flip(3) - b)).sum(dim=(1, 2, 3))
            return gain

        return _in_chunks(one, len(first), 8192)

    def _compare_coarsely(self, first: Tensor, second: Tensor, mirrored: Tensor) -> Placed:
        def one(rows: Tensor) -> Tensor:
            placed = coarse(self.halves[first[rows]], _turned(self.halves[second[rows]], mirrored[rows]))
            return torch.cat([placed.likeness[:, None], placed.placing], dim=1)

        told = _in_chunks(one, len(first), 2048, width=5)
        return Placed(told[:, 0], told[:, 1:])

    def _compare_finely(self, first: Tensor, second: Tensor, mirrored: Tensor, placing: Tensor) -> Tensor:
        def one(rows: Tensor) -> Tensor:
            a, b = (floats(self.pictures[part[rows].numpy()]) for part in (first, second))
            return fine(a, _turned(b, mirrored[rows]), placing[rows]).likeness

        return _in_chunks(one, len(first), 512)


def _better_way(pairs: Pairs) -> Pairs:
    """Each pair once: mirrored only where that is the more alike by more than rounding."""
    order = np.lexsort((pairs.mirrored, -np.round(pairs.likeness, 4), pairs.second, pairs.first))
    pairs = pairs.chosen(order)
    again = (pairs.first[1:] == pairs.first[:-1]) & (pairs.second[1:] == pairs.second[:-1])
    return pairs.chosen(np.concatenate([[True], ~again])) if len(order) else pairs


def _middle(differences: Tensor) -> Tensor:
    """(n) of (n, 2, ranks): the middle of each search, the smaller one."""
    smaller: Tensor = differences.median(dim=2).values.amin(dim=1)
    return smaller


def _ranked(found: Found, others: Found) -> Ranked:
    """Nearness in units of how far the last of the others is."""
    n, k = found.point.shape
    item = torch.arange(n)[:, None].expand(n, k)
    ratio = (1 - found.cosine) / (1 - others.cosine.amin(dim=1, keepdim=True)).clamp(min=1e-4)
    known = found.point >= 0
    low, high = torch.minimum(item, found.point), torch.maximum(item, found.point)
    return Ranked((low * n + high)[known], ratio[known], (torch.arange(k) == 0).expand(n, k)[known])


def _enlarged_waves(pictures: Tensor, times: float) -> Tensor:
    return spectrum(enlarged(pictures.mean(dim=1, keepdim=True), times))


def _turned(pictures: Tensor, mirrored: Tensor) -> Tensor:
    return torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)


def _in_chunks(work: Callable[[Tensor], Tensor], n: int, size: int, width: int = 0) -> Tensor:
    """`work` of the rows 0 … n - 1, chunk by chunk on all cores, joined."""
    if n == 0:
        return torch.zeros((0, width) if width else 0)
    return torch.cat(list(ahead(work, torch.split(torch.arange(n), size))))
