"""What simple models say of every item of every split, learnt from one split at a time. Test is never learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from recipe.data.scan import Scan, SplitScan
from recipe.machine import one_thread
from recipe.out_of_sample.floor import Floor, fit_floor
from recipe.out_of_sample.folds import folds_of
from recipe.out_of_sample.simple import Learnt, Said, say
from recipe.record.evidence import CannotMeasure

LEAST = 60
"""Items below which nothing is learnt."""
MOST = 60_000
"""Items that are learnt from; all are told."""
FITTED = 6_000_000
"""Items times classes from which probabilities are fitted."""
MANY = 20_000


@dataclass(frozen=True, eq=False)
class Told:
    """By models learnt from `source`. rows: {split: which of its readable items}; labels: {split: int64 (n)}.

    scores: {split: of each model float64 (n, K), about one in size}; for numbers (n, 1), in the targets' units.
    """

    source: str
    models: tuple[tuple[str, str], ...]
    rows: dict[str, np.ndarray]
    labels: dict[str, Tensor]
    scores: dict[str, list[Tensor]]

    @cached_property
    def floor(self) -> Floor:
        """Probabilities and the share of wrong labels, fitted to the source's own items, told out of sample."""
        scores, labels = self.fitted
        with one_thread():
            return fit_floor(scores, labels)

    @property
    def fitted(self) -> tuple[list[Tensor], Tensor]:
        """Scores and labels of the source that are fitted: all, or as many as there is time for."""
        scores, labels = self.scores[self.source], self.labels[self.source]
        most = max(5000, FITTED // scores[0].shape[1])
        if len(labels) <= most:
            return scores, labels
        chosen = np.sort(np.random.default_rng([5, len(labels)]).permutation(len(labels))[:most])
        return [one[chosen] for one in scores], labels[chosen]


class Predictions:
    """Everything that is learnt, when the first probe asks for it."""

    def __init__(self, scan: Scan, *, seed: int) -> None:
        self.scan, self.seed = scan, seed
        self._told: dict[str, Told] = {}

    @property
    def numbers(self) -> bool:
        """Whether targets are numbers. CannotMeasure where they are several an item."""
        if self.scan.data.without_label:
            raise CannotMeasure(self.scan.data.without_label)
        if self.scan.data.train.targets.ndim > 1:
            raise CannotMeasure("several targets an item: which of them is wrong is not looked at yet")
        return not self.scan.data.labelled

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.scan.data.classes or ("0", "1")

    def of(self, source: str) -> Told:
        """What models learnt from `source` say of it (in folds) and, when it is train, of the other splits.

        CannotMeasure when there is too little to learn from.
        """
        if source == "test":
            raise ValueError("test is never learnt from")
        if source not in self._told:
            with one_thread():
                self._told[source] = self._learn(source)
        return self._told[source]

    def _learn(self, source: str) -> Told:
        splits, numbers = self.scan.splits, self.numbers
        learnt = splits[source]
        rows = {name: _usable(one) for name, one in splits.items() if source == "train" or name == source}
        _refuse_little(learnt, rows[source], source, None if numbers else learnt.targets)
        generator = np.random.default_rng([self.seed, 13])
        chosen = np.sort(generator.permutation(len(rows[source]))[:MOST])
        own = rows[source][chosen]
        rest = np.setdiff1d(rows[source], own)
        values = learnt.targets[own]
        few = self.scan.data.kind in ("table", "text") and len(own) > MANY
        folds = folds_of(_strata(values, numbers), _together(learnt, own), 3 if few else 5, self.seed)
        order = np.argsort(folds, kind="stable")
        targets, centre, scale = _coded(values[order], None if numbers else len(self.classes))
        task = Learnt(
            split=learnt,
            rows=own[order],
            ends=np.cumsum(np.bincount(folds)).tolist(),
            targets=targets,
            labels=None if numbers else values[order].astype(np.int64),
        )
        others = {name: r for name, r in rows.items() if name != source}
        said = say(task, [(learnt, rest), *((splits[n], r) for n, r in others.items())], self.scan.data.kind, self.seed)
        back = np.argsort(np.concatenate([own[order], rest]), kind="stable")
        rows[source] = np.concatenate([own[order], rest])[back]
        units = [(centre, scale)] * len(said) if numbers else [_units(one) for one in said]
        scores = {source: [_ready(torch.cat([s.own, s.others[0]])[back], u) for s, u in zip(said, units, strict=True)]}
        for k, name in enumerate(others):
            scores[name] = [_ready(s.others[k + 1], u) for s, u in zip(said, units, strict=True)]
        labels = {name: torch.from_numpy(splits[name].targets[r]) for name, r in rows.items()}
        if not numbers:
            labels = {name: one.to(torch.int64) for name, one in labels.items()}
        return Told(source, tuple((s.name, s.about) for s in said), rows, labels, scores)


def _usable(split: SplitScan) -> np.ndarray:
    """Items that show something."""
    return np.flatnonzero(~split.blank)


def _refuse_little(split: SplitScan, rows: np.ndarray, name: str, labels: np.ndarray | None) -> None:
    if len(rows) < LEAST:
        raise CannotMeasure(f"{len(rows)} items of {name} are too few to learn from")
    different = len(np.unique(split.contents[rows]))
    if different < max(20, len(rows) // 10):
        raise CannotMeasure(f"{name} has only {different:,} different items")
    if labels is not None:
        count = np.bincount(labels[rows].astype(np.int64))
        count = count[count > 0]
        if len(count) < 2 or np.median(count) < 5:
            raise CannotMeasure(f"{name} has too few items of a class to learn from")


def _strata(values: np.ndarray, numbers: bool) -> np.ndarray:
    if not numbers:
        return values.astype(np.int64)
    edges = np.quantile(values, np.linspace(0, 1, 11)[1:-1])
    return np.searchsorted(edges, values)


def _together(split: SplitScan, rows: np.ndarray) -> np.ndarray:
    """What must share a fold: items of a group where there are groups, else copies."""
    if split.split.groups is not None:
        return np.unique(split.split.groups[split.positions[rows]].astype(str), return_inverse=True)[1]
    return np.unique(split.contents[rows], return_inverse=True)[1]


def _coded(values: np.ndarray, classes: int | None) -> tuple[Tensor, float, float]:
    """float32 (N, K) with one 1 a row; or numbers (N, 1) with mean 0 and deviation 1, that mean and that deviation."""
    if classes is not None:
        return torch.eye(classes)[torch.from_numpy(values.astype(np.int64))], 0.0, 1.0
    centre, scale = float(values.mean()), float(values.std()) or 1.0
    return torch.from_numpy(((values - centre) / scale).astype(np.float32))[:, None], centre, scale


def _units(said: Said) -> tuple[float, float]:
    """What brings a model's scores to a size of about one, row by row without their mean."""
    own = said.own.to(torch.float64)
    return 0.0, 1 / max(1e-9, float((own - own.mean(dim=1, keepdim=True)).std()))


def _ready(scores: Tensor, unit: tuple[float, float]) -> Tensor:
    wide = scores.to(torch.float64)
    if wide.shape[1] > 1:
        wide = wide - wide.mean(dim=1, keepdim=True)
    return unit[0] + unit[1] * wide


def weighted(scores: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """The sum of the models' scores."""
    return torch.stack([w * one for w, one in zip(weights, scores, strict=True)]).sum(dim=0)
