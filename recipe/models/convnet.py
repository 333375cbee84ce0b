"""A plain ConvNet for small pictures: blocks of two convolutions and a pooling, then one hidden layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recipe.models.block import activation_of, norm_of


class ConvNet(nn.Module):
    """Inputs (B, C, H, W) → raw outputs (B, num_outputs).

    `depth` blocks; block i has `convolutions` 3×3 convolutions of channels·2^i and halves the picture. head: "dense"
    (a hidden layer of `width` units on all positions) or "pool" (mean over the positions).
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        channels: int = 32,
        depth: int = 2,
        convolutions: int = 1,
        width: int = 128,
        head: str = "dense",
        activation: str = "relu",
        norm: str | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(input_shape) != 3:
            raise ValueError(f"a ConvNet needs pictures of shape (C, H, W), not {tuple(input_shape)}")
        if head not in ("dense", "pool"):
            raise ValueError(f"head {head!r} is none of dense, pool")
        size, blocks = input_shape[0], []
        for level in range(depth):
            for _ in range(convolutions):
                blocks += _convolution(size, channels * 2**level, activation, norm)
                size = channels * 2**level
            blocks.append(nn.MaxPool2d(2, ceil_mode=True))
        self.body = nn.Sequential(*blocks)
        if head == "pool":
            self.neck: nn.Module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        else:
            with torch.no_grad():
                flat = self.body.eval()(torch.zeros(1, *input_shape)).numel()
            self.body.train()
            self.neck = nn.Sequential(nn.Flatten(), nn.Linear(flat, width), activation_of(activation))
            size = width
        if dropout:
            self.neck.append(nn.Dropout(dropout))
        self.head = nn.Linear(size, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        return self.head(self.neck(self.body(x)))  # type: ignore[no-any-return]


def _convolution(inputs: int, outputs: int, activation: str, norm: str | None) -> list[nn.Module]:
    normed = norm_of(norm, outputs, dimensions=2)
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=normed is None)]
    return [*layers, *([normed] if normed is not None else []), activation_of(activation)]
