"""The loop around a search: generations, a journal that survives a kill, and bars for the median pruner."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from recipe.record.journal import Journal
from recipe.record.plain import from_plain
from recipe.record.trial import Change, Pruning
from recipe.record.tune import Searched, SearchPlan, Tried
from recipe.search.search import Search, Told

Evaluate = Callable[[int, list[Change], Pruning | None], list[Tried]]
"""(number of the first, changes, bars) → one Tried a change, in order; what runs the trainings."""

FIRST_BAR = 0.25
ENOUGH_CURVES = 4


def run_study(
    search: Search,
    plan: SearchPlan,
    journal: Journal,
    evaluate: Evaluate,
    *,
    earlier: Sequence[Tried] = (),
    trials: int,
) -> list[Tried]:
    """`trials` proposals in generations of a fixed size, each told before the next is asked for.

    What the journal holds is not run again: the search is asked the same questions, so it gives the same proposals,
    and is told what was written down. earlier: trials that bars may be made from but that this search did not propose.
    """
    done: list[Tried] = []
    while len(done) < trials:
        journal.refresh()
        recorded = [from_plain(record, Tried) for record in journal.records]
        changes = search.ask(min(plan.generation, trials - len(done)))
        if not changes:
            break
        first = len(earlier) + len(done)
        known = _recorded(recorded, first, changes)
        if len(known) < len(changes):
            # The bars stand on earlier generations only, never on who happened to be ready first.
            fresh = evaluate(first + len(known), changes[len(known) :], bars(plan, [*earlier, *done]))
            for tried in fresh:
                journal.append(tried)
            known += fresh
        done += known
        search.tell(scores(plan, known, [*earlier, *done]))
    return done


def scores(plan: SearchPlan, tried: Sequence[Tried], known: Sequence[Tried]) -> list[Told]:
    """What a search is told. Diverged: the worst finite loss so far, so that it keeps away and never sees a NaN."""
    losses = [loss(plan, t.value) for t in known if math.isfinite(t.value) and t.status != "failed"]
    worst = max(losses, default=None)
    told = []
    for one in tried:
        if one.status == "failed":
            told.append(Told(None, complete=False))
        elif one.status == "diverged" or not math.isfinite(one.value):
            told.append(Told(worst, complete=worst is not None))
        else:
            told.append(Told(loss(plan, one.value), complete=one.status == "finished"))
    return told


def bars(plan: SearchPlan, known: Sequence[Tried]) -> Pruning | None:
    """The median of what earlier trials had reached at the same epoch, from a quarter of the run on.

    A trial below it at an evaluation is stopped (the median rule of Vizier, Golovin et al. 2017). None while fewer
    than four curves are known, or when pruning is off.
    """
    curves = [t.curve for t in known if t.curve and t.status in ("finished", "pruned")]
    if plan.pruner != "median" or len(curves) < ENOUGH_CURVES:
        return None
    longest = max(epoch for curve in curves for epoch, _ in curve)
    epochs = sorted({epoch for curve in curves for epoch, _ in curve if FIRST_BAR * longest <= epoch < longest})
    found = []
    for epoch in epochs:
        reached = [value for curve in curves if (value := _at(curve, epoch)) is not None and math.isfinite(value)]
        if len(reached) >= ENOUGH_CURVES:
            found.append((epoch, median(reached)))
    if not found:
        return None
    return Pruning(
        split=plan.split, metric=plan.metric, higher_is_better=plan.direction == "maximize", bars=tuple(found)
    )


def searched(plan: SearchPlan, tried: Sequence[Tried], *, axes: Any = None, exhausted: bool = False) -> Searched:
    """The record of a search that is over."""
    return Searched(
        direction=plan.direction,
        metric=plan.metric,
        headline=plan.headline,
        axes=axes or plan.axes,
        tried=tuple(tried),
        exhausted=exhausted,
    )


def loss(plan: SearchPlan, value: float) -> float:
    """The objective turned so that lower is better."""
    return value if plan.direction == "minimize" else -value


def _recorded(recorded: Sequence[Tried], first: int, changes: Sequence[Change]) -> list[Tried]:
    """The journal's trials with these numbers, as far as they are for these changes."""
    by_number = {tried.number: tried for tried in recorded}
    known: list[Tried] = []
    for number, change in enumerate(changes, first):
        tried = by_number.get(number)
        if tried is None or tried.change != change:
            break
        known.append(tried)
    return known


def _at(curve: Sequence[tuple[float, float]], epoch: float) -> float | None:
    """The last value at or before an epoch; None when the curve ends before (pruned) or starts after it."""
    if curve[-1][0] < epoch - 1e-9:
        return None
    return next((value for at, value in reversed(curve) if at <= epoch + 1e-9), None)
