"""Tune: "in the loop", over a wide space. Random search first, the schedule last, and no claim inside the noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from recipe.instantiation import instantiate
from recipe.intervals import t_interval
from recipe.lengths import pace_of, seconds_of
from recipe.probes.cost import measure_cost
from recipe.probes.rerun import compare_contenders, contender
from recipe.record.axis import Axis
from recipe.record.evidence import CannotMeasure
from recipe.record.report import TrialRow
from recipe.record.trial import Change, Pruning
from recipe.record.tune import Rerun, Round, Searched, SearchPlan, Tried
from recipe.search.database import Database, study_name
from recipe.search.importance import measure_importance
from recipe.search.plan import plan_search
from recipe.search.rounds import Rounds, search_space
from recipe.search.search import Search
from recipe.search.space import default_space, describe, read_space
from recipe.search.trying import fresh_trials, trials_of, tried_of
from recipe.trials.here import single_file
from recipe.trials.plan import spoken
from recipe.trials.pool import threads_of, workers_of

if TYPE_CHECKING:
    from recipe.stages.stage import Stage


def tell(stage: Stage) -> None:
    """The story of the stage."""
    # The space first: the user's own ranges, or wide ones around what the earlier stages found, log scales where a
    # number acts by its size. A search on the wrong split or in the wrong direction is not begun.
    plan = stage.measure("search_plan", plan_stage, stage)
    assert plan is not None
    if plan.problem == "no-room":
        told = f"runs of {plan.epochs:.2g} of the recipe's {plan.own_epochs:.3g} epochs"
        stage.note(f"Nothing was searched: the budget has room for {told} only, and what wins so early misleads.")
        stage.next("recipe ensemble", "the recipe stays as it is; with a larger budget, or none, tune searches")
        return
    if plan.problem:
        stage.note(f"Nothing was searched: to {plan.direction} {plan.split}.{plan.metric} leads away from good models.")
        return
    if plan.left_out:
        told = (
            f"runs of {plan.epochs:.2g} of the recipe's {plan.own_epochs:.3g} epochs on {len(plan.fresh_seeds)} seeds"
        )
        stage.note(f"Only schedules were compared: the budget has room for {told}, too little for a search as well.")
    stage.progress.say(f"{announced(plan)}; about {spoken(plan.estimate or 0)}")

    # "Random over grid search", coarse to fine: few passes over wide ranges, then more where the best of them lie.
    # Trial 0 is the recipe so far. Those behind earlier ones are stopped, diverged ones count as the worst: results.
    found = stage.measure("searched", search, stage, plan)
    for tried in found.tried if found else ():
        stage.row(row_of(tried, plan))
    if found and (found.best is None or found.reference is None):
        stage.note("No trial came to a usable number: the recipe stays as it is.")
        return

    # Which axes were worth it?
    if found:
        stage.measure("importance", measure_importance, found, seed=stage.seed)

    # The best of many trials is partly the luckiest (winner's curse). It is run again beside the recipe so far, on
    # seeds that the search never saw, and is taken on only if it wins by more than their noise.
    rerun = stage.measure("rerun", run_again, stage, plan, finalists(plan, found))
    assert rerun is not None
    tell_rerun(stage, rerun)
    for key, value in rerun.adopted.change.items():
        stage.decide(key, value, because_of(rerun))

    # "Tune the learning-rate decay at the very end": only now a schedule, on the winner and the same seeds.
    final = rerun.adopted
    if plan.schedules:
        schedules = stage.measure("schedules", run_schedules, stage, plan, rerun)
        assert schedules is not None
        tell_rerun(stage, schedules)
        final = schedules.adopted
        for key, value in final.change.items() if schedules.winner else ():
            if key not in rerun.adopted.change:
                stage.decide(key, value, because_of(schedules))

    stage.headline("val", plan.headline, t_interval(final.headline))
    stage.headline("val", plan.metric, t_interval(final.objective))
    stage.next("recipe ensemble", "the recipe is complete: its last juice, then the sealed test split")


def plan_stage(stage: Stage) -> SearchPlan:
    """The space and how much of it can be tried; a short measurement says what a training costs."""
    ingredients, asked = stage.ingredients, stage.ingredients.config["search"]["space"]
    axes = read_space(asked or {}, ingredients.config) or default_space(
        ingredients.config, free=lambda key: not stage.given(key)
    )
    for axis in axes:  # an unknown key, or a value that it cannot have, is refused before anything is trained
        ingredients.composed.changed({axis.key: axis.choices[0] if axis.scale == "choice" else axis.low})
    with single_file(threads_of(ingredients)):
        cost = measure_cost(ingredients, seed=stage.seed)

    current = ingredients.composed.choices.get("schedule")
    schedules = [] if stage.given("schedule") else [s for s in stage.settings["schedules"] or [] if s != current]
    seconds, pace = seconds_of(ingredients, cost), pace_of(workers_of(ingredients))
    return plan_search(ingredients, axes, schedules, seconds, budget=stage.budget, pace=pace)


def search(stage: Stage, plan: SearchPlan) -> Searched:
    """All trials of the search. CannotMeasure where there is nothing to search."""
    if not plan.axes:
        raise CannotMeasure(
            "the budget has room for schedules alone"
            if plan.left_out
            else "every number is given, so none was searched"
        )
    config = stage.ingredients.config["search"]

    url = config["storage"] or f"sqlite:///{stage.folder.resolve() / 'study.db'}"
    config_seen = stage.ingredients.composed.masked
    database = Database(url, study_name(config_seen["run"]["name"], plan, config_seen), plan)

    def make(axes: list[Axis], seed: int) -> Search:
        made: Search = instantiate(config["sampler"], axes, seed, where="search.sampler")
        return made

    def evaluate(part: Round, first: int, changes: Sequence[Change], pruning: Pruning | None) -> list[Tried]:
        trials = trials_of(stage.ingredients, plan, part.epochs, first, changes, pruning)
        outcomes = stage.try_out(trials, each=part.seconds)
        short = part == plan.coarse
        return [tried_of(plan, number, outcome, short=short) for number, outcome in enumerate(outcomes, first)]

    # A budget has no room for a generation that was not planned; the check then names the wider range.
    rounds = Rounds(plan, make, evaluate, stage.folder, database)
    return search_space(rounds, beyond_ends=config["widen"] and plan.budget is None)


def finalists(plan: SearchPlan, found: Searched | None) -> list[tuple[str, Change, float | None]]:
    """(name, change, what the search measured): the recipe so far, and the best that the search found better."""
    reference = found.reference if found else None
    if found is None or reference is None:
        return [("the recipe so far", {}, None)]
    better = [t for t in found.ranked if t.change and found.loss_of(t.value) < found.loss_of(reference.value)]
    best = [(describe(t.change), t.change, t.value) for t in better[: plan.finalists]]
    return [("the recipe so far", reference.change, reference.value), *best]


def run_again(stage: Stage, plan: SearchPlan, chosen: Sequence[tuple[str, Change, float | None]]) -> Rerun:
    """The recipe so far and the best of the search, each on every fresh seed."""
    runs = [fresh_trials(stage.ingredients, plan, name, change) for name, change, _ in chosen]
    outcomes = iter(stage.try_out([trial for trials in runs for trial in trials], each=plan.seconds))
    contenders = [
        contender(plan, name, change, [next(outcomes) for _ in trials], searched)
        for (name, change, searched), trials in zip(chosen, runs, strict=True)
    ]
    return compare_contenders(plan, contenders, higher_is_better=stage.ingredients.task.higher_is_better)


def run_schedules(stage: Stage, plan: SearchPlan, rerun: Rerun) -> Rerun:
    """The winner under other schedules, beside itself as it was run already.

    If nothing had won, the best challenger too: a higher rate often pays only once it is let down in the end.
    """
    current = stage.ingredients.composed.choices.get("schedule", "as it is")
    contenders = [msgspec.structs.replace(rerun.adopted, name=f"schedule {current}", searched=None)]
    changes: dict[str, Change] = {f"schedule {s}": {**rerun.adopted.change, "schedule": s} for s in plan.schedules}
    if not rerun.winner and rerun.gains:
        best = rerun.contenders[1 + max(range(len(rerun.gains)), key=lambda i: rerun.gains[i].mean)]
        changes |= {f"schedule {s}, {best.name}": {**best.change, "schedule": s} for s in plan.schedules}
    runs = [fresh_trials(stage.ingredients, plan, name, change) for name, change in changes.items()]
    outcomes = iter(stage.try_out([trial for trials in runs for trial in trials], each=plan.seconds))
    contenders += [
        contender(plan, name, change, [next(outcomes) for _ in trials])
        for (name, change), trials in zip(changes.items(), runs, strict=True)
    ]
    return compare_contenders(plan, contenders, higher_is_better=stage.ingredients.task.higher_is_better)


def tell_rerun(stage: Stage, rerun: Rerun) -> None:
    """Rows and a line for what ran on fresh seeds."""
    for index, one in enumerate(rerun.contenders):
        stage.row(
            TrialRow(
                id=f"fresh-{'-'.join(one.name.replace(',', '').split())}",
                hypothesis=f"{one.name}, on fresh seeds",
                change=one.change,
                seeds=rerun.seeds,
                metrics={rerun.metric: t_interval(one.objective), rerun.headline: t_interval(one.headline)},
                verdict="reference" if not index else "kept" if index == rerun.winner else "dropped",
                note=f"gains {rerun.gains[index - 1]} in val {rerun.metric}" if index else "",
            )
        )
    won = rerun.adopted.name if rerun.winner else f"nothing beats {rerun.adopted.name}"
    stage.progress.say(f"on {len(rerun.seeds)} fresh seeds: {won} (noise {rerun.noise:.2g})")


def announced(plan: SearchPlan) -> str:
    """What will be run, before it is."""
    fresh = f"{len(plan.fresh_seeds)} fresh seeds"
    if not plan.axes:
        return f"nothing to search: the recipe so far on {fresh}, and {len(plan.schedules)} schedules beside it"
    full = f"{plan.fine.trials} trials of {plan.trial_epochs:.3g} epochs"
    rounds = f"{plan.coarse.trials} of {plan.coarse.epochs:.3g} epochs, then {full}" if plan.coarse else full
    keys = ", ".join(axis.key for axis in plan.axes)
    return f"{plan.search} search by {plan.split} {plan.metric}: {rounds} over {keys}; {fresh} for the best"


def because_of(rerun: Rerun) -> str:
    """Why the winner was taken on."""
    gain, headline = rerun.gains[rerun.winner - 1], rerun.headline_gains[rerun.winner - 1]
    seen = f"val {rerun.metric} is better by {gain} over {len(rerun.seeds)} fresh seeds"
    return f"{rerun.adopted.name}: {seen}" + (
        f", {rerun.headline} by {headline}" if rerun.metric != rerun.headline else ""
    )


def row_of(tried: Tried, plan: SearchPlan) -> TrialRow:
    """One trial of the search in the report's table."""
    metrics: dict[str, Any] = {plan.metric: t_interval([tried.value]), plan.headline: t_interval([tried.headline])}
    return TrialRow(
        id=tried.trial,
        hypothesis=describe(tried.change),
        change=tried.change,
        seeds=(plan.seed,),
        metrics=metrics,
        verdict="reference" if not tried.change else "searched" if tried.status == "finished" else tried.status,
        note=tried.note or ("short" if tried.short else ""),
    )
