"""overfit: a model large enough to fit the training set, and no larger.

"The approach I like to take to finding a good model has two stages: first get a model large enough that it can overfit
(i.e. focus on training loss) and then regularize it appropriately." Karpathy 2019.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from recipe.intervals import t_interval
from recipe.probes.chosen_rung import filters_of, health_of
from recipe.probes.cost import measure_cost
from recipe.probes.learning_rate_edge import measure_edge
from recipe.probes.training_setup import training_setup
from recipe.record.data import Ceiling
from recipe.record.history import History
from recipe.record.overfit import CapacityLadder, LearningRateEdge, OverfitPlan, RateChoice, Rung
from recipe.record.remedies import Remedies
from recipe.record.report import TrialRow
from recipe.record.trial import Outcome
from recipe.trials.compare import of_one
from recipe.trials.here import finished, items_in, single_file
from recipe.trials.ladder import Goal, Step, climb, ladder_for, trial_of
from recipe.trials.mending import try_remedies
from recipe.trials.plan import plan_overfit, spoken
from recipe.trials.plugging import plug_in
from recipe.trials.pool import threads_of, workers_of
from recipe.trials.rates import choose_rate

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

# Steps of a rung on a language model: a long text is not fitted, and a pass over it is long.
_LANGUAGE = 4000


def tell(stage: Stage) -> None:
    """The story of the stage."""
    threads = threads_of(stage.ingredients)

    # Don't be a hero: the standard architecture for this kind of data, from shallow up; the user's own model, if any.
    rungs, own = ladder_for(stage)
    goal = goal_of(stage)

    # A budget becomes a plan before the first long step, and the plan is kept by a run that is gone on with.
    with single_file(threads):
        plan = stage.measure("plan", make_plan, stage, rungs, own)
    assert plan is not None
    sure = "about" if plan.budget else "at most"
    stage.progress.say(f"{sure} {spoken(plan.seconds)}: {len(plan.steps)} rungs, then the learning-rate edge")

    # Get a model large enough: climb until the training error reaches what the labels allow.
    ladder = stage.measure("capacity_ladder", climb_ladder, stage, rungs, plan, goal, own)
    assert ladder is not None
    chosen = next(rung for rung in rungs if rung.name == ladder.best.name)
    ingredients = stage.ingredients.changed(chosen.change)
    trial = trial_of(chosen, plan.steps, goal, stage.seed)
    outcome = finished(trial, stage.folder / "trials", save=False)
    assert outcome is not None

    # Adam is safe: 3e-4, a constant rate. Look at what really happened in the run: its rate, its gradients, its units.
    stage.measure("run", run_of, outcome)
    with single_file(threads):
        stage.measure("setup", training_setup, ingredients, seed=stage.seed, rates=outcome.history.rates)
        stage.measure("unit_health", health_of, ingredients, outcome, stage)
        stage.measure("first_filters", filters_of, ingredients, outcome, stage)

        # How far could the rate go? The largest that does not diverge, over two seeds.
        edge = stage.measure("learning_rate_edge", edge_of, stage, ingredients, plan) if plan.edge_steps else None

    # Why does it not fit? The checks name causes; each standard remedy is tried alone, as an experiment of its own.
    remedies = None
    if not ladder.best.fits and plan.remedies:
        remedies = stage.measure("remedies", try_remedies, stage, trial, outcome, edge, plan)
    mended = remedies.best if remedies is not None else None

    # One thing at a time: only the rate changes, on the same seeds and steps. 3e-4 stays unless it clearly loses.
    choice = None
    found = edge is not None and edge.edge.low > 0 and math.isfinite(edge.edge.high)
    free = outcome.status == "finished" and not stage.given("optimizer.lr") and mended is None
    if edge is not None and found and plan.rates and free:
        rates = [float(f"{share * edge.edge.low:.1e}") for share in stage.settings["shares"][: plan.rates]]
        choice = stage.measure("rate_choice", choose_rate, stage, trial, edge.rate, rates, plan, outcome.seconds)

    # Its signals one by one: each has to bring what it promised.
    if outcome.status == "finished":
        stage.measure("plugged", plug_in, stage, chosen.change, choice, outcome.steps, plan.costs[chosen.name])

    report(stage, ladder, choice, outcome)
    if remedies is not None:
        report_remedies(stage, remedies, outcome.history.steps_per_epoch)


def goal_of(stage: Stage) -> Goal:
    """The training error to reach: what inspect-data found that the labels allow, or zero."""
    found = stage.earlier("inspect-data").get("ceiling", Ceiling)
    reachable = (found.accuracy if found.accuracy is not None else found.r2) if isinstance(found, Ceiling) else None
    ceiling = 1 - reachable if reachable is not None else 0.0
    task, data = stage.ingredients.task, stage.ingredients.data
    chance = task.chance(stage.ingredients.targets(data.train))
    blind = 1 - max(chance.values()) if task.higher_is_better and chance else 1.0
    return Goal(ceiling, float(stage.settings["tolerance"]), blind, len(data.train), task.headline)


def make_plan(stage: Stage, rungs: list[Step], own: bool) -> OverfitPlan:
    """Steps of each rung: the configured length if the user gave one, else the shipped one; cut to fit the budget."""
    costs = {rung.name: measure_cost(stage.ingredients.changed(rung.change), seed=stage.seed) for rung in rungs}
    full = {rung.name: full_steps(stage, stage.ingredients.changed(rung.change)) for rung in rungs}
    mine = rungs[0].name if own else None
    return plan_overfit(full, costs, stage.settings, stage.budget, workers_of(stage.ingredients), mine)


def full_steps(stage: Stage, ingredients: Ingredients) -> int:
    """Length of a rung's run without a budget."""
    if stage.given("train.epochs") or stage.given("train.steps"):
        return ingredients.steps()
    steps = ingredients.changed({"train.epochs": stage.settings["epochs"]}).steps()
    return min(steps, _LANGUAGE) if ingredients.task.time_axis() is not None else steps


