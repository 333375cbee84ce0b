"""Initial weights by name, and the last layer's bias from the targets ("init well")."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recipe.models.block import replace_activations
from recipe.record.refusal import Refusal

TORCH_SCHEMES = (
    "uniform_", "normal_", "trunc_normal_", "constant_", "zeros_", "ones_", "eye_", "dirac_", "sparse_", "orthogonal_",
    "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_",
)  # fmt: skip
"""Functions of torch.nn.init."""
_DIMENSIONS = {"eye": (2,), "sparse": (2,), "dirac": (3, 4, 5)}
"""Of the weights that a scheme is for, matrices or filters; the others start as the model has them."""
SCHEMES: dict[str, Callable[..., Tensor]] = {
    "he": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "xavier": nn.init.xavier_normal_,
    **{name.rstrip("_"): getattr(nn.init, name) for name in TORCH_SCHEMES},
}


def start_as(node: Mapping[str, Any], model: nn.Module, num_outputs: int) -> None:
    """Activations and initial weights as the config's `init` has them. Raises Refusal."""
    if node["activation"] and not replace_activations(model, node["activation"]):
        raise Refusal(
            "the model has no hidden activation module that could be replaced",
            where="init.activation",
            fix="change the activation in your own code, or init.activation=null",
        )
    try:
        initialise(model, node["scheme"], num_outputs, node["options"])
    except ValueError as error:
        raise Refusal(str(error), where="init", fix="init.scheme=he, or init.scheme=default") from error


def initialise(model: nn.Module, scheme: str, num_outputs: int, options: Mapping[str, Any] | None = None) -> None:
    """Redraws the weights in place. scheme: default (the model's own) | zeros_last | he, xavier or one of torch's.

    options: further arguments of torch's function. Raises ValueError for a scheme or an option that is not there, and
    for a scheme that is for none of the model's layers.
    """
    if scheme == "default":
        return
    last = final_layer(model, num_outputs)
    if scheme == "zeros_last":
        if last is not None:
            nn.init.zeros_(last.weight)
        return
    if scheme not in SCHEMES:
        raise ValueError(f"init.scheme {scheme!r} is none of default, {', '.join(SCHEMES)}, zeros_last")
    taken = inspect.signature(SCHEMES[scheme]).parameters
    for name in options or {}:
        if name not in taken or name in ("tensor", "generator"):
            names = ", ".join(key for key in taken if key not in ("tensor", "generator"))
            raise ValueError(f"init.options.{name} is none of what {scheme} takes: {names or 'nothing'}")
    layers = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.modules.conv._ConvNd))]
    meant = [m for m in layers if m.weight.ndim in _DIMENSIONS.get(scheme, (m.weight.ndim,))]
    if layers and not meant:
        what = "filters" if scheme == "dirac" else "dense layers"
        raise ValueError(f"init.scheme={scheme} is for {what}, and the model has none")
    for module in meant:
        SCHEMES[scheme](module.weight, **(options or {}))
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def set_prior_bias(model: nn.Module, bias: Tensor | None, num_outputs: int, scale: Tensor | None = None) -> bool:
    """Writes `bias` (num_outputs,) into the last layer; False when there is no such layer or no bias to write.

    scale: (num_outputs,) powers of two by which the layer's outputs are multiplied, for targets of another size than 1.
    """
    last = final_layer(model, num_outputs)
    if bias is None or last is None or last.bias is None or last.bias.shape != bias.shape:
        return False
    if scale is not None and bool((scale != 1).any()):
        OutputScale(scale).attach(last)
        bias = bias / scale
    with torch.no_grad():
        last.bias.copy_(bias)
    return True


class OutputScale:
    """Multiplies a layer's outputs, so that an optimizer moves its weights as if the targets were of size 1.

    The layer's state has the scale folded in: it is that of a plain layer, and multiplying by powers of two is exact.
    """

    def __init__(self, scale: Tensor) -> None:
        self.scale = scale

    def attach(self, layer: nn.Linear | nn.Conv2d) -> None:
        """From now on, for the life of the layer."""
        layer.register_forward_hook(self._forward)
        # torch writes an attribute on what it is given, which a bound method does not take
        layer.register_state_dict_post_hook(partial(self._fold))  # type: ignore[no-untyped-call]
        layer.register_load_state_dict_pre_hook(partial(self._unfold))  # type: ignore[no-untyped-call]

    def _forward(self, _: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        shape = (1, -1, 1, 1) if output.ndim == 4 else (-1,)
        return output * self.scale.to(output.device).view(shape)

    def _fold(self, _: nn.Module, state: dict[str, Tensor], prefix: str, __: object) -> None:
        for name in ("weight", "bias"):
            state[prefix + name] = state[prefix + name] * self._like(state[prefix + name])

    def _unfold(self, _: nn.Module, state: dict[str, Tensor], prefix: str, *__: object) -> None:
        for name in ("weight", "bias"):
            if prefix + name in state:
                state[prefix + name] = state[prefix + name] / self._like(state[prefix + name])

    def _like(self, tensor: Tensor) -> Tensor:
        return self.scale.to(tensor.device).view(-1, *[1] * (tensor.ndim - 1))


def final_layer(model: nn.Module, num_outputs: int) -> nn.Linear | nn.Conv2d | None:
    """The last registered linear or convolutional layer, if it is as wide as the output."""
    layers = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    if not layers:
        return None
    last = layers[-1]
    width = last.out_features if isinstance(last, nn.Linear) else last.out_channels
    return last if width == num_outputs else None
