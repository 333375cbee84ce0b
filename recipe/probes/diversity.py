"""Why the average of these members gains: how much they differ, and what each is worth to the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recipe.intervals import t_interval
from recipe.predict.average import average, item_losses
from recipe.record.ensemble import Diversity
from recipe.record.evidence import CannotMeasure

if TYPE_CHECKING:
    from recipe.tasks.task import Task


def measure_diversity(names: Sequence[str], probabilities: Sequence[Tensor], targets: Tensor, task: Task) -> Diversity:
    """names, probabilities: of all members, (N, ...) each. Raises CannotMeasure for a single one."""
    if len(names) < 2:
        raise CannotMeasure("one member has nobody to differ from")
    each = torch.stack([item_losses(task, p, targets) for p in probabilities])
    whole = item_losses(task, average(probabilities), targets)
    worth = []
    for i in range(len(names)):
        others = [p for j, p in enumerate(probabilities) if j != i]
        worth.append(t_interval((item_losses(task, average(others), targets) - whole).tolist()))
    return Diversity(
        members=tuple(names),
        mean_loss=float(each.mean()),
        ensemble_loss=float(whole.mean()),
        ambiguity=t_interval((each.mean(0) - whole).tolist()),
        worth=tuple(worth),
    )
