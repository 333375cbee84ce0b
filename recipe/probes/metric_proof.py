"""What any metric must do, tried on outputs whose quality is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from recipe.probes.probe import spread
from recipe.record.said import said
from recipe.record.skeleton import Form, MetricProof, Metrics
from recipe.tasks.task import Task, distinct

Metric = Callable[[Tensor, Tensor], Any]


def prove_metrics(
    task: Task, metrics: Mapping[str, Metric], targets: Tensor, form: Form = "scores", *, items: int = 240
) -> Metrics:
    """The task's own headline and the user's metrics, each from perfect to wrong outputs."""
    targets = spread(targets, items)
    # an order of its own: that of `spread` takes turns over the classes
    targets = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))]

    def headline(outputs: Tensor, true: Tensor) -> float:
        return task.metrics(outputs, true)[task.headline]

    own = _prove(task.headline, headline, task, targets, "scores")
    return Metrics(proofs=(own, *(_prove(name, metric, task, targets, form) for name, metric in metrics.items())))


def _prove(name: str, metric: Metric, task: Task, targets: Tensor, form: Form) -> MetricProof:
    errors: list[str] = []

    def value(outputs: Tensor, true: Tensor) -> float:
        try:
            return float(metric(outputs, true))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            errors.append(said(error, kind=False))
            return math.nan

    perfect, wrong = task.outputs_for(targets, 8.0, form), task.outputs_for(targets, -8.0, form)
    half = perfect.clone()
    half[::2] = wrong[::2]
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(1))
    shifted = torch.roll(torch.arange(len(targets)), 1)
    unit, cycle = _each_class_once(targets)
    return MetricProof(
        name=name,
        perfect=value(perfect, targets),
        half=value(half, targets),
        shuffled=value(perfect[shifted], targets),
        constant=value(perfect[:1].expand_as(perfect).clone(), targets),
        wrong=value(wrong, targets),
        reordered=value(half[order], targets[order]),
        unit=math.nan if unit is None else value(task.outputs_for(unit, 8.0, form), unit),
        cycle=math.nan if cycle is None else value(task.outputs_for(cycle, 8.0, form), cycle),
        error=errors[0] if errors else "",
    )


def _each_class_once(targets: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """Targets 0…K-1 in order and moved on by one; None where targets are no class indices or there are two."""
    if targets.is_floating_point() or targets.ndim != 1 or int(targets.max()) < 2:
        return None, None
    if len(distinct(targets)) != int(targets.max()) + 1:
        return None, None
    order = torch.arange(int(targets.max()) + 1)
    return order, torch.roll(order, 1)
