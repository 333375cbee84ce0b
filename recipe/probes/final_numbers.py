"""The final numbers: the ensemble and its best single member on the split that is reported, beside validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from recipe.predict.average import as_outputs, item_losses
from recipe.record.ensemble import TestResult

if TYPE_CHECKING:
    from recipe.tasks.task import Task


class Scored(NamedTuple):
    """Of one split: what the ensemble and its best member say (N, ...), and the truth."""

    split: str
    ensemble: Tensor
    single: Tensor
    targets: Tensor


def final_numbers(
    final: Scored, val: Scored, task: Task, openings: int, metrics: Mapping[str, Callable[[Tensor, Tensor], Any]]
) -> TestResult:
    """metrics: the user's own, measured on the ensemble's outputs."""
    outputs = as_outputs(task, final.ensemble)
    numbers = {"loss": float(item_losses(task, final.ensemble, final.targets).mean())}
    numbers |= task.metrics(outputs, final.targets)
    numbers |= {name: float(metric(outputs, final.targets)) for name, metric in metrics.items()}
    return TestResult(
        split=final.split,
        metric=task.headline,
        higher_is_better=task.higher_is_better,
        items=len(final.targets),
        val_items=len(val.targets),
        single=task.interval(as_outputs(task, final.single), final.targets),
        ensemble=task.interval(outputs, final.targets),
        single_val=task.interval(as_outputs(task, val.single), val.targets),
        ensemble_val=task.interval(as_outputs(task, val.ensemble), val.targets),
        metrics=numbers,
        openings=openings,
    )
