"""Budgets into plans: seconds per step, measured once, decide steps, seeds and ideas before the first long step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recipe.lengths import LEAST_STEPS, pace_of, steps_within, training_seconds
from recipe.record.overfit import Cost, OverfitPlan
from recipe.record.regularize import RegularizePlan

# Parts of overfit's budget; the rest is for the short probes and for what estimates leave out.
_LADDER, _EDGE, _RATES, _REMEDIES = 0.50, 0.13, 0.19, 0.08
# Runs that the search for the edge makes: a seed finds it in about eight, each other seed in about five.
_EDGE_RUNS = 13
# Seeds of each point of the learning curve, at most.
CURVE_SEEDS = 3
# Seconds until new workers are at work, on two cores.
_START = 8.0
# Rates are compared over this part of a rung's run at least.
_LEAST_PART = 0.15
_LONGER = 3
# A rung that gets less than this part of its run says nothing, and is left out.
_LEAST_SHARE = 50


def plan_overfit(
    full: Mapping[str, int], costs: Mapping[str, Cost], settings: Mapping[str, Any], budget: float | None, workers: int
) -> OverfitPlan:
    """full: steps of each rung in the shipped plan, from the shallowest up; costs: of each rung."""
    seeds, rates, edge = int(settings["seeds"]), len(settings["shares"]), int(settings["edge_steps"])
    pace = pace_of(workers)
    if budget is None:
        steps = dict(full)
    else:
        usable = budget - _started(budget, workers)
        steps = _shared_out(full, costs, usable * _LADDER, pace, workers)
        edge = min(edge, int(budget * _EDGE / (_EDGE_RUNS * max(costs[name].step for name in steps))))
        edge = edge if edge >= LEAST_STEPS else 0
    longest = max(steps, key=lambda name: training_seconds(steps[name], costs[name]))
    part = 1.0

    def comparing() -> float:
        # One of the runs is the rung's own.
        runs = (seeds * (1 + rates) - 1) * bool(rates)
        each = training_seconds(round(part * steps[longest]), costs[longest])
        return pace * workers * each * math.ceil(runs / workers)

    # Given up in this order: seeds, length of the runs, rates.
    while budget is not None and comparing() > budget * _RATES:
        if seeds > 1:
            seeds -= 1
        elif part > _LEAST_PART:
            part -= 0.05
        else:
            rates -= 1
    dearest = max(costs[name].step for name in steps)
    climbing = sum(training_seconds(steps[name], costs[name]) for name in steps) * (1.0 if budget is None else pace)
    return OverfitPlan(
        steps=steps,
        edge_steps=edge,
        rate_seeds=seeds,
        rates=rates,
        rate_part=round(part, 2),
        seconds=climbing + _EDGE_RUNS * edge * dearest + comparing(),
        budget=budget,
        costs=dict(costs),
        **_mending(settings, costs, budget),
    )


def _mending(settings: Mapping[str, Any], costs: Mapping[str, Cost], budget: float | None) -> dict[str, int]:
    """How many remedies for how many steps, where nothing fits: each of the same length, rather few than short."""
    count, steps = int(settings["remedies"]), int(settings["remedy_steps"])
    if budget is not None and count:
        # The run without a remedy may have to be made again, and the best is confirmed on another seed.
        dearest = max(costs.values(), key=lambda cost: cost.step)
        room = [steps_within(budget * _REMEDIES / (n + 3), dearest) for n in range(1, count + 1)]
        count = max((n for n, long in enumerate(room, 1) if long >= min(steps, 2 * LEAST_STEPS)), default=0)
        steps = min(steps, room[count - 1]) if count else 0
    return {"remedies": count, "remedy_steps": steps}


def plan_regularize(
    ideas: Sequence[str],
    cost: Cost,
    full: int,
    settings: Mapping[str, Any],
    budget: float | None,
    workers: int,
) -> RegularizePlan:
    """ideas: the most promising first, without those that cost no training. full: steps of the shipped plan."""
    fractions = tuple(float(f) for f in settings["fractions"])
    seeds = int(settings["seeds"])
    pace = pace_of(workers)

    def seconds(count: int, over: int, steps: int, curve: Sequence[float]) -> float:
        # The reference and each idea alone; the winners again, about a third of them; both ends on fresh seeds.
        runs = over * (1 + count + math.ceil(count / 3)) + (2 * min(over, int(settings["fresh"])) if over > 1 else 0)
        # A part of the data is trained on for as many steps as the whole.
        return pace * (runs + len(curve) * min(over, CURVE_SEEDS)) * training_seconds(steps, cost)

    if budget is None:
        estimate = seconds(len(ideas), seeds, full, fractions)
        each = training_seconds(full, cost)
        return RegularizePlan(
            ideas=tuple(ideas), seeds=seeds, steps=full, fractions=fractions, each=each, seconds=estimate
        )
    usable = 0.9 * (budget - _started(budget, workers))
    count, over, curve = len(ideas), seeds, fractions
    # Given up in this order: seeds down to two, the learning curve, ideas down to four, the second seed, length.
    while seconds(count, over, full, curve) > usable and over > 2:
        over -= 1
    if seconds(count, over, full, curve) > usable:
        curve = ()
    while seconds(count, over, full, curve) > usable and count > 4:
        count -= 1
    if seconds(count, over, full, curve) > usable:
        over = 1
    steps = full
    while seconds(count, over, steps, curve) > usable and steps > 50:
        steps = int(steps * 0.9)
    return RegularizePlan(
        ideas=tuple(ideas[:count]),
        seeds=over,
        steps=steps,
        fractions=curve,
        each=training_seconds(steps, cost),
        seconds=seconds(count, over, steps, curve),
        budget=budget,
        left=tuple(ideas[count:]),
    )


def spoken(seconds: float) -> str:
    """For people: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _started(budget: float, workers: int) -> float:
    """What starting workers takes of a budget."""
    return min(_START, 0.15 * budget) if workers > 1 else 0.0


def _shared_out(
    full: Mapping[str, int], costs: Mapping[str, Cost], seconds: float, pace: float, workers: int
) -> dict[str, int]:
    """Steps for each rung: equal time, what one does not need goes to the others; the dearest are left out first.

    seconds: that may pass, with `workers` rungs at once. The two shallowest always stay, however little they get.
    """
    names, all_told = list(full), seconds / pace
    while len(names) > 2:
        dearest = max(names[2:], key=lambda name: costs[name].step)
        if steps_within(all_told / len(names), costs[dearest]) >= max(LEAST_STEPS, full[dearest] // _LEAST_SHARE):
            break
        names.remove(dearest)
    steps, left = {}, all_told
    for place, name in enumerate(sorted(names, key=lambda name: training_seconds(full[name], costs[name]))):
        # One rung is one worker's work, however many there are.
        share = min(left / (len(names) - place), seconds / (pace * min(workers, len(names))))
        steps[name] = max(LEAST_STEPS, min(full[name], steps_within(share, costs[name])))
        left -= training_seconds(steps[name], costs[name])
    # A shallow rung need not run much longer than a deep one: it is there to be compared with.
    most = _LONGER * steps[max(names, key=lambda name: costs[name].step)]
    return {name: min(steps[name], most) for name in full if name in steps}
