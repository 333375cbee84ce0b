"""Several nets as one: the mean of their probabilities (or values), as outputs of the same form as one net's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from recipe.tasks.task import Task

# The smallest probability: its log is finite in float32.
_TINY = 1e-30
_CLASSES = ("classification", "language_model")
_YES_NO = ("binary", "multilabel")


def average(probabilities: Sequence[Tensor], weights: Sequence[float] | None = None) -> Tensor:
    """The mean over members of (N, ...) each, summed in float64 so that the order of members does not matter much.

    weights: of the members, equal without; they need not add up to one.
    """
    stacked = torch.stack([p.to(torch.float64) for p in probabilities])
    if weights is None:
        return stacked.mean(dim=0).to(torch.float32)
    shares = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    joined: Tensor = torch.tensordot(shares, stacked, dims=1)
    return joined.to(torch.float32)


def has_probabilities(task: Task) -> bool:
    """Whether the task's outputs are scores of classes, which a temperature can soften."""
    return task.name in _CLASSES + _YES_NO


def tempered(task: Task, probabilities: Tensor, temperature: float) -> Tensor:
    """Probabilities whose scores are divided by the temperature: above 1 less sure, below 1 surer; 1 changes no bit."""
    if temperature == 1.0 or not has_probabilities(task):
        return probabilities
    return task.probabilities(as_outputs(task, probabilities) / temperature)


def as_outputs(task: Task, probabilities: Tensor) -> Tensor:
    """Raw outputs whose probabilities these are: what the task's metrics read."""
    if task.name in _CLASSES:
        return probabilities.clamp(min=_TINY).log()
    if task.name in _YES_NO:
        p = probabilities.to(torch.float64)
        return (p.clamp(min=_TINY).log() - (1 - p).clamp(min=_TINY).log()).to(torch.float32)
    return probabilities


def item_losses(task: Task, probabilities: Tensor, targets: Tensor) -> Tensor:
    """(N,) float64: negative log likelihood of classes, squared error of numbers; whatever loss training used.

    Of texts for a language model it is what each costs beyond the mean token (`per_item`): their mean is nats a token.
    """
    p = probabilities.to(torch.float64)
    if task.name == "language_model":
        return task.per_item(as_outputs(task, probabilities), targets)
    if task.name == "classification":
        return -p.clamp(min=_TINY).log().gather(1, targets[:, None]).squeeze(1)
    if task.name in _YES_NO:
        wrong = torch.where(targets == 1, p, 1 - p)
        return -wrong.clamp(min=_TINY).log().reshape(len(p), -1).mean(1)
    return ((p - targets) ** 2).reshape(len(p), -1).mean(1)
