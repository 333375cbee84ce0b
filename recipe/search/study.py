"""The loop around a search: generations, and a journal that survives a kill."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from recipe.record.journal import Journal
from recipe.record.plain import from_plain
from recipe.record.trial import Change, Pruning
from recipe.record.tune import Searched, SearchPlan, Tried
from recipe.search.pruning import bars
from recipe.search.search import Search, Told

Evaluate = Callable[[int, list[Change], Pruning | None], list[Tried]]
"""(number of the first, changes, bars) → one Tried a change, in order; what runs the trainings."""


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
            pruning = bars(plan, [*earlier, *done], len(done) // plan.generation)
            fresh = evaluate(first + len(known), changes[len(known) :], pruning)
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
