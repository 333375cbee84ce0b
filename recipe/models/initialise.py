"""Initial weights by name, and the last layer's bias from the targets ("init well")."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "he": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "xavier": nn.init.xavier_normal_,
    "orthogonal": nn.init.orthogonal_,
}


def initialise(model: nn.Module, scheme: str, num_outputs: int) -> None:
    """Redraws the weights in place. scheme: default (the model's own) | he | xavier | orthogonal | zeros_last."""
    if scheme == "default":
        return
    last = final_layer(model, num_outputs)
    if scheme == "zeros_last":
        if last is not None:
            nn.init.zeros_(last.weight)
        return
    if scheme not in SCHEMES:
        raise ValueError(f"init.scheme {scheme!r} is none of default, {', '.join(SCHEMES)}, zeros_last")
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)):
            SCHEMES[scheme](module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def set_prior_bias(model: nn.Module, bias: Tensor | None, num_outputs: int) -> bool:
    """Writes `bias` (num_outputs,) into the last layer; False when there is no such layer or no bias to write."""
    last = final_layer(model, num_outputs)
    if bias is None or last is None or last.bias is None or last.bias.shape != bias.shape:
        return False
    with torch.no_grad():
        last.bias.copy_(bias)
    return True


def final_layer(model: nn.Module, num_outputs: int) -> nn.Linear | nn.Conv2d | None:
    """The last registered linear or convolutional layer, if it is as wide as the output."""
    layers = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    if not layers:
        return None
    last = layers[-1]
    width = last.out_features if isinstance(last, nn.Linear) else last.out_channels
    return last if width == num_outputs else None
