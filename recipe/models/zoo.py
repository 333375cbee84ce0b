"""Nets of torchvision and timm by name, with as many outputs as the task needs."""

from __future__ import annotations

from typing import Any

from torch import nn

from recipe.record.refusal import Refusal


def from_torchvision(name: str, num_outputs: int, **arguments: Any) -> nn.Module:
    """A classification net of torchvision."""
    from torchvision import models

    if name not in models.list_models():
        raise Refusal(
            f"torchvision has no model {name!r}", where="model.name", fix=_nearest(name, models.list_models())
        )
    return models.get_model(name, num_classes=num_outputs, **arguments)  # type: ignore[no-any-return]


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


def _nearest(name: str, names: list[str]) -> str:
    import difflib

    return f"near it: {', '.join(difflib.get_close_matches(name, names, 3, 0.4)) or 'nothing'}"
