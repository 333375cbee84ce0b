"""The members of an ensemble beside each other: what each is worth, and on how much two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from recipe.predict.average import as_outputs, item_losses
from recipe.record.ensemble import Member, Members
from recipe.record.evidence import CannotMeasure
from recipe.record.trial import Outcome
from recipe.tasks.task import NUMBERS

if TYPE_CHECKING:
    from recipe.tasks.task import Task


class Said(NamedTuple):
    """What one member says of every item of a split: probabilities or values (N, ...), on the CPU."""

    outcome: Outcome
    source: str
    probabilities: Tensor
    name: str = ""


def compare_members(said: Sequence[Said], targets: Tensor, task: Task, lost: Sequence[str]) -> Members:
    """Raises CannotMeasure when no member was trained."""
    if not said:
        raise CannotMeasure(f"no member was trained: {lost[0] if lost else 'none was asked for'}")
    outputs = [as_outputs(task, one.probabilities) for one in said]
    pairs = [[(i, j) for j in range(len(said))] for i in range(len(said))]
    return Members(
        members=tuple(_member(one, output, targets, task) for one, output in zip(said, outputs, strict=True)),
        disagreement=tuple(tuple(_differ(task, outputs[i], outputs[j]) for i, j in row) for row in pairs),
        distance=tuple(
            tuple(float((said[i].probabilities - said[j].probabilities).abs().mean()) for i, j in row) for row in pairs
        ),
        metric=task.headline,
        higher_is_better=task.higher_is_better,
        items=len(targets),
        lost=tuple(lost),
    )


def _member(said: Said, outputs: Tensor, targets: Tensor, task: Task) -> Member:
    trial = said.outcome.trial
    return Member(
        name=said.name or trial.name,
        source=said.source,
        change=trial.change,
        seed=trial.seed,
        trial=trial.id,
        headline=task.interval(outputs, targets),
        loss=float(item_losses(task, said.probabilities, targets).mean()),
        parameters=said.outcome.parameters,
    )


def _differ(task: Task, one: Tensor, other: Tensor) -> float:
    """Share of items on which two say something else; of numbers, one minus their correlation."""
    a, b = task.predictions(one), task.predictions(other)
    if task.name not in NUMBERS:
        return float((a != b).reshape(len(a), -1).any(dim=1).double().mean())
    both = torch.stack([a.double().flatten(), b.double().flatten()])
    return 0.0 if torch.equal(a, b) else float((1 - both.corrcoef()[0, 1]).clamp(min=0).nan_to_num(1.0))
