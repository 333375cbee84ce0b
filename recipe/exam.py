"""The same items and the same simple probe, shown the inputs in one way and in another: marks are paired by item.

Probes learn from items of train and are marked on items of val; test has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.data.scan import Scan
from recipe.intervals import of_items, paired
from recipe.record.evidence import CannotMeasure
from recipe.record.questions import Way

PENALTIES = (1e-1, 1e-2, 1e-3)
"""Of the squared weights, in shares of the number of items; the best on a fifth of the training items is taken."""
UNEVEN = 0.8
"""Share of one class above which each class counts alike: accuracy would not see the others."""
FEWEST = 20
MOST = 64
"""Numbers or labels of one item."""


@dataclass(frozen=True, eq=False)
class Exam:
    """train, val: which readable items of the scan take part, in random order. learnt: (n, K) what the probe fits.

    asked: (m) classes, or (m, K) numbers or labels. weight: (n) and scale: (m) let each class count alike.
    metric: accuracy, balanced accuracy, labels right, or r2. chance: what a guess without inputs gets.
    """

    train: np.ndarray
    val: np.ndarray
    learnt: Tensor
    asked: Tensor
    weight: Tensor
    scale: Tensor
    metric: str
    chance: float

    def ridge(self, x: Tensor, others: Tensor) -> np.ndarray:
        """Marks of a linear model on rows x (n, D) of the train items and others (m, D) of the val items."""
        return self.marks(self.fit(x, others)[0])

    def fit(self, x: Tensor, *others: Tensor) -> list[Tensor]:
        """What a linear model with a squared penalty, fitted on x (n, D), says of each of the others (., D)."""
        mean, deviation = x.mean(dim=0), x.std(dim=0)
        deviation = torch.where(deviation > 1e-6 * deviation.max().clamp(min=1e-12), deviation, torch.inf)
        rows, known = (x - mean) / deviation * self.weight[:, None], self.learnt * self.weight[:, None]
        share = (self.weight**2).mean()
        centre = (known * self.weight[:, None]).mean(dim=0) / share
        known = known - centre * self.weight[:, None]
        cut = int(0.8 * len(rows))
        parts = [_products(rows[part], known[part]) for part in (slice(0, cut), slice(cut, None))]
        held = (x[cut:] - mean) / deviation
        best = max(PENALTIES, key=lambda p: self._trial(parts[0], p * cut, held, centre, cut))
        weights = _solve(parts[0][0] + parts[1][0], parts[0][1] + parts[1][1], best * len(rows))
        return [((other - mean) / deviation) @ weights + centre for other in others]

    def marks(self, said: Tensor) -> np.ndarray:
        """One number an item of val, whose mean is the metric. said: (m, K) scores or numbers, or (m) classes."""
        if self.metric == "r2":
            return np.asarray(_explained(said.reshape(self.asked.shape), self.asked).numpy())
        if self.metric == "labels right":
            return np.asarray(((said > 0.5) == (self.asked > 0.5)).double().mean(dim=1).numpy())
        chosen = said.argmax(dim=1) if said.ndim == 2 else said
        return np.asarray(((chosen == self.asked).double() * self.scale).numpy())

    def way(self, name: str, marks: np.ndarray, beside: np.ndarray, at: float = 0.0) -> Way:
        """A way of looking with its score and, item by item, its difference to another."""
        change = paired(marks.tolist(), beside.tolist())
        return Way(name=name, at=float(at), score=of_items(marks.tolist()), change=change)

    def part(self, kept: np.ndarray, scored: np.ndarray) -> Exam:
        """The same with some of the train and of the val items. kept, scored: bool or positions in them."""
        return Exam(
            train=self.train[kept], val=self.val[scored], learnt=self.learnt[kept], asked=self.asked[scored],
            weight=self.weight[kept], scale=self.scale[scored], metric=self.metric, chance=self.chance,
        )  # fmt: skip

    def _trial(self, products: tuple[Tensor, Tensor], penalty: float, held: Tensor, centre: Tensor, cut: int) -> float:
        said, known = held @ _solve(*products, penalty) + centre, self.learnt[cut:]
        if self.metric == "r2":
            return float(_explained(said, known).mean())
        if self.metric == "labels right":
            return float(((said > 0.5) == (known > 0.5)).double().mean())
        right = said.argmax(dim=1) == known.argmax(dim=1)
        return float((right * self.weight[cut:] ** 2).double().mean())


def hold(scan: Scan, *, seed: int, train: int, val: int) -> Exam:
    """Up to so many items of train and val, drawn with the seed. CannotMeasure when there are too few to tell."""
    splits = scan.splits
    rows = {}
    for number, (name, most) in enumerate((("train", train), ("val", val))):
        sound = np.flatnonzero(splits[name].finite)
        rows[name] = np.random.default_rng([seed, 31, number]).permutation(sound)[:most]
        if len(rows[name]) < FEWEST:
            raise CannotMeasure(f"{len(rows[name])} items of {name} are too few to tell ways of looking apart")
    known, asked = (torch.from_numpy(splits[name].targets[rows[name]]) for name in ("train", "val"))
    plain = {"train": rows["train"], "val": rows["val"], "weight": torch.ones(len(known))}
    if scan.data.labelled:
        return _of_classes(plain, known.long(), asked.long())
    if known.ndim > 1 and (not known.is_floating_point() or known[0].numel() > MOST):
        raise CannotMeasure("targets are neither a class nor a few numbers or labels")
    known, asked = (t.float().reshape(len(t), -1) for t in (known, asked))
    scale = torch.ones(len(asked), dtype=torch.float64)
    if set(torch.unique(known).tolist()) <= {0.0, 1.0}:
        usual = float(((known.mean(dim=0) > 0.5) == (asked > 0.5)).double().mean())
        return Exam(**plain, learnt=known, asked=asked, scale=scale, metric="labels right", chance=usual)  # type: ignore[arg-type]
    varies = (known.std(dim=0) > 0) & (asked.std(dim=0) > 0)
    if not bool(varies.any()):
        raise CannotMeasure("every item has the same target")
    known, asked = known[:, varies], asked[:, varies]
    return Exam(**plain, learnt=known, asked=asked, scale=scale, metric="r2", chance=0.0)  # type: ignore[arg-type]


def _of_classes(plain: dict[str, object], known: Tensor, asked: Tensor) -> Exam:
    kinds = int(max(known.max(), asked.max())) + 1
    count = torch.bincount(known, minlength=kinds)
    if int((count > 0).sum()) < 2:
        raise CannotMeasure("all items are of one class")
    learnt, scale = F.one_hot(known, kinds).float(), torch.ones(len(asked), dtype=torch.float64)
    chance = float((asked == count.argmax()).double().mean())
    metric, weight = "accuracy", torch.ones(len(known))
    if float(count.max()) > UNEVEN * len(known):
        there = torch.bincount(asked, minlength=kinds)
        scale = (len(asked) / (int((there > 0).sum()) * there.clamp(min=1)))[asked].double()
        weight = (len(known) / (int((count > 0).sum()) * count.clamp(min=1)))[known].sqrt().float()
        metric, chance = "balanced accuracy", 1 / int((there > 0).sum())
    return Exam(**plain | {"weight": weight}, learnt=learnt, asked=asked, scale=scale, metric=metric, chance=chance)  # type: ignore[arg-type]


def halved(length: int, least: int, most: int = 6) -> Sequence[int]:
    """A length, half of it, half of that … down to `least`, each once."""
    found = [length]
    while len(found) < most and (after := max(least, (found[-1] + 1) // 2)) < found[-1]:
        found.append(after)
    return found


def _products(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return (x.T @ x).double(), (x.T @ y).double()


def _solve(gram: Tensor, moments: Tensor, penalty: float) -> Tensor:
    ready = gram + penalty * torch.eye(len(gram), dtype=torch.float64)
    return torch.cholesky_solve(moments, torch.linalg.cholesky(ready)).float()


def _explained(said: Tensor, asked: Tensor) -> Tensor:
    """(m) 1 - squared error / variance, averaged over several numbers: its mean is r2."""
    squares = (said.double() - asked.double()) ** 2 / asked.double().var(dim=0, correction=0).clamp(min=1e-30)
    return 1 - squares.mean(dim=1)
