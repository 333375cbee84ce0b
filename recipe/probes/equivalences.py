"""B14: what was generalised still gives what the special case gave.

The model's outputs in one batch beside those one by one, again, and as the config speeds them up: mixed precision,
channels last, torch.compile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import chunked, copied, evaluating, outputs_of, rows_of, size_of, take
from recipe.record.equivalence import Equivalence, Way
from recipe.record.said import said
from recipe.tasks.task import Task
from recipe.training.batch import Batch
from recipe.training.learner import PRECISIONS, Learner
from recipe.tree import map_tree

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

Forward = Callable[[Any], Tensor]


def measure_equivalences(
    ingredients: Ingredients, model: nn.Module, learner: Learner, batch: Batch, *, items: int = 16
) -> Equivalence:
    """model: after a few steps. learner: tells precision, layout and compilation. batch: at least `items` items."""
    task, train = ingredients.task, ingredients.config["train"]
    batch = take(batch, torch.arange(min(items, size_of(batch.inputs))))
    eager = copied(model).to(memory_format=torch.contiguous_format)
    reference = _outputs(eager, batch.inputs)
    compare = _Comparison(task, ingredients, eager, batch, reference)
    ways = [
        compare.way("again", "exact", lambda: _outputs(eager, batch.inputs)),
        compare.way("one by one", "exact", lambda: _in_parts(eager, batch.inputs, 1)),
        compare.way("in threes", "exact", lambda: _in_parts(eager, batch.inputs, 3)),
    ]
    if learner.channels_last:
        ways.append(compare.speed("channels last", "exact", *_channels_last(eager, batch)))
    kind = PRECISIONS[learner.precision]
    if kind is not None:
        device = learner.device.type
        ways.append(
            compare.speed(learner.precision, "reduced", eager, batch, lambda: torch.autocast(device, dtype=kind))
        )
    if train["compile"]:
        compiled: Any = torch.compile(copied(eager))
        ways.append(compare.speed("compiled", "exact", compiled, batch))
    return Equivalence(items=size_of(batch.inputs), ways=tuple(ways))


def _outputs(model: nn.Module, inputs: Any) -> Tensor:
    return outputs_of(model, inputs)


def _in_parts(model: nn.Module, inputs: Any, size: int) -> Tensor:
    """Refused with the shape where a part has another number of items than it was given."""
    parts = []
    with evaluating(model), torch.no_grad():
        for rows in chunked(size_of(inputs), size):
            part = model(rows_of(inputs, rows))
            if not isinstance(part, Tensor) or part.ndim == 0 or len(part) != len(rows):
                shape = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
                raise ValueError(f"a batch of {len(rows)} gives the shape {shape}")
            parts.append(part.detach().float().cpu())
    return torch.cat(parts)


def _channels_last(model: nn.Module, batch: Batch) -> tuple[nn.Module, Batch]:
    def turned(leaf: Tensor) -> Tensor:
        return leaf.contiguous(memory_format=torch.channels_last) if leaf.ndim == 4 else leaf

    twin = copied(model).to(memory_format=torch.channels_last)
    return twin, batch._replace(inputs=map_tree(turned, batch.inputs))


class _Comparison:
    """Everything is compared with one reference."""

    def __init__(self, task: Task, ingredients: Ingredients, model: nn.Module, batch: Batch, reference: Tensor) -> None:
        self._task, self._loss, self._model, self._batch = task, ingredients.loss, model, batch
        self._reference = reference.double()
        varies = self._reference - self._reference.mean(0, keepdim=True)
        # beside a large offset, or where outputs are all alike, rounding must not look like a difference
        self._scale = max(float(varies.norm()), 0.01 * float(self._reference.norm())) or 1.0

    def way(self, name: str, kind: str, outputs: Callable[[], Tensor], gradient: float | None = None) -> Way:
        """The outputs of another way; an error is a result."""
        try:
            other = outputs().double()
            if other.shape != self._reference.shape:
                raise ValueError(f"the shape is {tuple(other.shape)} instead of {tuple(self._reference.shape)}")
        except Exception as error:  # whatever the user's model raises on a batch of another size or layout
            return Way(name=name, kind=kind, difference=math.inf, largest=math.inf, agree=0.0, error=said(error))
        apart = other - self._reference
        mine, theirs = (self._task.predictions(o.float()) for o in (self._reference, other))
        agree = (
            (mine - theirs).abs() < 1e-2 * theirs.abs().clamp(min=1.0) if mine.is_floating_point() else mine == theirs
        )
        return Way(
            name=name,
            kind=kind,
            difference=float(apart.norm()) / self._scale,
            largest=float(apart.abs().max()) / self._scale * math.sqrt(len(apart)),
            agree=float(agree.double().mean()),
            gradient=gradient,
            finite=bool(other.isfinite().all()),
        )

    def speed(
        self, name: str, kind: str, model: nn.Module, batch: Batch, context: Callable[[], Any] = nullcontext
    ) -> Way:
        """Outputs and gradients as the training would have them."""

        def outputs() -> Tensor:
            with context():
                return _outputs(model, batch.inputs)

        try:
            with context():
                theirs = self._gradient(model, batch)
            mine = self._gradient(self._model, self._batch)
            cosine = float(nn.functional.cosine_similarity(mine, theirs, dim=0))
        except Exception as error:  # a compiler or a kernel that is not there
            failed = Way(name=name, kind=kind, difference=math.inf, largest=math.inf, agree=0.0)
            return Way(**{f: getattr(failed, f) for f in failed.__struct_fields__} | {"error": said(error)})
        return self.way(name, kind, outputs, cosine)

    def _gradient(self, model: nn.Module, batch: Batch) -> Tensor:
        """Of the loss by all parameters, in evaluation mode."""
        parameters = [p for p in model.parameters() if p.requires_grad]
        with evaluating(model):
            loss = self._loss(model(batch.inputs), batch.targets)
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        return torch.cat([torch.zeros(p.numel()) if g is None else g.detach().double().flatten().cpu()
                          for p, g in zip(parameters, found, strict=True)])  # fmt: skip
