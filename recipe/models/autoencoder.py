"""Autoencoders: through a narrow code and back, by dense layers or by convolutions."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from recipe.models.block import activation_of, norm_of


class Autoencoder(nn.Module):
    """Inputs (B, *input_shape) → outputs of the same shape, through a code of `code` numbers.

    `depth` hidden layers of `width` units before the code, and as many after it. sparse: so many of the code's numbers
    are kept for each item (k-sparse, Makhzani and Frey 2014); regularizers.activation_l1 puts a price on them instead.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        code: int = 16,
        width: int = 128,
        depth: int = 1,
        activation: str = "relu",
        dropout: float = 0.0,
        sparse: int | None = None,
    ) -> None:
        super().__init__()
        size = math.prod(input_shape)
        self.shape = tuple(input_shape)
        self.encoder = nn.Sequential(nn.Flatten(), *_dense([size, *[width] * depth], activation, dropout))
        self.code = nn.Linear(width if depth else size, code)
        self.few = Sparse(sparse) if sparse else nn.Identity()
        self.decoder = nn.Sequential(*_dense([code, *[width] * depth], activation, dropout))
        self.head = nn.Linear(width if depth else code, size)

    def forward(self, x: Tensor) -> Tensor:
        """The inputs again."""
        return self.head(self.decoder(self.few(self.code(self.encoder(x))))).view(-1, *self.shape)  # type: ignore[no-any-return]


class ConvAutoencoder(nn.Module):
    """Pictures (B, C, H, W) → the same: `depth` convolutions that halve them, a code of `code` numbers, and back."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        code: int = 16,
        channels: int = 16,
        depth: int = 2,
        activation: str = "relu",
        norm: str | None = None,
        sparse: int | None = None,
    ) -> None:
        super().__init__()
        if len(input_shape) != 3:
            raise ValueError(f"pictures have the shape (C, H, W), not {tuple(input_shape)}")
        sizes, widths = [tuple(input_shape[1:])], [input_shape[0]]
        down: list[nn.Module] = []
        for level in range(depth):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
            widths.append(channels * 2**level)
            down += _convolution(widths[-2], widths[-1], 2, activation, norm)
        flat = widths[-1] * math.prod(sizes[-1])
        self.encoder = nn.Sequential(
            *down, nn.Flatten(), nn.Linear(flat, code), Sparse(sparse) if sparse else nn.Identity()
        )
        self.grow = nn.Sequential(nn.Linear(code, flat), nn.Unflatten(1, (widths[-1], *sizes[-1])))
        up: list[nn.Module] = [activation_of(activation)]
        for level in reversed(range(depth)):
            up.append(nn.Upsample(size=sizes[level]))
            if level:
                up += _convolution(widths[level + 1], widths[level], 1, activation, norm)
        self.decoder = nn.Sequential(*up)
        self.head = nn.Conv2d(widths[1] if depth else widths[0], input_shape[0], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The inputs again."""
        return self.head(self.decoder(self.grow(self.encoder(x))))  # type: ignore[no-any-return]


class Sparse(nn.Module):
    """Keeps the `k` largest numbers of each item, by size, and sets the others to 0; in evaluation too."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        """(B, code) → the same."""
        kept = x.abs().topk(min(self.k, x.shape[-1]), dim=-1).indices
        return torch.zeros_like(x).scatter(-1, kept, x.gather(-1, kept))


def _dense(sizes: list[int], activation: str, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), activation_of(activation)]
        layers += [nn.Dropout(dropout)] if dropout else []
    return layers


def _convolution(inputs: int, outputs: int, stride: int, activation: str, norm: str | None) -> list[nn.Module]:
    normed = norm_of(norm, outputs, dimensions=2)
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=normed is None)]
    return [*layers, *([normed] if normed is not None else []), activation_of(activation)]
