"""What the nets are made of: activations and norm layers by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation_of(name: str) -> nn.Module:
    """A fresh activation. Raises ValueError with the names there are."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r} is none of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


def norm_of(name: str | None, channels: int, *, dimensions: int) -> nn.Module | None:
    """A norm layer over `channels` for inputs (B, C) (dimensions 1) or (B, C, H, W) (dimensions 2), or None."""
    if name is None:
        return None
    if name == "batch":
        return nn.BatchNorm1d(channels) if dimensions == 1 else nn.BatchNorm2d(channels)
    if name == "group":
        return nn.GroupNorm(next(g for g in (8, 4, 2, 1) if channels % g == 0), channels)
    if name == "layer":
        return nn.LayerNorm(channels) if dimensions == 1 else nn.GroupNorm(1, channels)
    raise ValueError(f"norm {name!r} is none of batch, group, layer")
