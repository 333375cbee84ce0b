"""The contract of a task: what its loss, targets and outputs imply. What a task cannot know is None."""

from __future__ import annotations

import importlib
import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form

TASKS = ("classification", "binary", "multilabel", "regression", "language_model", "autoencoder")


NUMBERS = ("regression", "autoencoder")
"""Tasks whose outputs are values, not scores of classes; their `per_item` is a squared error."""


class Task(Protocol):
    """Shapes as documented for users; outputs are the model's raw ones, targets those that `targets` returned.

    headline: the metric that reports lead with. default_loss: dotted target.
    """

    @property
    def name(self) -> str: ...
    @property
    def headline(self) -> str: ...
    @property
    def higher_is_better(self) -> bool: ...
    @property
    def default_loss(self) -> str: ...

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        """Width of the model's last layer, from targets as the data give them. Refusal when there is one class only."""

    def targets(self, targets: Any) -> Tensor:
        """Dtype and shape the loss expects. Refusal when they cannot be that."""

    def check(self, outputs: Any, targets: Tensor) -> None:
        """Refusal with both shapes when the outputs cannot be outputs for these targets."""

    def probabilities(self, outputs: Tensor) -> Tensor:
        """What the outputs say: probabilities, or values for regression; same shape as the outputs."""

    def predictions(self, outputs: Tensor) -> Tensor:
        """What the outputs decide for, in the shape and dtype of targets."""

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The headline, `error` (0 is perfect, lower is better) and what else a person can check."""

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(N,) one number an item: its mean is the headline, or for NUMBERS the squared error."""

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        """The headline with its 95 % interval over the items."""

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        """The loss of a net that ignores its input: neutral outputs, or with `prior` the best constant bias."""

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        """The loss of perfect predictions: 0, or the entropy that label smoothing leaves."""

    def prior_bias(self, targets: Tensor) -> Tensor | None:
        """(num_outputs,) the output bias that predicts the targets' prior or mean."""

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        """(num_outputs,) powers of two near the targets' deviation; None where outputs have a scale of their own."""

    def chance(self, targets: Tensor) -> dict[str, float]:
        """The headline that predictors without input reach, by name."""

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        """Losses that betray a cause when a net starts or gets stuck there, by the cause's name."""

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        """Outputs that predict `targets`: the surer the larger the margin, wrong when negative, neutral at 0."""

    def form(self, outputs: Tensor) -> Form:
        """What the outputs look like: scores, or already normalised."""

    def blind(self, inputs: Any) -> Any:
        """The inputs with everything that could be learnt from them removed."""

    def time_axis(self) -> int | None:
        """The axis along which an output must not see ahead, or None."""


def task_for(name: str, data: Any) -> Task:
    """The task of that name for these data (`data.train.targets`, `data.classes`); "auto" decides from the targets."""
    targets, classes = data.train.targets, getattr(data, "classes", None)
    without = "autoencoder" if getattr(data, "unlabelled", False) else None
    chosen = (without or guess(targets, classes)) if name == "auto" else name
    if without and chosen != without:
        raise Refusal(f"the data have no targets, which {chosen} needs", where="task", fix="task=autoencoder")
    if chosen not in TASKS:
        raise Refusal(f"there is no task {name!r}", where="task", fix=f"one of: auto, {', '.join(TASKS)}")
    try:
        module = importlib.import_module(f"recipe.tasks.{chosen}")
    except ModuleNotFoundError as error:
        if error.name != f"recipe.tasks.{chosen}":
            raise
        raise Refusal(f"{chosen} is not there yet", where="task", fix=f"one of: {', '.join(TASKS[:4])}") from error
    task: Task = module.make(targets, classes)
    return task


def guess(targets: Any, classes: Sequence[str] | None) -> str:
    """Named classes or whole numbers: classification; 0/1 floats: binary or multilabel; other floats: regression."""
    values = torch.as_tensor(targets)
    columns = math.prod(values.shape[1:])
    if not values.is_floating_point() and values.dtype != torch.bool:
        if values.ndim > 1 and columns > 1:
            return "multilabel" if set(distinct(values).tolist()) <= {0, 1} else "language_model"
        return "classification" if classes or _few(values) else "regression"
    if bool(((values == 0) | (values == 1)).all()):
        return "binary" if columns == 1 else "multilabel"
    return "regression"


def zeros_like(inputs: Any) -> Any:
    """The inputs, whatever their nesting, with every number zero."""
    from torch.utils._pytree import tree_map

    return tree_map(torch.zeros_like, inputs)


def as_floats(targets: Any, task: str) -> Tensor:
    """Targets as float32 (N, columns). Refusal when a number is missing or infinite."""
    values = torch.as_tensor(targets).to(torch.float32)
    values = values.reshape(len(values), -1)
    if not bool(values.isfinite().all()):
        row = int((~values.isfinite()).any(dim=1).nonzero()[0])
        raise Refusal(
            f"the target is {values[row].tolist()}, which is not a number {task} can learn",
            where=f"target of item {row}",
            fix="remove the item, or fill in its target",
        )
    return values


def check_same_shape(outputs: Any, targets: Tensor, task: str) -> None:
    """Refusal unless outputs and targets have one shape: anything else would broadcast silently."""
    if not isinstance(outputs, Tensor) or outputs.shape != targets.shape:
        raise Refusal(
            f"the model returned {shape_of(outputs)}; {task} with targets {tuple(targets.shape)} needs the same shape",
            where="model",
            fix=f"return {tuple(targets.shape)} raw outputs from forward",
        )


def distinct(values: Tensor) -> Tensor:
    """The different values, sorted."""
    found: Tensor = torch.unique(values)
    return found


def shape_of(outputs: Any) -> str:
    """A shape for people, or the type of what is not a tensor."""
    return str(tuple(outputs.shape)) if isinstance(outputs, Tensor) else f"a {type(outputs).__name__}"


def _few(values: Tensor) -> bool:
    """Whole numbers from 0 with few gaps are class indices; counts, years and prices are not."""
    found = distinct(values)
    return int(found.min()) >= 0 and len(found) <= 1000 and int(found.max()) < 2 * len(found) + 2
