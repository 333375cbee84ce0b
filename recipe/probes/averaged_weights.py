"""Averages of the weights along each run, judged on validation beside the weights that the run ended with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recipe.intervals import paired, t_interval
from recipe.predict.average import as_outputs, item_losses
from recipe.record.ensemble import Average, Averages
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval
from recipe.training.norms import running_norms
from recipe.training.trail import KINDS
from recipe.trials.crew import LAST, Crew, Seat

if TYPE_CHECKING:
    from recipe.tasks.task import Task

# Runs on which the kinds are compared: each costs a pass over validation for each kind.
_RUNS = 3


def judge_averages(crew: Crew) -> Averages:
    """crew: with its last weights. An average is taken for all members if it is better in loss by more than noise, and
    not worse in the headline by more than noise. Over three runs or more the noise is theirs, else the items'.
    """
    task, targets = crew.ingredients.task, crew.targets
    seats = [seat for seat in crew.seats if seat.source == "seed"][:_RUNS]
    last = [crew.val[crew.seats.index(seat)] for seat in seats]
    found = []
    for kind in KINDS:
        said = _said(crew, seats, kind)
        if said is not None:
            found.append(_judged(kind, said, last, targets, task))
    if not found:
        raise CannotMeasure("no run kept averages of its weights (ensemble.averages)")
    own = sum(float(item_losses(task, p, targets).mean()) for p in last) / len(last)
    best = min(found, key=lambda one: one.loss)
    better = best.gain.low > 0 and best.headline_gain.high >= 0
    told = f"{best.name}: validation loss {best.loss:.4g}, {own:.4g} of the last weights, a gain of {best.gain}"
    why = told if better else f"no average beats the last weights by more than noise; the best is {told}"
    net = crew.net(seats[0], LAST)
    return Averages(
        last=own,
        kinds=tuple(found),
        chosen=best.name if better else LAST,
        because=why,
        metric=task.headline,
        nets=len(seats),
        norms=bool(net is not None and running_norms(net)),
    )


def _said(crew: Crew, seats: Sequence[Seat], kind: str) -> list[Tensor] | None:
    """What the nets with this kind of weights say of validation; None if a run has none (it ended early)."""
    said = []
    for seat in seats:
        net = crew.net(seat, kind)
        if net is None:
            return None
        said.append(crew.ask(net, crew.ingredients.data.val))
    return said or None


def _judged(kind: str, said: Sequence[Tensor], last: Sequence[Tensor], targets: Tensor, task: Task) -> Average:
    losses = [torch.stack([item_losses(task, p, targets) for p in some]) for some in (last, said)]
    heads = [torch.stack([task.per_item(as_outputs(task, p), targets) for p in some]) for some in (last, said)]
    sign = 1.0 if task.higher_is_better and not _squared(task) else -1.0
    return Average(
        name=kind,
        loss=float(losses[1].mean()),
        gain=_over(losses[0], losses[1]),
        headline_gain=_over(sign * heads[1], sign * heads[0]),
    )


def _over(more: Tensor, less: Tensor) -> Interval:
    """(nets, N) each: mean difference, over nets if there are three, else over items."""
    if len(more) >= 3:
        return paired(more.mean(1).tolist(), less.mean(1).tolist())
    return t_interval((more - less).mean(0).tolist())


def _squared(task: Task) -> bool:
    """Whether `per_item` is a squared error though the headline is a score."""
    return task.name in ("regression", "autoencoder")
