"""What a whole run leaves behind."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from recipe.record.history import History
from recipe.training.evaluate import Evaluation


class Trained(NamedTuple):
    """A whole run: the model with the weights that were kept, and what they reach. evaluations: by split."""

    model: nn.Module
    history: History
    metrics: dict[str, dict[str, float]]
    evaluations: dict[str, Evaluation]
    steps: int
    parameters: int
