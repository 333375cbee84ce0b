"""Nets of torchvision and timm by name, with as many outputs as the task needs."""

from __future__ import annotations

from typing import Any

from torch import nn

from recipe.record.refusal import Refusal


def from_torchvision(name: str, num_outputs: int, weights: str | None = None, **arguments: Any) -> nn.Module:
    """A classification net of torchvision. weights: None, or torchvision's name for weights that are on this disk."""
    from torchvision import models

    if name not in models.list_models():
        raise Refusal(
            f"torchvision has no model {name!r}", where="model.name", fix=_nearest(name, models.list_models())
        )
    if weights is None:
        return models.get_model(name, num_classes=num_outputs, **arguments)  # type: ignore[no-any-return]
    net: nn.Module = models.get_model(name, weights=weights, **arguments)
    _replace_head(net, num_outputs)
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
    return net


def _replace_head(net: nn.Module, num_outputs: int) -> None:
    """Pretrained nets end in as many outputs as they were trained for: their last linear layer is made anew."""
    path, last = [(path, module) for path, module in net.named_modules() if isinstance(module, nn.Linear)][-1]
    parent, _, child = path.rpartition(".")
    setattr(net.get_submodule(parent), child, nn.Linear(last.in_features, num_outputs))


def _nearest(name: str, names: list[str]) -> str:
    import difflib

    return f"near it: {', '.join(difflib.get_close_matches(name, names, 3, 0.4)) or 'nothing'}"
