"""What any loss must do, tried on outputs whose quality is known: no net is needed for that."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from recipe import losses
from recipe.losses import Loss
from recipe.probes.probe import groups_of, spread
from recipe.record.evidence import CannotMeasure
from recipe.record.skeleton import Form, LossProof
from recipe.tasks.task import Task

MARGINS = (-100.0, -10.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 10.0, 100.0)


def prove_loss(task: Task, loss: Loss, targets: Tensor, form: Form, *, items: int = 64, target: str = "") -> LossProof:
    """The loss from very wrong to very right outputs, by class, doubled, mixed, and its gradient.

    targets: as the task has them; `items` of them are used, with every class among them where there is room.
    """
    targets = spread(targets, items)
    if len(targets) < 4:
        raise CannotMeasure(f"{len(targets)} targets are too few to try the loss on")

    def value(chosen: Tensor, margin: float) -> float:
        return float(loss(_outputs(task, targets, chosen, margin, form), targets[chosen]))

    everything = torch.arange(len(targets))
    mixed, singles, pairs = _pairing(task, loss, targets, form)
    gradient = _gradient(task, loss, targets, form)
    options = losses.options(loss)
    half = value(everything, 0.5)
    return LossProof(
        name=target or getattr(loss, "__name__", type(loss).__name__),
        family=losses.family(loss),
        form=form,
        items=len(targets),
        floor=task.lowest_loss(loss, targets),
        margins=MARGINS,
        values=tuple(value(everything, margin) for margin in MARGINS),
        by_class={label: (value(rows, -2.0), value(rows, 2.0)) for label, rows in groups_of(targets).items()},
        doubled=value(torch.cat([everything, everything]), 0.5) / half if half else math.nan,
        mixed=mixed,
        singles=singles,
        pairs=pairs,
        weighted=options.get("weight") is not None,
        zero_gradient=math.nan if gradient is None else _without(gradient),
        differentiable=gradient is not None,
        ignored=_ignored(loss, targets),
    )


def _outputs(task: Task, targets: Tensor, rows: Tensor, margin: float, form: Form) -> Tensor:
    """Outputs for some rows; made for all of them, so that they are as wide as the classes."""
    return task.outputs_for(targets, margin, form)[rows]


def _pairing(task: Task, loss: Loss, targets: Tensor, form: Form, items: int = 12) -> tuple[float, float, float]:
    """The loss of items of mixed quality: together, as the mean of each alone, and over all pairs of them."""
    right, wrong = task.outputs_for(targets, 1.5, form), task.outputs_for(targets, -1.0, form)
    outputs = right.clone()
    outputs[::3] = wrong[::3]
    outputs, targets = outputs[:items], targets[:items]
    together = float(loss(outputs, targets))
    each = [
        [float(loss(outputs[i : i + 1], targets[j : j + 1])) for j in range(len(targets))] for i in range(len(targets))
    ]
    singles = sum(each[i][i] for i in range(len(each))) / len(each)
    return together, singles, sum(map(sum, each)) / len(each) ** 2


def _gradient(task: Task, loss: Loss, targets: Tensor, form: Form) -> Tensor | None:
    """(N, ...) gradient of the loss by very wrong outputs; None when it has none."""
    outputs = task.outputs_for(targets, -6.0, form).clone().requires_grad_()
    value = loss(outputs, targets)
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(value, outputs, allow_unused=True)
    return gradient


def _without(gradient: Tensor) -> float:
    """Share of items whose gradient is exactly zero."""
    return float((gradient.reshape(len(gradient), -1) == 0).all(dim=1).double().mean())


def _ignored(loss: Loss, targets: Tensor) -> tuple[str, ...]:
    """Classes that are named by ignore_index, or weighted with nothing."""
    options = losses.options(loss)
    found = set()
    if losses.family(loss) in ("cross-entropy", "nll") and options.get("ignore_index", -100) >= 0:
        found.add(int(options["ignore_index"]))
    weight = options.get("weight")
    if weight is not None and weight.ndim == 1 and not targets.is_floating_point():
        found |= set((weight == 0).nonzero()[:, 0].tolist())
    return tuple(str(k) for k in sorted(found))
