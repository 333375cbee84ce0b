"""Nets of torchvision and timm by name, with as many outputs as the task needs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from recipe.models.pretrained import COLOURS
from recipe.record.refusal import Refusal

_taken: set[tuple[str, tuple[int, ...]]] = set()


def from_torchvision(
    name: str, num_outputs: int, input_shape: tuple[int, ...] | None = None, **arguments: Any
) -> nn.Module:
    """A classification net of torchvision; for other pictures than coloured ones with a first layer of its own."""
    from torchvision import models

    if name not in models.list_models():
        raise Refusal(
            f"torchvision has no model {name!r}", where="model.name", fix=_nearest(name, models.list_models())
        )
    net: nn.Module = models.get_model(name, num_classes=num_outputs, **arguments)
    if input_shape is not None and len(input_shape) == 3 and input_shape[0] != COLOURS:
        _take_channels(net, input_shape[0])
    _require_taken(net, name, input_shape)
    return net


def from_timm(name: str, num_outputs: int, input_shape: tuple[int, ...], **arguments: Any) -> nn.Module:
    """A net of timm, which has to be installed (`recipe[timm]`)."""
    try:
        import timm
    except ImportError as error:
        raise Refusal("timm is not installed", where="model=timm", fix="pip install 'recipe[timm]'") from error
    if name not in timm.list_models():
        raise Refusal(f"timm has no model {name!r}", where="model.name", fix=_nearest(name, timm.list_models()))
    net: nn.Module = timm.create_model(name, num_classes=num_outputs, in_chans=input_shape[0], **arguments)
    _require_taken(net, name, input_shape)
    return net


def _require_taken(net: nn.Module, name: str, input_shape: tuple[int, ...] | None) -> None:
    """Refusal where a picture of that shape does not go through the net; asked once a process."""
    if input_shape is None or (name, input_shape) in _taken:
        return
    if len(input_shape) != 3:
        fix = "model=mlp for numbers, model=gru or model=transformer for sequences"
        raise Refusal(f"{name} needs pictures of shape (C, H, W), not {input_shape}", where="model.name", fix=fix)
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *input_shape))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).strip().split("\n")[0][:120]
        raise Refusal(
            f"{name} cannot take inputs of shape {tuple(input_shape)} ({reason})",
            where="model.name",
            fix="larger pictures: data.size=64, or 224 for nets made for one size; or model=resnet for small pictures",
        ) from error
    finally:
        net.train(training)
    _taken.add((name, input_shape))


def _take_channels(net: nn.Module, channels: int) -> None:
    """Exchanges the first convolution, drawn as the net's own draws it, for one of so many channels."""
    name, first = next((n, m) for n, m in net.named_modules() if isinstance(m, nn.Conv2d))
    made = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    # Each filter keeps the deviation of its numbers: what these nets draw by fan-out does not depend on the channels.
    with torch.no_grad():
        made.weight.normal_(0.0, float(first.weight.std()))
        if first.bias is not None and made.bias is not None:
            made.bias.copy_(first.bias)
    parent, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(parent), leaf, made)


def _nearest(name: str, names: list[str]) -> str:
    import difflib

    return f"near it: {', '.join(difflib.get_close_matches(name, names, 3, 0.4)) or 'nothing'}"
