"""regularize: give up some training loss for validation loss.

"At this point we have a large model that is fitting at least the training set. Now it is time to regularize it and gain
some validation accuracy by giving up some of the training accuracy." Karpathy 2019.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from recipe.intervals import t_interval
from recipe.probes.cost import measure_cost
from recipe.probes.learning_curve import Point, fit_learning_curve
from recipe.probes.pretrained import measure_pretrained
from recipe.probes.side_effects import measure_batch_noise, measure_decay_beside, measure_variance_shift
from recipe.probes.training_setup import training_setup
from recipe.probes.tried_augmentations import measure_tried
from recipe.record.evidence import CannotMeasure
from recipe.record.regularize import Combination, LearningCurve, Reference, RegularizePlan, Regularizers
from recipe.record.report import TrialRow
from recipe.trials.contest import Contest
from recipe.trials.here import single_file
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.ideas.proposed import applicable, ideas_for, theirs
from recipe.trials.plan import plan_regularize, spoken
from recipe.trials.pool import threads_of, workers_of
from recipe.trials.stopping import kept_weights

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

SUPERVISED = (
    "Self-supervised pretraining is not tried: on data sets of this size it has hardly ever beaten supervised learning "
    'or weights that were pretrained on more data (Karpathy 2019, "stick with supervised learning"). Weights that '
    "you have are tried with regularize.pretrained=FILE."
)


def tell(stage: Stage) -> None:
    """The story of the stage."""
    threads = threads_of(stage.ingredients)
    ideas = ideas_of(stage)
    with single_file(threads):
        plan = stage.measure("plan", make_plan, stage, ideas)
    assert plan is not None
    stage.progress.say(
        f"about {spoken(plan.seconds)}: {len(plan.ideas)} ideas on {plan.seeds} seeds, {plan.steps} steps each"
    )
    contest = Contest(stage, [idea for idea in ideas if idea.name in plan.ideas], plan)

    # What there is to give up: overfit's model on paired seeds, without any regularizer.
    reference = stage.measure("reference", contest.run_reference)
    assert reference is not None

    # Every idea alone against it. Averaged weights go first: where they help, the others are compared on top of them,
    # in less noise. Early stopping costs nothing: it is read off runs that are there.
    regularizers = stage.measure("regularizers", contest.try_ideas)
    assert regularizers is not None

    # The winners, one at a time, while each still pays; then once more on seeds that had no part in the choice.
    combination = stage.measure("combination", contest.add_winners, regularizers)
    assert combination is not None

    # First of all, get more data. What would they bring, beside all that?
    curve = stage.measure("learning_curve", curve_of, stage, contest, plan)

    with single_file(threads):
        side_effects(stage, stage.ingredients.changed(combination.change), contest, combination)
    stage.measure("kept_weights", kept_weights, contest.outcomes_of(combination.change), stage.ingredients)
    report(stage, plan, reference, regularizers, combination, curve)


def side_effects(stage: Stage, final: Ingredients, contest: Contest, combination: Combination) -> None:
    """What regularizers do besides: to batch norms, to norms and biases, to labels; what became of weights."""
    rates, seed = contest.reference_outcomes[0].history.rates, stage.seed
    stage.measure("setup", training_setup, final, seed=seed, rates=rates)
    stage.measure("variance_shift", measure_variance_shift, final, seed=seed)
    stage.measure("decay_beside", measure_decay_beside, final, seed=seed, rates=rates)
    batch = int(final.config["train"]["batch_size"])
    sizes = [batch, *(b for b in (batch // 2, batch // 4) if b > 1)]
    stage.measure("batch_noise", measure_batch_noise, final, seed=seed, sizes=sizes)
    stage.measure("tried_augmentations", measure_tried, stage.ingredients, contest.augmentations(combination), seed)
    source = stage.settings["pretrained"]
    given = stage.ingredients.changed({"model.pretrained": source}) if source else stage.ingredients
    stage.measure("pretrained", measure_pretrained, given)


def ideas_of(stage: Stage) -> list[Proposal]:
    """Those that apply here; of the others the reason is told."""
    nodes = stage.settings["ideas"]
    if nodes is not None:
        proposed = theirs(nodes)
    else:
        seen, steps = stage.earlier("inspect-data"), stage.ingredients.steps()
        proposed = ideas_for(stage.ingredients, steps=steps, given=stage.given, found=seen, settings=stage.settings)
    found = []
    for idea in proposed:
        reason = applicable(stage.ingredients, idea)
        if reason:
            stage.note(f"{idea.name} was not tried: {reason}.")
        else:
            found.append(idea)
    return found


def make_plan(stage: Stage, ideas: list[Proposal]) -> RegularizePlan:
    """Ideas, seeds and steps: the shipped ones, or what fits the budget."""
    cost = measure_cost(stage.ingredients, seed=stage.seed)
    full = stage.ingredients.steps()
    return plan_regularize(ideas, cost, full, stage.settings, stage.budget, workers_of(stage.ingredients))


def curve_of(stage: Stage, contest: Contest, plan: RegularizePlan) -> LearningCurve:
    """The net on parts of the training data, as many steps as on all of them, and the law through the points."""
    if not plan.fractions:
        raise CannotMeasure("the budget has no room for a learning curve")
    task, data = stage.ingredients.task, stage.ingredients.data
    sizes = [round(fraction * len(data.train)) for fraction in plan.fractions]
    outcomes = contest.run_subsets(sizes)
    points = [
        Point(
            size,
            [o.value("val", "error") for o in group if o.status == "finished"],
            t_interval([o.value("train", "error") for o in group if o.status == "finished"]).mean,
        )
        for size, group in zip([*sizes, len(data.train)], [*outcomes, contest.ground_outcomes], strict=True)
    ]
    return fit_learning_curve(points, metric=task.headline, val_examples=len(data.val), seed=stage.seed)


def report_rows(stage: Stage, reference: Reference, regularizers: Regularizers) -> None:
    """The net as it came, and each idea beside it."""
    stage.row(
        TrialRow(
            id="reference",
            hypothesis="overfit's net without any regularizer: expected to overfit",
            change={},
            seeds=reference.seeds,
            metrics={f"train {reference.metric}": reference.train, f"val {reference.metric}": reference.val},
            verdict="reference",
        )
    )
    for idea in regularizers.ideas:
        metrics = {
            f"train {reference.metric}": idea.train,
            f"val {reference.metric}": idea.val,
            "gain": idea.gain.difference,
        }
        stage.row(
            TrialRow(
                id=idea.name,
                hypothesis=f"{idea.name}: {idea.hypothesis}",
                change={**regularizers.under(idea), **idea.change},
                seeds=reference.seeds[: idea.seeds],
                metrics=metrics,
                verdict=idea.verdict,
                note=idea.why,
            ),
            beside=regularizers.under(idea),
        )


def report(
    stage: Stage,
    plan: RegularizePlan,
    reference: Reference,
    regularizers: Regularizers,
    combination: Combination,
    curve: LearningCurve | None,
) -> None:
    """Rows, headline numbers, and the lines of recipe.yaml with their evidence."""
    report_rows(stage, reference, regularizers)
    stage.headline("train", reference.metric, combination.train)
    stage.headline("val", reference.metric, combination.val)
    stage.headline("val", "loss", combination.val_loss)
    for key, value in combination.change.items():
        by = [f"{added.name}: {added.why}" for added in combination.added if added.kept and key in added.change]
        stage.decide(key, value, "; ".join(by))
    stage.note(SUPERVISED)
    if regularizers.ground:
        stage.note(
            f"{regularizers.ground}: helps, so the ideas after it were compared with it on both sides, and so is the "
            "learning curve."
        )
    full = stage.ingredients.steps()
    shortened = math.log2(full / plan.steps)
    late = [f"{i.name} ({i.trend})" for i in regularizers.ideas if shortened > 0 and i.pays_late(shortened)]
    if late:
        stage.note(
            f"Not kept after the {plan.steps} steps that the budget had room for, but by their trend better after the "
            f"recipe's own {full}: {', '.join(late)} of validation loss gained with each doubling of the length. A "
            "larger budget decides."
        )
    if plan.left:
        stage.note(f"The budget had no room for: {', '.join(plan.left)}.")
    if not combination.change:
        stage.note("Nothing that was tried helps by more than the noise between seeds; the net stays as it is.")
    if curve is not None:
        double = next(forecast for forecast in curve.forecasts if forecast.times == 2)
        stage.note(f"Twice the data would bring the validation error from {curve.now.mean:.3g} to {double.error}.")
    stage.next("recipe tune", "what helps is known: now search rates, strengths and sizes together")
