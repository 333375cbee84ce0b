"""The whole search: the recipe so far, short trials over the wide space, longer ones where the best of those lie,
and a few beyond an end at which the best of all lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from recipe.record.axis import Axis
from recipe.record.journal import Journal
from recipe.record.trial import Change, Pruning
from recipe.record.tune import Round, Searched, SearchPlan, Tried
from recipe.search.database import Database, RecordedJournal
from recipe.search.search import Search
from recipe.search.space import widen
from recipe.search.study import run_study, searched

MakeSearch = Callable[[list[Axis], int], Search]
"""(axes, seed) → a search."""
EvaluateRound = Callable[[Round, int, Sequence[Change], Pruning | None], list[Tried]]
"""(the round they belong to, number of the first, changes, bars) → one Tried a change, in order."""
GOOD = 3
"""One short trial in so many is good, and no fewer than these: what they span is searched further."""


class Rounds(NamedTuple):
    """What all rounds of a search have in common. folder: where its journals are."""

    plan: SearchPlan
    make: MakeSearch
    evaluate: EvaluateRound
    folder: Path
    database: Database | None = None

    def reference(self) -> list[Tried]:
        """The recipe so far."""
        tried = self.evaluate(self.plan.fine, 0, [{}], None)
        if self.database is not None:
            for one in tried:
                self.database.add(one, self.plan.axes)
        return tried

    def run(self, name: str, part: Round, axes: Sequence[Axis], seed: int, earlier: Sequence[Tried]) -> list[Tried]:
        """The trials of one round; an interrupted one goes on from its journal."""
        study = self.make(list(axes), seed)
        journal = Journal(self.folder / f"{name}.journal")
        if self.database is not None:
            journal = RecordedJournal(journal, self.database, axes)
        evaluate = partial(self.evaluate, part)
        # Short trials are short enough: all of them come to their end, so that they rank.
        plan = msgspec.structs.replace(self.plan, pruner=None) if part == self.plan.coarse else self.plan
        return run_study(study, plan, journal, evaluate, earlier=earlier, trials=part.trials)


def search_space(rounds: Rounds, *, beyond_ends: bool) -> Searched:
    """All trials in their order. An interrupted search goes on from its journals; the database too."""
    plan, axes = rounds.plan, rounds.plan.axes
    tried = rounds.reference()
    if plan.coarse:
        tried += rounds.run("coarse", plan.coarse, axes, plan.seed + 2, tried)
        axes = narrow(searched(plan, tried))
    before = len(tried)
    tried += rounds.run("search", plan.fine, axes, plan.seed, tried)
    found = searched(plan, tried, axes=axes, exhausted=len(tried) - before < plan.fine.trials)
    ends = {axis.key: end for axis in found.axes if (end := found.edge(axis))}
    if not ends or not beyond_ends:
        return found
    wider = tuple(widen(axis, ends[axis.key]) if axis.key in ends else axis for axis in axes)
    part = msgspec.structs.replace(plan.fine, trials=plan.generation)
    tried += rounds.run("widened", part, _beyond(axes, wider), plan.seed + 1, tried)
    return searched(plan, tried, axes=wider)


def narrow(found: Searched) -> tuple[Axis, ...]:
    """Each range to what the good short trials span. As it was, where too few came to their end."""
    good = found.ranked_short[: max(GOOD, math.ceil(len(found.ranked_short) / GOOD))]
    if len(good) < GOOD:
        return found.axes
    axes = []
    for axis in found.axes:
        places = [place for t in good if (place := axis.position(t.change.get(axis.key))) is not None]
        axes.append(axis.narrower(places) if places else axis)
    return tuple(axes)


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
