"""Maxout: units that are the largest of several linear maps, and so learn their activation (Goodfellow et al. 2013)."""

from __future__ import annotations

import math

from torch import Tensor, nn


class Maxout(nn.Module):
    """(B, inputs) → (B, units): each unit the largest of `pieces` linear maps of its input."""

    def __init__(self, inputs: int, units: int, pieces: int) -> None:
        super().__init__()
        if pieces < 2:
            raise ValueError(f"the largest of {pieces} is no choice: model.pieces=2 or more")
        self.units, self.pieces = units, pieces
        self.maps = nn.Linear(inputs, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """The largest piece of each unit."""
        return self.maps(x).view(-1, self.units, self.pieces).amax(dim=2)  # type: ignore[no-any-return]


class MaxoutNet(nn.Module):
    """Inputs (B, *input_shape) → raw outputs (B, num_outputs), through `depth` layers of `width` maxout units."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        width: int = 128,
        depth: int = 2,
        pieces: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = [math.prod(input_shape), *[width] * depth]
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs in sizes[:-1]:
            layers += [Maxout(inputs, width, pieces)]
            layers += [nn.Dropout(dropout)] if dropout else []
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(self.body(x))  # type: ignore[no-any-return]
