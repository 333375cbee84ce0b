"""B12: how predictions on fixed items move through training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recipe.losses import Loss
from recipe.record.data import Item
from recipe.record.evidence import CannotMeasure
from recipe.record.learning import Dynamics, Half
from recipe.tasks.task import Task

if TYPE_CHECKING:
    from recipe.data.data import Split
    from recipe.probes.reference import Reference

WINDOW = 5
"""Looks that the trend is a mean of."""


def measure_dynamics(reference: Reference) -> Dynamics:
    """Predictions of the reference run, look by look."""
    task, loss = reference.ingredients.task, reference.ingredients.loss
    looks = reference.looks
    if len(looks) < 2 * WINDOW:
        raise CannotMeasure(f"the training came to {len(looks)} looks with finite predictions, too few to see a trend")
    truth, said, right = (torch.stack(column) for column in list(zip(*looks, strict=True))[1:4])
    losses = [one.loss for one in looks]
    flips = (said[1:] != said[:-1]).flatten(1).double().mean(1)
    drift, jitter = _parts(truth)
    half = len(flips) // 2
    steps = right[1:] - right[:-1]
    history = reference.history.losses
    return Dynamics(
        kind="error" if reference.numbers else "probability",
        steps=tuple(one.step for one in looks),
        items=_named(reference.ingredients.data.val, reference.watched.index, reference.ingredients.data.classes),
        truth=tuple(tuple(round(value, 4) for value in row) for row in truth.T.tolist()),
        right=tuple(right.mean(1).tolist()),
        losses=tuple(losses),
        first=_half(flips, drift, jitter, losses, slice(0, half)),
        last=_half(flips, drift, jitter, losses, slice(half, None)),
        learnt=float(steps.clamp(min=0).sum(0).mean()),
        forgotten=float((-steps).clamp(min=0).sum(0).mean()),
        moved=float((truth[-1] - truth[0]).abs().mean()),
        path=float((truth[1:] - truth[:-1]).abs().sum(0).mean()),
        progress=_progress(task, loss, reference.train.targets.cpu(), history),
        late_gain=_late_gain(history),
        rate=_rate(reference),
    )


def _parts(truth: Tensor) -> tuple[Tensor, Tensor]:
    """(T-1) mean sizes of the changes of the trend, and of what is left without it."""
    around = [truth[max(0, t - WINDOW // 2) : t + WINDOW // 2 + 1].mean(0) for t in range(len(truth))]
    trend = torch.stack(around)
    rest = truth - trend
    return tuple((part[1:] - part[:-1]).abs().mean(1) for part in (trend, rest))  # type: ignore[return-value]


def _half(flips: Tensor, drift: Tensor, jitter: Tensor, losses: list[float], part: slice) -> Half:
    chosen = losses[1:][part]
    return Half(
        flips=float(flips[part].mean()),
        drift=float(drift[part].mean()),
        jitter=float(jitter[part].mean()),
        loss=math.fsum(chosen) / len(chosen),
    )


def _named(split: Split, positions: Tensor, classes: tuple[str, ...] | list[str] | None) -> tuple[Item, ...]:
    found = []
    for position in positions.tolist():
        target = split.targets[position]
        if target.ndim:
            label = " ".join(f"{v:g}" for v in target.reshape(-1)[:4].tolist())
        else:
            label = str(classes[int(target)]) if classes else f"{float(target):g}"
        found.append(Item(split=split.name, name=split.called(position), label=label, position=position))
    return tuple(found)


def _progress(task: Task, loss: Loss, targets: Tensor, losses: Sequence[float]) -> float:
    """Of the way from knowing nothing of the inputs to the lowest achievable loss."""
    blind = task.expected_initial_loss(loss, targets, prior=True)
    start = losses[0] if blind is None else min(losses[0], blind)
    floor = task.lowest_loss(loss, targets)
    # the lowest loss of a loss of one's own is not known: a loss that may be negative has none
    lowest = min(floor if floor is not None else 0.0, *losses)
    return (start - _mean(losses[-max(1, len(losses) // 10) :])) / max(start - lowest, 1e-12)


def _late_gain(losses: Sequence[float]) -> float:
    """From about the middle of the run to its last fifth."""
    count = len(losses)
    middle, last = (
        _mean(losses[count // 2 : max(count // 2 + 1, 7 * count // 10)]),
        _mean(losses[-max(1, count // 5) :]),
    )
    return (middle - last) / max(abs(middle), 1e-12)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _rate(reference: Reference) -> float | None:
    rate = reference.ingredients.config["optimizer"].get("lr")
    return float(rate) if isinstance(rate, (int, float)) else None
