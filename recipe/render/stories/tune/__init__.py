"""The figures of tune: what was tried on each axis, how the search went on, and who won on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.interval import Interval
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.record.tune import Contender, Importance, Rerun, Searched, SearchPlan
from recipe.render.blocks import Block, Curve, Fact, Facts, Intervals, Mark, Row, Series, Table, missing
from recipe.render.stories.tune.axes import importances, pair, slice_of, space, together
from recipe.render.stories.tune.points import CURVES, TONES, in_state, points, state, states, told
from recipe.render.wording import number

_SHORT = "Short ones came first; their values compare with each other only."
_PRUNERS = {
    "median": "Pruned ones were behind the median of earlier ones at the same epoch.",
    "halving": "Pruned ones were not among the best third of earlier ones at a ninth or a third of the run.",
    "hyperband": "Pruned ones were not among the best third at a rung; generations take turns in their rungs.",
}


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks in the order of the stage; what was not measured says so."""
    plan, found = shelf.get("search_plan", SearchPlan), shelf.get("searched", Searched)
    if not isinstance(plan, SearchPlan):
        return [missing("Nothing was planned", plan)]
    blocks = [_plan(plan)]
    if isinstance(found, Searched):
        importance = shelf.get("importance", Importance)
        blocks += [*_progress(plan, found), *[slice_of(found, axis) for axis in found.axes], space(found)]
        blocks += [*importances(importance), *pair(found, importance), *together(found), *_curves(found)]
    else:
        blocks += [missing("Nothing was searched", found)]
    for name, title in (("rerun", "challengers"), ("schedules", "schedules")):
        record = shelf.get(name, Rerun)
        if isinstance(record, Rerun):
            blocks += [_rerun(record, name, title)]
        elif isinstance(record, Unmeasured):
            blocks += [missing(f"No {title} were compared", record)]
    return [*blocks, _best(found)] if isinstance(found, Searched) else blocks


def _plan(plan: SearchPlan) -> Block:
    facts = [Fact("judged by", f"{plan.split} {plan.metric}", plan.direction)]
    best = f"the best {plan.finalists} and the recipe so far"
    if plan.axes:
        facts.insert(0, Fact("search", plan.search, f"{plan.trials} trials in generations of {plan.generation}"))
        facts.append(Fact("length of a trial", f"{plan.trial_epochs:.3g} epochs", f"{plan.epochs:.3g} on fresh seeds"))
        facts += _coarse(plan)
    else:
        facts.append(Fact("length of a run", f"{plan.epochs:.3g} epochs"))
        best = "the recipe so far, under each schedule"
    facts.append(Fact("fresh seeds", len(plan.fresh_seeds), f"for {best}"))
    if plan.budget:
        facts.append(Fact("budget", f"{plan.budget:.0f} s", "for this stage"))
    checks = ("search-on-validation", "search-direction")
    searched = f"{plan.trials} trials over {len(plan.axes)} numbers and choices"
    return Facts(
        title=searched if plan.axes else "Schedules are compared, and nothing else", facts=facts, checks=checks
    )


def _coarse(plan: SearchPlan) -> list[Fact]:
    part = plan.coarse
    return [Fact("first, short", part.trials, f"{part.epochs:.3g} epochs each, over the whole space")] if part else []


def _progress(plan: SearchPlan, found: Searched) -> list[Block]:
    """Every trial by its number, and the best so far."""
    tried = [t for t in found.tried if math.isfinite(t.value)]
    if not tried:
        return []
    best, line = math.inf, []
    for one in tried:
        best = min(best, found.loss_of(one.value)) if state(one) == "finished" else best
        line.append((best if found.direction == "minimize" else -best) if math.isfinite(best) else None)
    series = [points(name, in_state(tried, name), lambda t: float(t.number)) for name in states(tried)]
    series.append(Series(name="best so far", x=[float(t.number) for t in tried], y=line, style="step", tone="good"))
    reference = found.reference
    marks = [Mark(label="the recipe so far", y=reference.value)] if reference and math.isfinite(reference.value) else []
    top = found.best
    title = (
        f"The best of {len(found.tried)} trials reaches val {found.metric} {number(top.value)}"
        if top
        else "No trial finished"
    )
    return [
        Curve(
            title=title,
            name="search",
            caption=" ".join(
                ["Each point is one training.", _PRUNERS.get(plan.pruner or "", ""), _SHORT if plan.coarse else ""]
            ).strip(),
            series=series,
            x_label="trial",
            y_label=f"val {found.metric}",
            log_y=all(t.value > 0 for t in tried) and found.direction == "minimize",
            marks=marks,
            checks=("trials-finished", "validation-tells-trials-apart"),
        )
    ]


def _curves(found: Searched) -> list[Block]:
    """Learning curves of the trials, the pruned ones pale."""
    shown = [t for t in found.tried if len(t.curve) > 1][:CURVES]
    if not shown:
        return []
    best = found.best
    series = [
        Series(
            name="best" if t is best else "",
            x=[epoch for epoch, _ in t.curve],
            y=[value if math.isfinite(value) else None for _, value in t.curve],
            quiet=t is not best,
            tone="good" if t is best else TONES.get(t.status, "plain"),
        )
        for t in sorted(shown, key=lambda t: t is best)
    ]
    pruned = sum(t.status == "pruned" for t in found.tried)
    positive = all(value > 0 for t in shown for _, value in t.curve if math.isfinite(value))
    return [
        Curve(
            title=f"{pruned} of {len(found.tried)} trials were stopped before their end",
            name="learning-curves",
            caption="The objective at every evaluation of every trial.",
            series=series,
            x_label="epoch",
            y_label=f"val {found.metric}",
            log_y=positive and found.direction == "minimize",
            checks=("trials-finished",),
        )
    ]


def _rerun(record: Rerun, name: str, title: str) -> Block:
    """Objective over fresh seeds, a row a contender."""
    rows = []
    for index, one in enumerate(record.contenders):
        kept = index == record.winner
        note = f"gains {number(record.gains[index - 1].mean)}" if index else "stays" if kept else "reference"
        rows.append(Row(label=one.name, interval=_spread(one), note=note, tone="good" if kept else "plain"))
    won = record.adopted.name if record.winner else "nothing beats the recipe so far"
    if name == "schedules" and not record.winner:
        won = f"{record.adopted.name} stays"
    optimism = "" if record.optimism is None else f" The search was {record.optimism:+.2g} too hopeful."
    return Intervals(
        title=f"On {len(record.seeds)} fresh seeds: {won}",
        name=f"fresh-{title}",
        caption=f"Mean, best and worst seed of each. Noise of one seed: {number(record.noise)}.{optimism}",
        rows=rows,
        label=f"val {record.metric}",
        checks=("winner-beats-noise",) if name == "rerun" else ("schedule-beats-noise",),
    )


def _best(found: Searched) -> Block:
    """The ten best trials."""
    names = [axis.name for axis in found.axes]
    rows: list[list[Any]] = [
        [t.number, number(t.value), number(t.headline), *(told(found.value_at(axis, t)) for axis in found.axes)]
        for t in found.ranked[:10]
    ]
    return Table(
        title="The best trials of the search",
        name="best-trials",
        caption="Trial 0 is the recipe so far. One seed each: differences inside the noise mean nothing.",
        columns=["trial", f"val {found.metric}", f"val {found.headline}", *names],
        rows=rows,
    )


def _spread(one: Contender) -> Interval | None:
    """Mean, lowest and highest over the seeds."""
    values = [value for value in one.objective if math.isfinite(value)]
    return Interval(sum(values) / len(values), min(values), max(values), len(values)) if values else None
