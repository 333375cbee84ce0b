"""How good an average of k members is, for every k: the curve, where it tops out, and what the whole gains."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recipe.intervals import t_interval
from recipe.predict.average import as_outputs, average, item_losses
from recipe.record.ensemble import Size, SizeCurve
from recipe.record.interval import Interval

if TYPE_CHECKING:
    from recipe.tasks.task import Task

# Subsets of one size: all of them, or so many drawn with the seed.
_SUBSETS = 30


def measure_sizes(probabilities: Sequence[Tensor], targets: Tensor, task: Task, *, seed: int) -> SizeCurve:
    """probabilities: of each member, (N, ...). For one size, its mean over subsets of that size."""
    n = len(probabilities)
    sizes, losses = [], []
    for size in range(1, n + 1):
        averages = [average([probabilities[i] for i in subset]) for subset in _subsets(n, size, seed)]
        each = [item_losses(task, one, targets) for one in averages]
        headlines = [task.metrics(as_outputs(task, one), targets)[task.headline] for one in averages]
        losses.append(torch.stack(each).mean(dim=0))
        sizes.append(
            Size(
                size=size, subsets=len(averages), headline=_span(headlines), loss=_span([float(e.mean()) for e in each])
            )
        )
    whole = average(probabilities)
    outputs = as_outputs(task, whole)
    best = min(range(n), key=lambda i: float(item_losses(task, probabilities[i], targets).mean()))
    return SizeCurve(
        sizes=tuple(sizes),
        metric=task.headline,
        higher_is_better=task.higher_is_better,
        tops_out=_tops_out(losses),
        ensemble=task.interval(outputs, targets),
        loss=float(losses[-1].mean()),
        gain=headline_gain(task, outputs, as_outputs(task, probabilities[best]), targets),
        loss_gain=_mean(item_losses(task, probabilities[best], targets) - losses[-1]),
        last_gain=_mean(losses[-2] - losses[-1]) if n > 1 else None,
    )


def headline_gain(task: Task, outputs: Tensor, reference: Tensor, targets: Tensor) -> Interval:
    """Paired over items; positive is better. Of numbers the squared error is what is paired."""
    difference = task.per_item(outputs, targets) - task.per_item(reference, targets)
    is_headline = (
        abs(float(task.per_item(outputs, targets).mean()) - task.metrics(outputs, targets)[task.headline]) < 1e-6
    )
    return _mean(difference if is_headline and task.higher_is_better else -difference)


def _subsets(n: int, size: int, seed: int) -> list[tuple[int, ...]]:
    if math.comb(n, size) <= _SUBSETS:
        return list(combinations(range(n), size))
    draw = random.Random(seed * 1000 + size)
    return [tuple(sorted(draw.sample(range(n), size))) for _ in range(_SUBSETS)]


def _tops_out(losses: Sequence[Tensor]) -> int:
    """The smallest size from which more members bring less than one standard error over items."""
    for size, each in enumerate(losses[:-1], 1):
        rest = each - losses[-1]
        error = float(rest.std()) / math.sqrt(len(rest)) if len(rest) > 1 else math.inf
        if float(rest.mean()) <= error:
            return size
    return len(losses)


def _mean(values: Tensor) -> Interval:
    return t_interval(values.double().tolist())


def _span(values: Sequence[float]) -> Interval:
    """Mean, lowest and highest over subsets."""
    return Interval(sum(values) / len(values), min(values), max(values), len(values))
