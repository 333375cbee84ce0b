"""baseline: set up the end-to-end training and evaluation skeleton, trust it, and get dumb baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.probes.augmented import measure_augmented
from recipe.probes.capacity import measure_capacity
from recipe.probes.causality import measure_causality
from recipe.probes.controls import measure_controls
from recipe.probes.cost import measure_cost
from recipe.probes.dependencies import measure_dependencies
from recipe.probes.determinism import Elsewhere, measure_determinism
from recipe.probes.dumb_baselines import measure_dumb_baselines
from recipe.probes.equivalences import measure_equivalences
from recipe.probes.evaluation_proof import prove_evaluation
from recipe.probes.function_pairs import measure_pairs
from recipe.probes.gradient_check import measure_gradients
from recipe.probes.human import measure_human
from recipe.probes.initial_loss import measure_initial_loss
from recipe.probes.just_before import show_just_before
from recipe.probes.layer_signals import measure_signals
from recipe.probes.layers_at_start import measure_layers
from recipe.probes.learning_rate_edge import measure_edge
from recipe.probes.loss_proof import prove_loss
from recipe.probes.metric_proof import prove_metrics
from recipe.probes.model_summary import summarize_model
from recipe.probes.one_batch import measure_one_batch
from recipe.probes.outputs import measure_outputs
from recipe.probes.prediction_dynamics import measure_dynamics
from recipe.probes.prior_bias import measure_prior_bias
from recipe.probes.probe import operations, outputs_of, plain_learner, sample, settled, threads_for, trainable
from recipe.probes.reference import EARLY, Reference
from recipe.probes.simple_to_complex import measure_simple_to_complex
from recipe.probes.simplicity import measure_simplicity
from recipe.probes.speed_ups import measure_speed_ups
from recipe.probes.transforms import measure_sampling, measure_transforms
from recipe.probes.wiring import measure_wiring
from recipe.record.baseline import BaselinePlan, PriorBias
from recipe.record.report import TrialRow

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage
    from recipe.training.batch import Batch
    from recipe.training.learner import Learner

WORTH = 0.02
"""The prior goes into the last layer's bias when it saves this share of the initial loss."""
OPERATIONS = 2e12
"""What all short runs together take in the shipped plan, in multiplications and additions."""
PARTS = {"reference": 0.3, "control": 0.25, "capacity": 0.12, "edge": 0.18, "parts": 0.15}
"""How they share it."""
RATES = 10
"""About so many rates are tried on the way to the edge, over two seeds."""


def tell(stage: Stage) -> None:
    """The section of the post, from top to bottom."""
    # No decay, no augmentation, no regularizer: the skeleton is the user's own model, loss and optimizer, no more.
    skeleton = stage.ingredients.changed({"schedule": "constant", "regularizers.label_smoothing": None})
    task, seed = skeleton.task, stage.seed
    items = sample(skeleton, "train", 256, seed=seed)
    learner = plain_learner(skeleton, seed)
    task.check(learner.model(items.inputs), items.targets)
    cost = operations(learner.model, items)
    repeat = {"steps": 6, "batch_size": min(32, skeleton.config["train"]["batch_size"])}
    with (
        threads_for(cost, skeleton.config["engine"]["threads"]),
        Elsewhere(skeleton.composed, seed, **repeat) as elsewhere,
    ):
        # Fix the random seed: the same run, twice here and once in a new process, which starts now and is asked last.
        if stage.wants("determinism") and "determinism" not in stage.shelf.names():
            elsewhere.begin()

        # Simplify: everything that makes training harder on purpose is off, seen on the objects themselves.
        stage.measure("simplicity", measure_simplicity, stage.ingredients, seed)

        # Visualize just before the net: the very tensors that model(x) gets, augmented ones beside plain ones.
        stage.measure("just_before", show_just_before, stage.ingredients, seed, stage.shelf)
        stage.measure("transforms", measure_transforms, stage.ingredients, seed)
        stage.measure("augmented", measure_augmented, stage.ingredients, seed)
        stage.measure("sampling", measure_sampling, stage.ingredients, seed)

        # What can a person do? Numbers of those who have answered beside the net's.
        stage.measure("human", measure_human, skeleton.data, stage.run.path)

        # The model at a glance: what it is made of, and what a pass costs.
        stage.measure("model_summary", summarize_model, learner.model, items)

        # The loss and the metrics are tried on outputs of known quality, in the form in which the model gives them.
        form = task.form(outputs_of(learner.model, items.inputs))
        targets = skeleton.targets(skeleton.data.train)
        stage.measure("loss", prove_loss, task, skeleton.loss, targets, form, target=_target(skeleton))
        stage.measure("metrics", prove_metrics, task, skeleton.metrics, targets, form)
        if not trainable(learner, items):
            stage.note("The loss has no gradient by the model's parameters, so nothing else was measured.")
            return
        plan = stage.measure("plan", _plan, stage, skeleton, cost)
        assert plan is not None
        stage.progress.say(
            f"short runs on {plan.items} training and {plan.val_items} validation items, {plan.reference} steps for "
            f"the net and {plan.control} for each control: about {plan.seconds:.0f} s"
        )
        decided = _trust_the_skeleton(stage, skeleton, learner, items, plan)
        _beat_dumb_baselines(stage, decided, plan)
        stage.measure("determinism", measure_determinism, skeleton, seed, elsewhere, **repeat)
    stage.next("recipe overfit", "the skeleton is sound: now a model large enough to fit the training set")


