"""What the nets are made of: activations and norm layers by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

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


class Branch(nn.Module):
    """Stands at the end of a residual branch. While training it leaves the branch out for a share `p` of the examples.

    Those that stay are scaled up, so that evaluation, which leaves nothing out, sees the same mean (Huang et al. 2016).
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """(B, …) → the same shape."""
        if not self.training or self.p == 0:
            return x
        kept = x.new_empty(len(x), *[1] * (x.ndim - 1)).bernoulli_(1 - self.p)
        return x * kept / (1 - self.p)
