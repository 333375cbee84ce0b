"""Who is trained for the ensemble, and for how long: seeds of the final recipe, other configurations, snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from recipe.lengths import SecondsOf, pace_of
from recipe.record.ensemble import EnsemblePlan
from recipe.record.refusal import Refusal
from recipe.record.trial import Change, Teaching, Trial
from recipe.record.tune import Searched

# Of a budget: the rest is for looking at them and for taking them home; less where a net is to be taught by them.
_SHARE, _SHARE_TEACHING = 0.85, 0.6
# Of their length that members give up before one of them is left out.
_SHORTENED = 0.75
CYCLIC: Change = {"schedule": "cyclic"}


class Crew(NamedTuple):
    """seeds: members of the final recipe. others: changes of further ones. snapshots: of one more run, in cycles.

    epochs: of each. seconds: the estimate.
    """

    seeds: int
    others: list[Change]
    snapshots: int
    epochs: float
    seconds: float


def plan_crew(
    seeds: int,
    others: Sequence[Change],
    epochs: float,
    seconds_of: SecondsOf,
    *,
    snapshots: int = 0,
    budget: float | None,
    workers: int,
    least: float,
    enough: float | None = None,
    teaching: bool = False,
) -> Crew:
    """A budget takes away snapshots first, then other configurations, then a quarter of the length, seeds down to what
    runs at once, and more length: two more members are worth more than the last few passes of each.

    enough: epochs after which the recipe is known to overfit. All that is longer goes before the first seed, as longer
    runs would fit the training set still better, and what members differ in is what their average takes away.
    """

    def seconds(count: int, length: float) -> float:
        return math.ceil(count / workers) * seconds_of(length) * pace_of(min(workers, count)) * min(workers, count)

    kept, length = list(others), epochs
    room = math.inf if budget is None else budget * (_SHARE_TEACHING if teaching else _SHARE)

    def count() -> int:
        return seeds + len(kept) + bool(snapshots)

    if seconds(count(), length) > room:
        snapshots = 0
    while kept and seconds(count(), length) > room:
        kept.pop()
    shortest = max(least, min(_SHORTENED * length, length if enough is None else enough))
    while seeds > max(1, workers) and seconds(seeds, shortest) > room:
        seeds -= 1
    while length > least and seconds(count(), length) > room:
        length = max(least, length * 0.95)
    return Crew(seeds, kept, snapshots, length, seconds(count(), length))


def trials_of(
    plan: EnsemblePlan, names: Sequence[str], fresh: int, limit: int | None, *, averages: bool
) -> list[Trial]:
    """One training a member, and one for all snapshots.

    names: of the other configurations. fresh: the seed of the first run that has none of the plan's.
    """
    chosen: list[tuple[str, Change, int, int]] = [(f"seed {seed}", {}, seed, 0) for seed in plan.seeds]
    chosen += [
        (name, dict(change), fresh + i, 0) for i, (name, change) in enumerate(zip(names, plan.others, strict=True))
    ]
    if plan.snapshots:
        change = {**CYCLIC, "schedule.cycles": plan.snapshots}
        chosen.append(("snapshots", change, fresh + len(plan.others), plan.snapshots))
    return [
        Trial(
            name=name,
            change=change,
            seed=seed,
            steps=steps,
            limit=limit,
            hypothesis="adds to the ensemble",
            averages=averages and not snapshots,
            snapshots=snapshots,
        )
        for (name, change, seed, snapshots), steps in zip(chosen, plan.steps, strict=True)
    ]


def lesson_trials(plan: EnsemblePlan, model: str, limit: int | None) -> tuple[list[Trial], list[Trial]]:
    """The nets that are taught and the same nets alone, on the same seeds and for as many steps.

    model: the teacher's folder, as seen from the trials. Where the net is the recipe's own, the members are the ones
    alone: they are there already.
    """
    distil = plan.distil
    assert distil is not None
    teaching = Teaching(model=model, temperature=distil.temperature, hard=distil.hard)
    own = not distil.change
    made: list[list[Trial]] = []
    for lesson in (teaching, None):
        name = "taught" if lesson else "alone"
        made.append(
            [
                Trial(
                    name=f"seed {seed}" if own and lesson is None else f"{name} {seed}",
                    change=distil.change,
                    seed=seed,
                    steps=steps,
                    limit=limit,
                    hypothesis="learns from the ensemble" if lesson else "adds to the ensemble",
                    teaching=lesson,
                    averages=own and lesson is None and plan.averages,
                )
                for seed, steps in zip(plan.seeds[: distil.seeds], distil.steps, strict=False)
            ]
        )
    return made[0], made[1]


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


class Lessons(NamedTuple):
    """What `ensemble.distil` asks for. change: of the recipe, for a net of another size."""

    change: Change
    temperature: float
    hard: float
    seeds: int


_DEFAULT = Lessons({}, 3.0, 0.3, 3)


def read_distil(asked: bool | Mapping[str, Any], given: Callable[[Change], object]) -> Lessons | None:
    """true, or {model: NAME, change: {KEY: VALUE}, temperature: T, hard: SHARE, seeds: N}; None where it is off.

    given: tries a change, so that a key that is not there is refused before anything is trained.
    """
    if not asked:
        return None
    settings = {} if asked is True else dict(asked)
    known = ("model", "change", "temperature", "hard", "seeds")
    if unknown := [key for key in settings if key not in known]:
        raise Refusal(f"there is no {unknown[0]!r}", where="ensemble.distil", fix=f"it has {', '.join(known)}")
    change: Change = {"model": settings["model"]} if settings.get("model") else {}
    change |= settings.get("change") or {}
    temperature, hard = (
        float(settings.get("temperature", _DEFAULT.temperature)),
        float(settings.get("hard", _DEFAULT.hard)),
    )
    seeds = int(settings.get("seeds", _DEFAULT.seeds))
    if not (temperature > 0 and 0 <= hard < 1 and seeds >= 1):
        raise Refusal(
            f"temperature {temperature:g}, hard {hard:g}, seeds {seeds}",
            where="ensemble.distil",
            fix="a temperature above 0, a share of hard targets from 0 to below 1, at least one seed",
        )
    given(change)
    return Lessons(change, temperature, hard, seeds)
