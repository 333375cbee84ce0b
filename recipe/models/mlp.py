"""A multi-layer perceptron on the flattened input."""

from __future__ import annotations

import math

from torch import Tensor, nn

from recipe.models.block import Skip, activation_of, norm_of


class MLP(nn.Module):
    """Inputs (B, *input_shape) → raw outputs (B, num_outputs), through `depth` hidden layers of `width` units.

    skip: each hidden layer after the first is added to what it reads.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        width: int = 256,
        depth: int = 2,
        activation: str = "relu",
        norm: str | None = None,
        skip: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        size = math.prod(input_shape)
        for _ in range(depth):
            normed = norm_of(norm, width, dimensions=1)
            # A bias right before a norm layer is subtracted again by it.
            layer: list[nn.Module] = [nn.Linear(size, width, bias=normed is None)]
            layer += [normed] if normed is not None else []
            layer += [activation_of(activation)]
            layer += [nn.Dropout(dropout)] if dropout else []
            layers += [Skip(*layer)] if skip and size == width and len(layers) > 1 else layer
            size = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(size, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(self.body(x))  # type: ignore[no-any-return]