def climb_ladder(stage: Stage, rungs: list[Step], plan: OverfitPlan, goal: Goal, own: bool) -> CapacityLadder:
    """All rungs at once under a budget, where none is expected to fit; else one after the other until one does."""
    ladder = climb(
        rungs,
        plan.steps,
        goal,
        seed=stage.seed,
        try_out=lambda trials: stage.try_out(trials, save=True, each=plan.each),
        say=stage.progress.say,
        at_once=plan.budget is not None,
        own=own,
    )
    return msgspec.structs.replace(ladder, unknown=unknown_of(stage, ladder.best))


def unknown_of(stage: Stage, rung: Rung) -> str:
    """Why nobody knows what this net can reach, or "": a bottleneck loses some of any input but the simplest."""
    changed = stage.ingredients.changed(rung.change)
    code = changed.config["model"].get("code")
    if changed.mirrors and isinstance(code, int):
        return f"what {code} numbers in the middle can keep of an input is not known"
    found = stage.earlier("inspect-data").get("ceiling", Ceiling)
    return "" if isinstance(found, Ceiling) else "what the labels allow was not measured"


def edge_of(stage: Stage, ingredients: Ingredients, plan: OverfitPlan) -> LearningRateEdge:
    """Over two seeds."""
    seeds = (stage.seed, stage.seed + 1)
    return measure_edge(ingredients, seeds=seeds, steps=plan.edge_steps, progress=stage.progress)


def run_of(outcome: Outcome) -> History:
    """The history of the chosen rung, by which it is judged."""
    return outcome.history


