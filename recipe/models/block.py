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


# What may stand between layers. Gates are of the second kind: see `_is_gate`.
_OPEN = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.GELU,
    nn.SiLU,
    nn.Hardswish,
    nn.Softplus,
)
_CLOSED = (nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardsigmoid, nn.Softsign)


def replace_activations(model: nn.Module, name: str) -> int:
    """Puts a fresh `name` in the place of each hidden activation module, whoever wrote the model; returns how many.

    Hidden are those before the last layer that has weights. Activations that `forward` calls as functions stay.
    """
    named = list(model.named_modules())
    last = max((place for place, (_, module) in enumerate(named) if _is_weighted(module)), default=0)
    opened = any(isinstance(module, _OPEN) for _, module in named)
    found = [
        path
        for path, module in named[:last]
        if isinstance(module, _OPEN) or (isinstance(module, _CLOSED) and not (opened and _is_gate(model, path)))
    ]
    for path in found:
        parent, _, child = path.rpartition(".")
        setattr(model.get_submodule(parent), child, activation_of(name))
    return len(found)


def _is_gate(model: nn.Module, path: str) -> bool:
    """A sigmoid beside other activations may be a gate, unless layers with weights follow it in the same sequence."""
    parent, _, child = path.rpartition(".")
    above = model.get_submodule(parent)
    after = list(above.children())[int(child) + 1 :] if isinstance(above, nn.Sequential) and child.isdigit() else []
    return not any(_is_weighted(module) for follower in after for module in follower.modules())


def _is_weighted(module: nn.Module) -> bool:
    return any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))


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


class Skip(nn.Sequential):
    """Layers beside a shortcut: their output is added to what they read, so that a deep stack passes gradients on."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers, Branch())

    def forward(self, x: Tensor) -> Tensor:
        """(B, …) → the same shape."""
        inner = x
        for layer in self:
            inner = layer(inner)
        return x + inner
