"""Who is trained for the ensemble, and for how long: seeds of the final recipe, then other good configurations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from recipe.lengths import SecondsOf, pace_of
from recipe.record.trial import Change
from recipe.record.tune import Searched

# Of a budget: the rest is for looking at them and for taking them home.
_SHARE = 0.75


class Crew(NamedTuple):
    """seeds: members of the final recipe. others: changes of further ones. epochs: of each. seconds: the estimate."""

    seeds: int
    others: list[Change]
    epochs: float
    seconds: float


def plan_crew(
    seeds: int,
    others: Sequence[Change],
    epochs: float,
    seconds_of: SecondsOf,
    *,
    budget: float | None,
    workers: int,
    least: float,
) -> Crew:
    """A budget takes away the other configurations first, then seeds down to what runs at once, then length."""

    def seconds(count: int, length: float) -> float:
        return math.ceil(count / workers) * seconds_of(length) * pace_of(min(workers, count)) * min(workers, count)

    kept, length = list(others), epochs
    room = math.inf if budget is None else budget * _SHARE
    while kept and seconds(seeds + len(kept), length) > room:
        kept.pop()
    while seeds > max(1, workers) and seconds(seeds, length) > room:
        seeds -= 1
    while length > least and seconds(seeds + len(kept), length) > room:
        length = max(least, length * 0.9)
    return Crew(seeds, kept, length, seconds(seeds + len(kept), length))


def best_others(searched: Searched | None, current: Callable[[str], object], count: int) -> list[Change]:
    """The best configurations of the search but the current one, each as a change of it; none without a search."""
    found: list[Change] = []
    for tried in searched.ranked if searched else ():
        assert searched is not None
        values = {axis.key: searched.value_at(axis, tried) for axis in searched.axes}
        change = {key: value for key, value in values.items() if current(key) != value}
        if change and change not in found and len(found) < count:
            found.append(change)
    return found
