"""Several nets as one: the mean of their probabilities (or values), as outputs of the same form as one net's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from recipe.tasks.task import Task

# The smallest probability: its log is finite in float32.
_TINY = 1e-30
_CLASSES = ("classification", "language_model")
_YES_NO = ("binary", "multilabel")


def average(probabilities: Sequence[Tensor]) -> Tensor:
    """The mean over members of (N, ...) each, summed in float64 so that the order of members does not matter much."""
    return torch.stack([p.to(torch.float64) for p in probabilities]).mean(dim=0).to(torch.float32)


def as_outputs(task: Task, probabilities: Tensor) -> Tensor:
    """Raw outputs whose probabilities these are: what the task's metrics read."""
    if task.name in _CLASSES:
        return probabilities.clamp(min=_TINY).log()
    if task.name in _YES_NO:
        p = probabilities.to(torch.float64)
        return (p.clamp(min=_TINY).log() - (1 - p).clamp(min=_TINY).log()).to(torch.float32)
    return probabilities


def item_losses(task: Task, probabilities: Tensor, targets: Tensor) -> Tensor:
    """(N,) float64: negative log likelihood of classes, squared error of numbers; whatever loss training used."""
    p = probabilities.to(torch.float64)
    if task.name in _CLASSES:
        return (
            F.nll_loss(p.clamp(min=_TINY).log().movedim(-1, 1), targets, reduction="none").reshape(len(p), -1).mean(1)
        )
    if task.name in _YES_NO:
        wrong = torch.where(targets == 1, p, 1 - p)
        return -wrong.clamp(min=_TINY).log().reshape(len(p), -1).mean(1)
    return ((p - targets) ** 2).reshape(len(p), -1).mean(1)