def report(stage: Stage, ladder: CapacityLadder, choice: RateChoice | None, outcome: Outcome) -> None:
    """Rows, headline numbers, and the lines of recipe.yaml with their evidence."""
    for place, rung in enumerate(ladder.rungs):
        before = ladder.rungs[place - 1].change if place else {}
        stage.row(row_of(rung, ladder, stage.seed, place == ladder.chosen), beside=before)
    best = ladder.best
    stage.headline("train", "error", best.train_error)
    stage.headline("val", ladder.metric, of_one(outcome, ladder.metric, items_in(stage.folder / "trials")))
    reason = why_chosen(ladder)
    for key, value in best.change.items():
        if not stage.given(key):
            stage.decide(key, value, reason)
    if ladder.short and not best.fits:
        stage.note(
            "How long fitting takes is not known: the budget ended before. The length of later runs is not decided."
        )
    elif not stage.given("train.epochs") and not stage.given("train.steps"):
        epochs, because = epochs_for(best, choice, outcome, float(stage.settings["stretch"]))
        stage.decide("train.epochs", epochs, because)
    if choice is not None:
        if choice.rate != choice.used.rate:
            stage.decide("optimizer.lr", choice.rate, choice.why)
        stage.note(f"Rates: {choice.why}.")
    stage.next("recipe regularize", "the training set is fitted: now give some of that up for validation")


def report_remedies(stage: Stage, remedies: Remedies, steps_per_epoch: int) -> None:
    """Rows, and the remedy that works as lines of recipe.yaml: or, where the user fixed its keys, as what to type."""
    for place, one in enumerate(remedies.tried):
        stage.row(
            TrialRow(
                id=one.trial,
                hypothesis=f"{one.name}: expected to {one.expects}",
                change=one.change,
                seeds=tuple(range(stage.seed, stage.seed + one.seeds)),
                metrics={"training loss": one.loss},
                verdict="kept" if place == remedies.kept else "helps" if one.better else "no help",
                note=f"against {one.cause}: {one.why}",
            ),
            beside={},
        )
    best = remedies.best
    if best is None:
        return
    because = f"against {best.cause} of {remedies.rung}, on {best.seeds} seeds: {best.why}"
    for key, value in best.change.items():
        if not stage.given(key):
            stage.decide(key, value, because)
    if best.fit and not stage.given("train.epochs") and not stage.given("train.steps"):
        epochs = best.fit / max(1, steps_per_epoch) * float(stage.settings["stretch"])
        stage.decide(
            "train.epochs", max(2, math.ceil(epochs)), f"{stage.settings['stretch']:g} times what fitting took"
        )
    stage.mend(best.change, f"{best.name} was tried: {best.why}")


def row_of(rung: Rung, ladder: CapacityLadder, seed: int, chosen: bool) -> TrialRow:
    """A rung as a line of report.trials."""
    return TrialRow(
        id=rung.trial,
        hypothesis=f"{rung.name}: expected to {rung.expects}",
        change=rung.change,
        seeds=(seed,),
        metrics={"train error": rung.train_error, f"val {ladder.metric}": t_interval([rung.val])},
        verdict="chosen"
        if chosen
        else "fits"
        if rung.fits
        else rung.status
        if rung.status != "finished"
        else "too small",
        note=f"{rung.parameters:,} parameters, {rung.epochs:.3g} epochs",
    )


def why_chosen(ladder: CapacityLadder) -> str:
    """One phrase with the numbers."""
    best = ladder.best
    error = (
        f"training error {best.train_error.mean:.2%}"
        if ladder.metric == "accuracy"
        else f"training error {best.train_error.mean:.3g}"
    )
    if best.fits:
        fitted = f"the smallest that fits the {ladder.examples:,} examples"
        return f"{best.name} is {fitted}: {error} after {best.epochs:.3g} epochs"
    how = "in the time there was" if ladder.short else f"in {best.epochs:.3g} epochs"
    return f"{best.name} came nearest to fitting {how}: {error}"


def epochs_for(best: Rung, choice: RateChoice | None, outcome: Outcome, stretch: float) -> tuple[float, str]:
    """A multiple of the time to fit: what comes next (regularizers) makes fitting slower."""
    if not best.fits:
        return round(best.epochs, 2), f"as long as {best.name} ran"
    epochs = best.epochs
    chosen = next((one for one in choice.tried if one.rate == choice.rate), None) if choice else None
    if chosen is not None and chosen.fit:
        epochs *= chosen.fit / max(1, outcome.steps)
    reason = (
        f"{stretch:g} times the {epochs:.3g} epochs in which the training set was fitted: regularizers slow that down"
    )
    return max(2, math.ceil(stretch * epochs)), reason
