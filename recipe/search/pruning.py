"""Which trials are stopped before their end: bars from the curves of earlier generations.

Bars stand on earlier generations only, never on who happened to be ready first: workers cannot change a search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

from recipe.record.trial import Pruning
from recipe.record.tune import SearchPlan, Tried

FIRST_BAR, ENOUGH_CURVES = 0.25, 4
"""Share of the longest run before which the median stops nobody; curves that a bar needs."""
REDUCTION, RUNGS = 3, 2
"""Successive halving keeps one in REDUCTION at each rung; a run has so many rungs, each REDUCTION times the last."""
KINDS = ("median", "halving", "hyperband")
MANY = 24
"""Full trials from which on `auto` is Hyperband: with fewer, a third of a rung is one or two curves."""


def bars(plan: SearchPlan, known: Sequence[Tried], generation: int = 0) -> Pruning | None:
    """What trials of a generation (0, 1, …) have to keep up with; None without a pruner or enough curves.

    median: at each evaluation from a quarter of the run on, the median of what earlier trials had reached there
    (Vizier, Golovin et al. 2017). halving: at a ninth and a third of the run, what the best third had reached there,
    of all that came so far (successive halving as ASHA's stopping variant has it, Li et al. 2020). hyperband: the
    generations take turns in how early the first rung is: a ninth, a third, or none (Li et al. 2018), so that what
    starts slowly is stopped by some and not by others.
    """
    curves = [t.curve for t in known if t.curve and t.status in ("finished", "pruned")]
    if plan.pruner is None or len(curves) < ENOUGH_CURVES:
        return None
    longest = max(epoch for curve in curves for epoch, _ in curve)
    at = sorted({epoch for curve in curves for epoch, _ in curve if epoch < longest})
    epochs = [epoch for epoch in at if epoch >= FIRST_BAR * longest] if plan.pruner == "median" else []
    if plan.pruner != "median":
        first = generation % (RUNGS + 1) if plan.pruner == "hyperband" else 0
        rungs = [longest / REDUCTION**power for power in range(RUNGS - first, 0, -1)]
        # The first evaluation from there on.
        epochs = sorted({epoch for rung in rungs if (epoch := next((e for e in at if e >= rung - 1e-9), None))})
    bar, what = (median, "the median") if plan.pruner == "median" else (_upper(plan), "the best third's last")
    found = [(epoch, bar(reached)) for epoch in epochs if len(reached := _reached(curves, epoch)) >= ENOUGH_CURVES]
    if not found:
        return None
    return Pruning(
        split=plan.split,
        metric=plan.metric,
        higher_is_better=plan.direction == "maximize",
        bars=tuple(found),
        what=what,
    )


def _upper(plan: SearchPlan) -> Callable[[Sequence[float]], float]:
    """The last value among the best 1 in REDUCTION."""

    def bar(values: Sequence[float]) -> float:
        ordered = sorted(values, reverse=plan.direction == "maximize")
        return ordered[math.ceil(len(ordered) / REDUCTION) - 1]

    return bar


def _reached(curves: Sequence[Sequence[tuple[float, float]]], epoch: float) -> list[float]:
    values = [_at(curve, epoch) for curve in curves]
    return [value for value in values if value is not None and math.isfinite(value)]


def _at(curve: Sequence[tuple[float, float]], epoch: float) -> float | None:
    """The last value at or before an epoch; None when the curve ends before (pruned) or starts after it."""
    if curve[-1][0] < epoch - 1e-9:
        return None
    return next((value for at, value in reversed(curve) if at <= epoch + 1e-9), None)
