"""Listens to a forward pass: spread of every layer's output, silent and saturated units of every activation.

Activations are heard whether they are modules (nn.ReLU) or functions called in `forward` (F.relu): the latter through
torch's function mode, and named after the layer before them, as in "conv1.relu".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from recipe.training.dropouts import ACTIVATIONS

EDGE = 0.01
"""A bounded activation within this share of its range from an end counts as saturated."""
EXACT = 1 << 16
"""Outputs of more numbers are summed in one pass, which resolves deviations down to a thousandth of the mean."""
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_FEATURES_LAST = (nn.Linear, nn.LayerNorm, nn.Embedding, nn.MultiheadAttention, nn.RNNBase)
SILENT = (nn.ReLU, nn.ReLU6, nn.Hardswish)
"""Activations whose output and slope are exactly zero for a unit that is off: only those units can die."""
BOUNDED: dict[type[nn.Module], tuple[float, float]] = {
    nn.Tanh: (-1.0, 1.0), nn.Hardtanh: (-1.0, 1.0), nn.Sigmoid: (0.0, 1.0), nn.Hardsigmoid: (0.0, 1.0),
}  # fmt: skip
_FUNCTIONS: dict[Callable[..., Any], type[nn.Module]] = {
    F.relu: nn.ReLU, torch.relu: nn.ReLU, torch.relu_: nn.ReLU, Tensor.relu: nn.ReLU, Tensor.relu_: nn.ReLU,
    F.relu6: nn.ReLU6, F.leaky_relu: nn.LeakyReLU, F.elu: nn.ELU, F.selu: nn.SELU, F.gelu: nn.GELU, F.silu: nn.SiLU,
    F.tanh: nn.Tanh, torch.tanh: nn.Tanh, Tensor.tanh: nn.Tanh,
    F.sigmoid: nn.Sigmoid, torch.sigmoid: nn.Sigmoid, Tensor.sigmoid: nn.Sigmoid,
}  # fmt: skip


class Listener:
    """heard: {layer: {"mean"|"std"|"dead"|"saturated": scalar tensor}} of the first forward pass since `start`."""

    def __init__(self, model: nn.Module) -> None:
        named = [(name or "model", m) for name, m in model.named_modules()]
        self._model = model
        self.order = {name: place for place, (name, _) in enumerate(named)}
        self._layers = [(n, m) for n, m in named if isinstance(m, ACTIVATIONS) or list(m.parameters(recurse=False))]
        self.heard: dict[str, dict[str, Tensor]] = {}
        self._hooks: list[Any] = []
        self._mode: _Functions | None = None
        self._last, self._channels_first, self._over = "", False, False
        self._waiting: tuple[str, type[nn.Module], Tensor] | None = None

    def start(self) -> None:
        """Attaches to the model."""
        self.heard, self._waiting, self._last, self._over = {}, None, "", False
        for name, module in self._layers:
            self._hooks.append(module.register_forward_hook(self._ear(name)))
        self._hooks.append(self._model.register_forward_hook(self._end))
        self._mode = _Functions(self._wait)
        self._mode.__enter__()  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        """Detaches; what was heard stays."""
        if self._mode is None:
            return
        self._mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        self._mode = None
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        self._measure_waiting()

    def _ear(self, name: str) -> Callable[..., None]:
        def hear(module: nn.Module, _: Any, output: Any) -> None:
            if self._over:
                return
            if isinstance(module, ACTIVATIONS):
                self._waiting = None
            else:
                self._measure_waiting()
                self._last = name
                self._channels_first = isinstance(module, _CONVOLUTIONS) or (
                    self._channels_first and not isinstance(module, _FEATURES_LAST)
                )
            self.measure(name, type(module), output)

        return hear

    def _wait(self, kind: type[nn.Module], output: Any) -> None:
        """A function's output is measured once it is clear that no module of ours called the function."""
        if self._last and not self._over and isinstance(output, Tensor):
            if self._waiting is not None and self._waiting[2] is not output:
                self._measure_waiting()
            self._waiting = (f"{self._last}.{kind.__name__.lower()}", kind, output)

    def _end(self, *_: Any) -> None:
        """The model has answered; what the loss computes is none of its layers."""
        self._measure_waiting()
        self._over = True

    def _measure_waiting(self) -> None:
        if self._waiting is not None:
            self.measure(*self._waiting)
            self._waiting = None

    @torch.no_grad()
    def measure(self, name: str, kind: type[nn.Module], output: Any) -> None:
        """Hears one output. Whoever wants to know something else of it overrides this."""
        if name in self.heard or not isinstance(output, Tensor) or not output.is_floating_point() or not output.numel():
            return
        with torch._C.DisableTorchFunction():
            found = _moments(output)
            if issubclass(kind, SILENT) and output.ndim > 1:
                found["dead"] = (output.amax(self.all_but_units(output)) <= 0).float().mean()
            if kind in BOUNDED:
                low, high = BOUNDED[kind]
                margin = EDGE * (high - low)
                found["saturated"] = ((output < low + margin) | (output > high - margin)).float().mean()
        self.heard[name] = found

    def all_but_units(self, output: Tensor) -> list[int]:
        """Dimensions to reduce: a unit is a channel behind a convolution, a feature otherwise."""
        units = 1 if self._channels_first else output.ndim - 1
        return [dimension for dimension in range(output.ndim) if dimension != units]


def _moments(output: Tensor) -> dict[str, Tensor]:
    """Mean and standard deviation; of many numbers by two sums, which take a fiftieth of the time of torch.std_mean."""
    if output.numel() < EXACT:
        deviation, mean = torch.std_mean(output, correction=0)
        return {"mean": mean, "std": deviation}
    mean = output.sum(dtype=torch.float32) / output.numel()
    square = torch.linalg.vector_norm(output, dtype=torch.float32).square() / output.numel()
    return {"mean": mean, "std": (square - mean.square()).clamp(min=0).sqrt()}


class _Functions(TorchFunctionMode):
    """Tells `heard(kind, output)` of every activation function that is called."""

    def __init__(self, heard: Callable[[type[nn.Module], Any], None]) -> None:
        super().__init__()
        self._heard = heard

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        kind = _FUNCTIONS.get(func)
        if kind is not None:
            self._heard(kind, output)
        return output
