"""Which trials are stacked: by what they have in common, and by a short measurement whose result is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from recipe.lengths import pace_of
from recipe.record.files import make_folder, write_json
from recipe.record.plain import from_json
from recipe.record.said import said
from recipe.record.trial import Trial
from recipe.record.ways import Way, Ways
from recipe.training.loop import fit
from recipe.trials.here import single_file
from recipe.trials.stacked import Candidate, candidate, time_together

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

FILE = "ways.json"
# Less than this in order, in seconds, is not worth a measurement.
_WORTH = 4.0
# Rounds of the measurement, with each way in turn, and the seconds that a round of one way takes at least.
_ROUNDS, _SECONDS = 3, 0.05


def wanted(ingredients: Ingredients) -> bool:
    """Whether stacks are asked for. auto: where digits may depend on what is faster, so not on a CPU without a budget.

    Stacked trials agree with single ones up to rounding only, and which of the two is faster is measured; without a
    budget the same command gives the same bytes on a CPU.
    """
    asked = ingredients.config["engine"].get("stacked", "auto")
    if asked == "auto":
        return ingredients.config["budget"] is not None or ingredients.device.type == "cuda"
    return bool(asked)


def stacks_of(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    threads: int,
    workers: int,
    started: float,
    each: float | None,
) -> list[list[Trial]]:
    """The stacks among these trials; what is in none of them goes the usual way.

    workers, started: processes at most, and the seconds until they are at work. each: seconds a trial takes, if known.
    """
    if len(trials) < 2 or not wanted(ingredients):
        return []
    groups: dict[str, list[Candidate]] = {}
    for trial in trials:
        one = candidate(trial, ingredients)
        groups.setdefault(one.key if not one.reason else "", []).append(one)
    known = recorded(folder)
    ways = [_way(key, group, known, threads, workers, started, each) for key, group in groups.items()]
    fresh = tuple(way for way in ways if known.find(way.key, way.count) is None)
    if fresh:
        write_json(make_folder(folder) / FILE, Ways(ways=(*known.ways, *fresh)))
    return [[one.trial for one in groups[way.key]] for way in ways if way.stacked]


def recorded(folder: Path) -> Ways:
    """What was decided for the trials of this folder; nothing when nothing was."""
    try:
        return from_json((folder / FILE).read_bytes(), Ways)
    except (OSError, ValueError):
        return Ways()


def _way(
    key: str,
    group: Sequence[Candidate],
    known: Ways,
    threads: int,
    workers: int,
    started: float,
    each: float | None,
) -> Way:
    """What is known of such a group, or what a measurement says."""
    found = known.find(key, len(group))
    if found is not None:
        return found
    trials = tuple(one.trial.id for one in group)
    if not key or len(group) < 2:
        reason = group[0].reason or "no other trial has its shapes and settings"
        return Way(key=key, count=len(group), stacked=False, reason=reason, trials=trials)
    if each is not None and each * len(group) < _WORTH:
        reason = "all of them together take less than a measurement would"
        return Way(key=key, count=len(group), stacked=False, reason=reason, trials=trials)
    with single_file(threads):
        try:
            together, alone = measure(group)
        except Exception as error:  # whatever torch cannot map over the user's model: it says so in many ways
            reason = f"torch cannot map over it: {said(error, kind=False)[:160]}"
            return Way(key=key, count=len(group), stacked=False, reason=reason, trials=trials)
    return _fastest(key, group, together, alone, min(workers, len(group)), started)


def _fastest(key: str, group: Sequence[Candidate], together: float, alone: float, workers: int, started: float) -> Way:
    """together, alone: seconds of a step of all of them, and of one."""
    steps = group[0].trial.steps or group[0].ingredients.steps()
    in_order = alone * len(group) * steps
    processes = in_order * pace_of(workers) + started if workers > 1 else None
    seconds = together * steps
    best = min(in_order, processes or in_order)
    told = f"{seconds:.3g} s stacked, {in_order:.3g} s in order" + (
        f", {processes:.3g} s in {workers} processes" if processes else ""
    )
    return Way(
        key=key,
        count=len(group),
        stacked=seconds < best,
        reason=f"measured: {told}",
        in_order=in_order,
        processes=processes,
        seconds=seconds,
        trials=tuple(one.trial.id for one in group),
    )


def measure(group: Sequence[Candidate]) -> tuple[float, float]:
    """(seconds of one step of all of them stacked, of one step of a single one), in turn, medians."""
    first = group[0]
    learner = first.ingredients.learner(first.trial.seed)
    feed = first.ingredients.feed("train", seed=first.trial.seed, limit=first.trial.limit)

    def alone(steps: int) -> float:
        started = time.perf_counter()
        fit(learner, feed, steps=steps, seed=0, sample_every=0)
        return (time.perf_counter() - started) / steps

    probe = time_together(group, 1)
    alone(3)
    stacked, single = [], []
    few, many = _count(min(probe(), probe())), _count(min(alone(3), alone(3)))
    timed = time_together(group, few)
    for _ in range(_ROUNDS):
        stacked.append(timed())
        single.append(alone(many))
    return median(stacked), median(single)


def _count(seconds: float) -> int:
    return max(2, min(200, round(_SECONDS / max(seconds, 1e-6))))