def _trust_the_skeleton(
    stage: Stage, skeleton: Ingredients, learner: Learner, items: Batch, plan: BaselinePlan
) -> Ingredients:
    """From the significant digits to the one batch; the skeleton with what was decided about it."""
    # A model after a few steps speaks of outputs and dependencies better than a fresh one: a layer may start at zero.
    model = settled(skeleton, stage.seed)
    seeds = range(stage.seed, stage.seed + plan.seeds)
    stage.measure("outputs", measure_outputs, skeleton.task, model, skeleton.loss, items, skeleton.num_outputs)

    # Add significant digits: one evaluation gives one number, in whatever batches and order it is computed.
    stage.measure("evaluation", prove_evaluation, skeleton, model, seed=stage.seed)

    # Verify the loss at init: what loss and data imply, against several fresh nets, and what the fresh layers are like.
    stage.measure("initial_loss", measure_initial_loss, skeleton, seeds)
    stage.measure("layers", measure_layers, learner, model, items)

    # Init well: the prior in the last layer's bias removes the hockey stick from the loss curve.
    prior = stage.measure("prior_bias", measure_prior_bias, skeleton, seeds, steps=plan.control, items=plan.items)
    if prior is not None and _decide_prior(stage, prior):
        skeleton = skeleton.changed({"init.prior_bias": True})

    # Wiring: what should train trains. Dependencies: an output depends on its own example, on all of it, on no other.
    stage.measure("wiring", measure_wiring, skeleton, stage.seed)
    stage.measure("dependencies", measure_dependencies, model, items)
    stage.measure("causality", measure_causality, skeleton.task, model, skeleton.loss, items)

    # Check the gradient: backpropagation beside differences, for the loss, the layers and all that the user wrote.
    stage.measure("gradient_check", measure_gradients, skeleton, stage.seed)

    # Generalize a special case: in a batch, in another layout, in fewer bits, and vectorised, the same comes out.
    stage.measure("equivalence", measure_equivalences, skeleton, model, learner, items)
    stage.measure("pairs", measure_pairs, skeleton, model, items)
    stage.measure("speed_ups", measure_speed_ups, skeleton, seed=stage.seed)

    # Overfit one batch: a handful of examples, down to the lowest achievable loss.
    stage.measure("one_batch", measure_one_batch, skeleton, stage.seed, stage.shelf, items=stage.settings["batch"])
    return skeleton


