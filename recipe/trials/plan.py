"""Budgets into plans: seconds per step, measured once, decide steps, seeds and ideas before the first long step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recipe.lengths import LEAST_STEPS, pace_of, steps_within, training_seconds
from recipe.record.overfit import Cost, OverfitPlan
from recipe.record.regularize import RegularizePlan
from recipe.trials.ideas.proposal import Proposal

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
# What a budget of regularize is spent on as long as it can be.
_FEWER_SEEDS, _MANY_IDEAS, _FEW_IDEAS = 3, 12, 5
# A rung that gets less than this part of its run says nothing, and is left out.
_LEAST_SHARE = 50


def plan_overfit(
    full: Mapping[str, int],
    costs: Mapping[str, Cost],
    settings: Mapping[str, Any],
    budget: float | None,
    workers: int,
    own: str | None = None,
) -> OverfitPlan:
    """full: steps of each rung in the shipped plan, from the shallowest up; costs: of each rung. own: the rung that is
    the user's own model, which is gone on with whatever comes of the others."""
    seeds, rates, edge = int(settings["seeds"]), len(settings["shares"]), int(settings["edge_steps"])
    pace = pace_of(workers)
    if budget is None:
        steps = dict(full)
    else:
        usable = budget - _started(budget, workers)
        steps = _shared_out(full, costs, usable * _LADDER, pace, workers, own)
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
    ideas: Sequence[Proposal],
    cost: Cost,
    full: int,
    settings: Mapping[str, Any],
    budget: float | None,
    workers: int,
) -> RegularizePlan:
    """ideas: in the order in which they will be tried, without those that cost no training. full: steps, as shipped."""
    fractions = tuple(float(f) for f in settings["fractions"])
    seeds = int(settings["seeds"])
    pace = pace_of(workers)

    def seconds(tried: Sequence[Proposal], over: int, steps: int, curve: Sequence[float]) -> float:
        # The reference on all seeds, each idea on as many as the race leaves it; a fifth are winners and run again on
        # top of others; both ends on fresh seeds.
        runs = over + sum(idea.cost for idea in tried) * _raced(over) + over * math.ceil(len(tried) / 5)
        runs += 2 * min(over, int(settings["fresh"])) if over > 1 else 0
        # A part of the data is trained on for as many steps as the whole.
        return pace * (runs + len(curve) * min(over, CURVE_SEEDS)) * training_seconds(steps, cost)

    def plan(tried: Sequence[Proposal], over: int, steps: int, curve: Sequence[float]) -> RegularizePlan:
        names = [idea.name for idea in tried]
        return RegularizePlan(
            ideas=tuple(names),
            seeds=over,
            steps=steps,
            fractions=tuple(curve),
            each=training_seconds(steps, cost),
            seconds=seconds(tried, over, steps, curve),
            budget=budget,
            left=tuple(idea.name for idea in ideas if idea.name not in names),
        )

    if budget is None:
        return plan(ideas, seeds, full, fractions)
    usable = 0.9 * (budget - _started(budget, workers))
    tried, over, curve = list(ideas), seeds, fractions
    # Given up in this order: the fourth seed, the least promising ideas down to twelve, the learning curve, seeds down
    # to two, ideas down to five, the second seed, length.
    if seconds(tried, over, full, curve) > usable:
        over = min(over, _FEWER_SEEDS)
    while seconds(tried, over, full, curve) > usable and len(tried) > _MANY_IDEAS:
        tried.remove(_least(tried))
    if seconds(tried, over, full, curve) > usable:
        curve = ()
    while seconds(tried, over, full, curve) > usable and over > 2:
        over -= 1
    while seconds(tried, over, full, curve) > usable and len(tried) > _FEW_IDEAS:
        tried.remove(_least(tried))
    if seconds(tried, over, full, curve) > usable:
        over = 1
    steps = full
    while seconds(tried, over, steps, curve) > usable and steps > 50:
        steps = int(steps * 0.9)
    return plan(tried, over, steps, curve)


def _raced(seeds: int) -> float:
    """Seeds that the race leaves an idea on average, where four of five do nothing (tests/trials/test_racing.py)."""
    return min(float(seeds), 0.45 + 0.5 * seeds)


def _least(ideas: Sequence[Proposal]) -> Proposal:
    """The least promising; of several the dearest."""
    return max(ideas, key=lambda idea: (idea.promise, idea.cost))


def spoken(seconds: float) -> str:
    """For people: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _started(budget: float, workers: int) -> float:
    """What starting workers takes of a budget."""
    return min(_START, 0.15 * budget) if workers > 1 else 0.0


def _shared_out(
    full: Mapping[str, int],
    costs: Mapping[str, Cost],
    seconds: float,
    pace: float,
    workers: int,
    own: str | None,
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
    return {name: steps[name] if name == own else min(steps[name], most) for name in full if name in steps}
