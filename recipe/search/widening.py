"""The whole search: the recipe so far, generations over the space, and one more beyond an end where the best lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from recipe.record.journal import Journal
from recipe.record.tune import Axis, Searched, SearchPlan
from recipe.search.database import Database, RecordedJournal
from recipe.search.search import Search
from recipe.search.space import widen
from recipe.search.study import Evaluate, run_study, searched

MakeSearch = Callable[[list[Axis], int], Search]
"""(axes, seed) → a search."""


def search_space(
    plan: SearchPlan,
    make: MakeSearch,
    evaluate: Evaluate,
    folder: Path,
    *,
    beyond_ends: bool,
    database: Database | None = None,
) -> Searched:
    """All trials in their order. An interrupted search goes on from its journals in `folder`; `database` too."""

    def journal(name: str, axes: Sequence[Axis]) -> Journal:
        own = Journal(folder / name)
        return RecordedJournal(own, database, axes) if database is not None else own

    tried = evaluate(0, [{}], None)
    if database is not None:
        for one in tried:
            database.add(one, plan.axes)
    if not plan.axes:
        return searched(plan, tried)
    study = make(list(plan.axes), plan.seed)
    first = journal("search.journal", plan.axes)
    tried = tried + run_study(study, plan, first, evaluate, earlier=tried, trials=plan.trials)
    found = searched(plan, tried, exhausted=len(tried) <= plan.trials)
    ends = {axis.key: end for axis in found.axes if (end := found.edge(axis))}
    if not ends or not beyond_ends:
        return found
    axes = [widen(axis, ends[axis.key]) if axis.key in ends else axis for axis in plan.axes]
    study = make(_beyond(plan.axes, axes), plan.seed + 1)
    wider = journal("widened.journal", axes)
    tried = tried + run_study(study, plan, wider, evaluate, earlier=tried, trials=plan.generation)
    return searched(plan, tried, axes=tuple(axes))


def _beyond(before: Sequence[Axis], after: Sequence[Axis]) -> list[Axis]:
    """What the widened ranges have more than the narrow ones."""
    parts = []
    for old, new in zip(before, after, strict=True):
        if new.high > old.high:
            new = msgspec.structs.replace(new, low=old.high)
        elif new.low < old.low:
            new = msgspec.structs.replace(new, high=old.low)
        parts.append(new)
    return parts
