"""The model that every other one has to beat: one linear layer on the flattened input."""

from __future__ import annotations

import math

from torch import Tensor, nn


class Linear(nn.Module):
    """Inputs (B, *input_shape) → raw outputs (B, num_outputs)."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        self.head = nn.Linear(math.prod(input_shape), num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(x.flatten(1))  # type: ignore[no-any-return]