def _beat_dumb_baselines(stage: Stage, skeleton: Ingredients, plan: BaselinePlan) -> None:
    """What the net has to beat: itself without inputs, simple models, and itself with less capacity."""
    seeds = range(stage.seed, stage.seed + plan.seeds)
    sizes = {"items": plan.items, "val_items": plan.val_items}
    reference = Reference(skeleton, stage.seed, steps=plan.reference, **sizes)

    # Input-independent baseline: real inputs must beat blank and shuffled ones by more than the seeds differ.
    stage.measure("controls", measure_controls, skeleton, seeds, steps=plan.control, **sizes)

    # Dumb baselines: the net after a short training beside what takes no net at all.
    found = stage.measure("baselines", measure_dumb_baselines, reference)

    # Visualize prediction dynamics: the same items, asked again and again while the net trains.
    stage.measure("dynamics", measure_dynamics, reference)

    # Look at every layer: activations forwards, gradients backwards, before training and after a few steps.
    stage.measure("signals", measure_signals, reference, early=EARLY, dead_items=plan.items)

    # Verify decreasing training loss: a little more capacity must help.
    stage.measure("capacity", measure_capacity, skeleton, seeds[:2], steps=plan.capacity, items=plan.items)

    # From simple to complex: two classes first, the rest step by step.
    stage.measure("simple_to_complex", measure_simple_to_complex, skeleton, stage.seed, steps=plan.parts, **sizes)

    # The largest rate that does not diverge, over two seeds.
    stage.measure("edge", measure_edge, skeleton, seeds=seeds[:2], steps=plan.edge, precision=2.0)
    if found is None:
        return
    stage.headline("val", found.metric, found.net)
    for rival in found.rivals:
        stage.row(
            TrialRow(
                id=rival.name.replace(" ", "-"),
                hypothesis=f"the net beats {rival.name}",
                change={},
                seeds=(stage.seed,),
                metrics={found.metric: rival.score},
                verdict="reference",
            )
        )


def _plan(stage: Stage, skeleton: Ingredients, cost: float) -> BaselinePlan:
    """Steps of the short runs: a function of the model's cost alone, or of the clock where there is a budget.

    cost: operations of a forward pass, an item; a training step takes three times that for each of its items.
    """
    step = measure_cost(skeleton, seed=stage.seed).step
    seeds = int(stage.settings["seeds"])
    batch_size = skeleton.config["train"]["batch_size"]
    total = OPERATIONS / max(1.0, 3 * cost * batch_size) if stage.budget is None else 0.6 * stage.budget / step
    # small batches need more steps to see anything
    more = max(1, min(4, 64 // batch_size))
    share = {name: part * total for name, part in PARTS.items()}
    reference = stage.settings["steps"] or _between(40, share["reference"], 400 * more)
    control = _between(20, share["control"] / (3 * seeds), 60 * more)
    capacity = _between(20, share["capacity"] / 6, 80 * more)
    edge = _between(20, share["edge"] / RATES, 40)
    parts = _between(20, share["parts"] / 4, 150 * more)
    runs = {
        "baselines": reference, "controls": 3 * seeds * control, "capacity": 6 * capacity, "edge": RATES * edge,
        "simple_to_complex": 4 * parts,
    }  # fmt: skip
    # Counting what comes next costs nothing, and is as good as the text is long.
    counts = skeleton.task.time_axis() is not None and not stage.given("baseline.items")
    every = len(stage.ingredients.data.train)
    return BaselinePlan(
        items=every if counts else min(stage.settings["items"], every),
        val_items=min(stage.settings["val_items"], len(stage.ingredients.data.val)),
        seeds=seeds,
        reference=reference,
        control=control,
        capacity=capacity,
        edge=edge,
        parts=parts,
        seconds=round(10 + step * sum(steps for name, steps in runs.items() if stage.wants(name))),
    )


def _between(low: int, value: float, high: int) -> int:
    return int(min(high, max(low, value)))


def _target(skeleton: Ingredients) -> str:
    return str((skeleton.config["loss"] or {}).get("_target_", skeleton.task.default_loss))


def _decide_prior(stage: Stage, prior: PriorBias) -> bool:
    """Whether the prior goes into the last bias from here on."""
    before, after = (sum(values) / len(values) for values in (prior.before, prior.after))
    if prior.already or not prior.drop.mean > WORTH * abs(before) or stage.given("init.prior_bias"):
        return prior.already
    stage.decide("init.prior_bias", True, f"the initial loss is {after:.4g} with it, {before:.4g} without")
    return True
