"""Pictures and series as grids of equal size, and the simple probe that questions about them are put to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.data.scan import THUMB, Scan
from recipe.exam import Exam, hold
from recipe.patch_features import learn_filters, responses
from recipe.record.evidence import CannotMeasure
from recipe.tree import leaves

TRAIN, VAL = 2500, 2000
"""Items that take part. Their differences are then known to a point or two of accuracy."""
NUMBERS = 4_000_000
"""Pixels of all of these pictures together, at most: larger pictures take part in smaller numbers."""
FILTERS = 96
"""Patches of one size; fewer where there are few items to fit them on."""


@dataclass(eq=False)
class Desk:
    """What the questions are asked on: pictures (n, C, H, W), each channel with mean 0 and deviation 1.

    seen: responses of train and val by patch size, as they are needed more than once. sheets: marks by way.
    """

    scan: Scan
    exam: Exam
    train: Tensor
    val: Tensor
    seed: int
    series: bool
    seen: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    sheets: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def side(self) -> int:
        """Length by which patches are measured: the shorter side of a picture, the length of a series."""
        return int(self.train.shape[3] if self.series else min(self.train.shape[2:]))

    @property
    def grid(self) -> int:
        """Parts a side in which responses are averaged; a series has one side only."""
        return 4 if self.series else 2

    @property
    def usual(self) -> int:
        """The patch size of questions about something else: about a quarter of the side, half of that in colour."""
        size = int(2 ** int(np.log2(max(1.0, self.side / 3.5))))
        return size // 2 if self.train.shape[1] >= 3 and size >= 4 else size

    @property
    def filters(self) -> int:
        """Patches of one size."""
        return int(min(FILTERS, max(16, len(self.train) // 24)))

    def look(self, size: int) -> tuple[Tensor, Tensor]:
        """(n, 2, cells, filters) responses of train and val to patches of that size."""
        if size not in self.seen:
            self.seen[size] = self.responses(self.train, self.val, size)
        return self.seen[size]

    def responses(self, train: Tensor, val: Tensor, size: int, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Responses of other pictures than the desk's, with filters of their own."""
        filters = learn_filters(train, size, count or self.filters, np.random.default_rng([self.seed, 37, size]))
        return responses(train, filters, self.grid), responses(val, filters, self.grid)

    def sit(self, name: str, seen: tuple[Tensor, Tensor]) -> np.ndarray:
        """Marks of the linear model on these responses; kept by name, for the question of labels."""
        self.sheets[name] = self.exam.ridge(*(part.flatten(1) for part in seen))
        return self.sheets[name]

    def usual_marks(self) -> np.ndarray:
        """Marks with patches of the usual size, each part of the picture for itself."""
        name = f"{self.usual} placed"
        return self.sheets[name] if name in self.sheets else self.sit(name, self.look(self.usual))

    def again(self, exam: Exam, kept: np.ndarray) -> np.ndarray:
        """Marks of the usual probe when it has learnt from some of the items only."""
        seen, others = self.look(self.usual)
        part = exam.part(kept, np.arange(len(exam.val)))
        return part.ridge(seen[torch.from_numpy(np.flatnonzero(kept))].flatten(1), others.flatten(1))


def open_desk(scan: Scan, seed: int) -> Desk:
    """Items of train and val, drawn with the seed. CannotMeasure where inputs are no grids, or too few."""
    data, train = scan.data, scan.splits["train"]
    series = data.kind == "series"
    if data.kind != "image" and not (series and len(train.shape) == 2):
        raise CannotMeasure("the inputs are neither pictures nor series")
    numbers = int(np.prod(train.pictures.shape[2:])) if train.pictures is not None else int(max(train.shape))
    room = min(1.0, NUMBERS / (numbers * (TRAIN + VAL)))
    exam = hold(scan, seed=seed, train=int(room * TRAIN), val=int(room * VAL))
    first, second = levelled(*(shown(scan, n, rows, THUMB) for n, rows in (("train", exam.train), ("val", exam.val))))
    return Desk(scan, exam, first, second, seed, series)


def shown(scan: Scan, name: str, rows: np.ndarray, side: int) -> Tensor:
    """float32 (n, C, H, W) of some items: the small pictures of the scan, or the items read again, areas averaged."""
    one = scan.splits[name]
    if one.pictures is not None and side <= THUMB:
        return torch.from_numpy(one.pictures[rows]).float()
    parts = []
    for start in range(0, len(rows), 128):
        raw = next(leaves(one.split.sample(one.positions[rows[start : start + 128]])))
        x = raw.to(torch.float32).nan_to_num()
        if scan.data.kind == "series":
            x = (x if x.shape[2] >= x.shape[1] else x.transpose(1, 2))[:, :, None]
        elif x.ndim == 3:
            x = x[:, None]
        elif x.shape[3] in (1, 3, 4) and x.shape[1] not in (1, 3, 4):
            x = x.movedim(3, 1)
        parts.append(x if scan.data.kind == "series" else resized(x, side / max(x.shape[2:])))
    return torch.cat(parts)


def levelled(train: Tensor, val: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the mean and deviation of train's channels."""
    mean, deviation = train.mean(dim=(0, 2, 3), keepdim=True), train.std(dim=(0, 2, 3), keepdim=True)
    deviation = torch.where(deviation > 0, deviation, 1.0)
    return (train - mean) / deviation, (val - mean) / deviation


def resized(x: Tensor, times: float) -> Tensor:
    """Areas averaged to `times` the sides; pictures are never enlarged, and a side of one stays."""
    height, width = (max(1, round(side * times)) for side in x.shape[2:])
    return x if times >= 1 else F.adaptive_avg_pool2d(x, (height, width))
