"""A multi-layer perceptron on the flattened input."""

from __future__ import annotations

import math

from torch import Tensor, nn

from recipe.models.block import activation_of, norm_of


class MLP(nn.Module):
    """Inputs (B, *input_shape) → raw outputs (B, num_outputs), through `depth` hidden layers of `width` units."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        width: int = 256,
        depth: int = 2,
        activation: str = "relu",
        norm: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        size = math.prod(input_shape)
        for _ in range(depth):
            normed = norm_of(norm, width, dimensions=1)
            # A bias right before a norm layer is subtracted again by it.
            layers += [nn.Linear(size, width, bias=normed is None)]
            layers += [normed] if normed is not None else []
            layers += [activation_of(activation)]
            layers += [nn.Dropout(dropout)] if dropout else []
            size = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(size, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(self.body(x))  # type: ignore[no-any-return]
