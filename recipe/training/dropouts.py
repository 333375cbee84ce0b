"""Regularizers that live inside the model: dropout where the model has none, and a price on activations."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipe.record.refusal import Refusal

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
ACTIVATIONS = (
    nn.ReLU, nn.LeakyReLU, nn.ReLU6, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish,
    nn.Tanh, nn.Sigmoid, nn.Hardtanh, nn.Hardsigmoid, nn.Softplus, nn.Softsign, nn.PReLU,
)  # fmt: skip


class InputDropout:
    """A forward-pre-hook that drops (whole channels of) a layer's input while its layer trains."""

    def __init__(self, p: float, channels: bool = False) -> None:
        self.p, self.channels = p, channels

    def __call__(self, module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The layer's arguments, the first of them thinned out."""
        drop = F.dropout2d if self.channels else F.dropout
        return (drop(args[0], self.p, module.training), *args[1:])


def apply_dropout(model: nn.Module, p: float) -> None:
    """Sets the model's own Dropout modules to p; without any, thins the inputs of all Linear layers but a first one."""
    _apply(model, p, nn.Dropout, (nn.Linear,), "dropout")


def apply_dropout2d(model: nn.Module, p: float) -> None:
    """The same for whole channels before every Conv2d layer but a first one."""
    _apply(model, p, nn.Dropout2d, (nn.Conv2d,), "dropout2d")


def dropout_places(model: nn.Module, kinds: tuple[type[nn.Module], ...] = (nn.Linear,)) -> list[nn.Module]:
    """Layers of these kinds that are not the model's first layer."""
    return [layer for layer in dense_layers(model)[1:] if isinstance(layer, kinds)]


def dense_layers(model: nn.Module) -> list[nn.Module]:
    """Linear layers and convolutions, in the model's order."""
    return [m for m in model.modules() if isinstance(m, (nn.Linear, *_CONVOLUTIONS))]


def _apply(model: nn.Module, p: float, own: type[Any], kinds: tuple[type[nn.Module], ...], key: str) -> None:
    modules = [m for m in model.modules() if isinstance(m, own)]
    for module in modules:
        module.p = p
    places = [] if modules else dropout_places(model, kinds)
    for layer in places:
        layer.register_forward_pre_hook(InputDropout(p, channels=key == "dropout2d"))
    if not modules and not places:
        raise Refusal(
            "the model has no layer to put it before", where=f"regularizers.{key}", fix=f"regularizers.{key}=null"
        )


def apply_dropconnect(model: nn.Module, p: float) -> None:
    """Makes every Linear layer but a first one leave out a share p of its weights at each step (Wan et al. 2013)."""
    places = [layer for layer in dropout_places(model) if type(layer) is nn.Linear]
    if not places:
        raise Refusal(
            "the model has no layer whose weights could be left out",
            where="regularizers.dropconnect",
            fix="regularizers.dropconnect=null",
        )
    for layer in places:
        # The class alone changes: parameters keep their names, so that weights load into the plain model.
        layer.__class__ = DropConnect
        layer.left_out = p  # type: ignore[assignment]


class SameSteps:
    """A forward-pre-hook that leaves out the same units of a sequence at every step, while its layer trains."""

    def __init__(self, p: float) -> None:
        self.p = p

    def __call__(self, module: nn.RNNBase, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The layer's arguments, the first of them thinned out: (B, T, F), (T, B, F), (T, F) or packed."""
        x = args[0]
        if not module.training:
            return args
        if isinstance(x, nn.utils.rnn.PackedSequence):
            # Rows of a packed batch are sorted by step, and within a step by sequence.
            sequence = torch.cat([torch.arange(int(size)) for size in x.batch_sizes]).to(x.data.device)
            kept = F.dropout(torch.ones(int(x.batch_sizes[0]), x.data.shape[1], device=x.data.device), self.p)
            return (x._replace(data=x.data * kept[sequence]), *args[1:])
        time = 0 if x.ndim == 2 or not module.batch_first else 1
        return (x * F.dropout(torch.ones_like(x.select(time, 0)), self.p).unsqueeze(time), *args[1:])


def apply_variational_dropout(model: nn.Module, p: float) -> None:
    """Thins what each recurrent layer reads, the same at every step (Gal and Ghahramani 2016; not within the cell)."""
    layers = recurrent_layers(model)
    if not layers:
        raise Refusal(
            "the model has no recurrent layer",
            where="regularizers.variational_dropout",
            fix="regularizers.variational_dropout=null, or model=gru",
        )
    for layer in layers:
        layer.register_forward_pre_hook(SameSteps(p))


def recurrent_layers(model: nn.Module) -> list[nn.RNNBase]:
    """GRU, LSTM and RNN layers, in the model's order."""
    return [m for m in model.modules() if isinstance(m, nn.RNNBase)]


class DropConnect(nn.Linear):
    """A Linear layer that draws anew at each step which of its weights are there."""

    left_out: float

    def forward(self, input: Tensor) -> Tensor:
        """As nn.Linear; in evaluation with all weights, which is the mean over what may be left out."""
        return F.linear(input, F.dropout(self.weight, self.left_out, self.training), self.bias)


def apply_stochastic_depth(model: nn.Module, p: float) -> None:
    """Leaves residual branches out, the first hardly ever and the last with share p: linear, as Huang et al. 2016.

    Finds recipe's own branches, torchvision's StochasticDepth and timm's DropPath.
    """
    branches = branches_of(model)
    if not branches:
        raise Refusal(
            "the model has no residual branch that could be left out",
            where="regularizers.stochastic_depth",
            fix="regularizers.stochastic_depth=null, or model=resnet",
        )
    for place, (module, name) in enumerate(branches, 1):
        setattr(module, name, p * place / len(branches))


def branches_of(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """What stands at the end of residual branches, in order, and the attribute that holds the share to leave out."""
    return [(m, BRANCHES[type(m).__name__]) for m in model.modules() if type(m).__name__ in BRANCHES]


BRANCHES = {"Branch": "p", "StochasticDepth": "p", "DropPath": "drop_prob"}
"""Classes that leave a residual branch out, and the attribute that holds its share."""


class ActivationPenalty:
    """Adds up mean |activation| over the hidden layers of each forward pass."""

    def __init__(self, model: nn.Module) -> None:
        self._terms: list[Tensor] = []
        layers: list[nn.Module] = [m for m in model.modules() if isinstance(m, ACTIVATIONS)]
        if not layers:
            layers = dense_layers(model)[:-1]
        if not layers:
            raise Refusal(
                "the model has no hidden activations",
                where="regularizers.activation_l1",
                fix="regularizers.activation_l1=null",
            )
        self._hooks = [layer.register_forward_hook(self._hear) for layer in layers]

    def collect(self) -> Tensor:
        """The sum since the last call; scalar."""
        total = torch.stack(self._terms).sum()
        self._terms.clear()
        return total

    def close(self) -> None:
        """Stops listening."""
        for hook in self._hooks:
            hook.remove()

    def _hear(self, module: nn.Module, _: tuple[Any, ...], output: Tensor) -> None:
        if module.training:
            self._terms.append(output.abs().mean())
