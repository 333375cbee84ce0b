"""Everything that gives up training accuracy for validation accuracy, each off unless asked for."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recipe.record.refusal import Refusal
from recipe.training.dropouts import (
    apply_dropconnect,
    apply_dropout,
    apply_dropout2d,
    apply_stochastic_depth,
    apply_variational_dropout,
)
from recipe.training.example import Transform
from recipe.training.mixing import blended, copy_paste, cutmix, mixup
from recipe.training.optimizers import Build
from recipe.tree import Tree, map_tree

Loss = Callable[[Any, Any], Tensor]
SHARES = {
    "dropout", "dropout2d", "dropconnect", "stochastic_depth", "variational_dropout", "label_smoothing", "ema",
}  # fmt: skip

_ATTACHED = {
    "dropout": apply_dropout,
    "dropout2d": apply_dropout2d,
    "dropconnect": apply_dropconnect,
    "stochastic_depth": apply_stochastic_depth,
    "variational_dropout": apply_variational_dropout,
}


@dataclass(frozen=True)
class Regularizers:
    """config["regularizers"], by the same names. augment is applied by the feed, label_smoothing by the loss,
    weight_decay by the optimizer's groups, the rest by the loop and by `attach`."""

    dropout: float | None = None
    dropout2d: float | None = None
    dropconnect: float | None = None
    stochastic_depth: float | None = None
    variational_dropout: float | None = None
    weight_decay: float | None = None
    l1: float | None = None
    max_norm: float | None = None
    activation_l1: float | None = None
    label_smoothing: float | None = None
    input_noise: float | None = None
    gradient_noise: float | None = None
    mixup: float | None = None
    cutmix: float | None = None
    copy_paste: float | None = None
    augment: tuple[Transform, ...] = ()
    ema: float | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None, build: Build) -> Regularizers:
        """From config["regularizers"]; `build` instantiates the augmentation nodes."""
        given = {key: value for key, value in (config or {}).items() if value is not None and value is not False}
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise Refusal(
                f"unknown regularizer {unknown[0]}", where="regularizers", fix=f"one of {', '.join(sorted(known))}"
            )
        numbers = {key: _amount(key, value) for key, value in given.items() if key in known - {"augment"}}
        nodes = given.get("augment") or ()
        nodes = [nodes] if isinstance(nodes, Mapping) else nodes
        return cls(**numbers, augment=tuple(build(node) for node in nodes))

    def attach(self, model: nn.Module) -> None:
        """Puts the activation-side ones into the model; once, before training."""
        for name, apply in _ATTACHED.items():
            if getattr(self, name):
                apply(model, getattr(self, name))

    @property
    def mixes(self) -> bool:
        """Whether inputs or targets change on their way to the loss."""
        return bool(self.mixup or self.cutmix or self.copy_paste or self.input_noise)

    def mixed_loss(self, forward: Callable[[Tree], Any], inputs: Tree, targets: Tensor, loss: Loss) -> Tensor:
        """The data loss under input noise, mixup, CutMix or copy-paste; random numbers are the step's own."""
        if self.input_noise:
            inputs = map_tree(lambda leaf: _noisy(leaf, self.input_noise or 0.0), inputs)
        asked = [name for name in ("cutmix", "mixup", "copy_paste") if getattr(self, name)]
        if not asked:
            return loss(forward(inputs), targets)
        # Several asked for: each batch has one of them, drawn evenly.
        drawn = asked[int(torch.rand(()) * len(asked))] if len(asked) > 1 else asked[0]
        if drawn == "copy_paste":
            inputs, partner, shares = copy_paste(inputs, self.copy_paste or 0.0)
            outputs = forward(inputs)
            return loss(outputs, blended(loss, targets, outputs.shape[-1], partner, shares))
        inputs, partner, share = {"cutmix": cutmix, "mixup": mixup}[drawn](inputs, getattr(self, drawn))
        outputs = forward(inputs)
        return share * loss(outputs, targets) + (1 - share) * loss(outputs, targets[partner])

    def add_gradient_noise(self, parameters: Sequence[nn.Parameter]) -> None:
        """Normal noise with the standard deviation asked for (Neelakantan et al. 2015)."""
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.add_(torch.randn_like(parameter.grad), alpha=self.gradient_noise or 0.0)

    @torch.no_grad()
    def limit_norms(self, weights: Sequence[nn.Parameter]) -> None:
        """Max-norm: the incoming weights of each unit have at most this L2 norm (Srivastava et al. 2014)."""
        for weight in weights:
            weight.renorm_(2, 0, self.max_norm or 0.0)


def smoothed(loss: Loss, amount: float | None) -> Loss:
    """The loss with label smoothing, where the loss has such a thing."""
    if not amount:
        return loss
    if isinstance(loss, nn.CrossEntropyLoss):
        loss = copy.copy(loss)
        loss.label_smoothing = amount
        return loss
    if isinstance(loss, nn.BCEWithLogitsLoss):
        return SmoothedBCE(loss, amount)
    if not isinstance(loss, nn.Module) and "label_smoothing" in _arguments(loss):
        return partial(loss, label_smoothing=amount)  # type: ignore[call-arg]
    raise Refusal(
        f"{type(loss).__name__} has no labels to smooth",
        where="regularizers.label_smoothing",
        fix="regularizers.label_smoothing=null",
    )


class SmoothedBCE(nn.BCEWithLogitsLoss):
    """Yes/no targets moved towards one half."""

    def __init__(self, loss: nn.BCEWithLogitsLoss, amount: float) -> None:
        super().__init__(weight=loss.weight, reduction=loss.reduction, pos_weight=loss.pos_weight)
        self.amount = amount

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """As BCEWithLogitsLoss."""
        return super().forward(input, target * (1 - self.amount) + self.amount / 2)


def _arguments(function: object) -> Collection[str]:
    try:
        return inspect.signature(function).parameters if callable(function) else ()
    except (TypeError, ValueError):
        return ()


def _noisy(leaf: Tensor, amount: float) -> Tensor:
    return leaf + amount * torch.randn_like(leaf) if leaf.is_floating_point() else leaf


def _amount(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise Refusal(f"{value!r} is not an amount", where=f"regularizers.{key}", fix="a number from 0 up, or null")
    if key in SHARES and value >= 1:
        raise Refusal(f"{value} is not below 1", where=f"regularizers.{key}", fix=f"regularizers.{key}=0.1")
    return float(value)
