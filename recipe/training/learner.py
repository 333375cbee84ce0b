"""A learner: a model with all that changes its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from recipe.record.refusal import Refusal
from recipe.training.batch import Batch
from recipe.training.lesson import Lesson
from recipe.training.optimizers import Build, make_optimizer
from recipe.training.regularizers import Loss, Regularizers
from recipe.training.schedules import Constant, Schedule, TorchSchedule

UserStep = Callable[[nn.Module, Batch, Loss], Tensor]
PRECISIONS = {"float32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Learner:
    """Model, loss and optimizer, with how a step is taken.

    precision: float32, bf16 or fp16 (autocast). clip_norm: largest global L2 norm of the gradient.
    accumulate: batches to one optimizer step. step: the user's step(model, batch, loss) → loss.
    channels_last: memory layout of 4-D inputs and filters. compile: forward through torch.compile.
    lesson: a teacher whose answers are part of the loss.
    """

    model: nn.Module
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule = field(default_factory=Constant)
    regularizers: Regularizers = field(default_factory=Regularizers)
    precision: str = "float32"
    clip_norm: float | None = None
    accumulate: int = 1
    step: UserStep | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    channels_last: bool = False
    compile: bool = False
    lesson: Lesson | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            names = ", ".join(PRECISIONS)
            raise Refusal(f"unknown precision {self.precision!r}", where="train.precision", fix=f"one of {names}")
        self.forward: nn.Module = _compiled(self.model) if self.compile else self.model


def assemble(
    model: nn.Module,
    loss: Loss,
    config: Mapping[str, Any],
    *,
    build: Build,
    device: torch.device,
    input_dims: int | None = None,
    plain: bool = False,
) -> Learner:
    """The learner of a config: regularizers put in, model on its device and in its layout, optimizer and schedule made.

    input_dims: dimensions of a batch of inputs (4 for pictures), for channels_last=auto. plain: no regularizer at all.
    """
    train = config.get("train", {})
    regularizers = Regularizers() if plain else Regularizers.from_config(config.get("regularizers"), build)
    regularizers.attach(model)
    layout = wants_channels_last(model, train.get("channels_last", False), input_dims)
    model.to(device)
    if layout:
        model.to(memory_format=torch.channels_last)
    node = dict(config["optimizer"])
    if plain and node.get("weight_decay"):
        node["weight_decay"] = 0.0
    optimizer = make_optimizer(model, node, build, weight_decay=regularizers.weight_decay)
    return Learner(
        model=model,
        loss=loss.to(device) if isinstance(loss, nn.Module) else loss,
        optimizer=optimizer,
        schedule=make_schedule(config.get("schedule"), build),
        regularizers=regularizers,
        precision=train.get("precision") or "float32",
        clip_norm=train.get("clip_norm"),
        accumulate=int(train.get("accumulate") or 1),
        step=_user_step(config.get("step"), build),
        device=device,
        channels_last=layout,
        compile=bool(train.get("compile")),
    )


def make_schedule(node: Mapping[str, Any] | None, build: Build) -> Schedule:
    """Ours as they are; a torch scheduler is made from the optimizer when the run starts."""
    if not node:
        return Constant()
    settings = dict(node)
    if str(settings.get("_target_", "")).startswith("recipe."):
        schedule: Schedule = build(settings)
        return schedule
    interval = settings.pop("interval", "epoch")
    return TorchSchedule(lambda optimizer: build(settings, optimizer=optimizer), interval)


def wants_channels_last(model: nn.Module, asked: bool | str | None, input_dims: int | None) -> bool:
    """auto: yes for pictures in a model with Conv2d layers; a fixed rule, so the same command gives the same bytes."""
    if asked != "auto":
        return bool(asked)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    return input_dims == 4 and bool(layers) and not any(_breaks_in_channels_last(m) for m in layers)


def _breaks_in_channels_last(layer: nn.Conv2d) -> bool:
    """Backward of a 1×1 convolution with a stride over 2, 4 or 6 channels writes past its memory (torch 2.15, x86)."""
    return max(layer.kernel_size) == 1 and max(layer.stride) > 1 and layer.in_channels < 8


def _compiled(model: nn.Module) -> nn.Module:
    compiled: Any = torch.compile(model)
    return compiled  # type: ignore[no-any-return]


def _user_step(node: Mapping[str, Any] | None, build: Build) -> UserStep | None:
    """`step._target_` names a function (called as it is) or a class (made once)."""
    if not node:
        return None
    step: UserStep = build({**node, "_partial_": True})
    made = getattr(step, "func", None)
    if isinstance(made, type):
        step = step()  # type: ignore[call-arg,assignment]
    return step
