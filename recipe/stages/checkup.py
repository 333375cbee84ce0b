"""What can be asked of a model, a loss and one batch: the part of baseline that needs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.probes.causality import measure_causality
from recipe.probes.dependencies import measure_dependencies
from recipe.probes.equivalences import measure_equivalences
from recipe.probes.gradient_check import measure_gradients
from recipe.probes.initial_loss import measure_initial_loss
from recipe.probes.layers_at_start import measure_layers
from recipe.probes.loss_proof import prove_loss
from recipe.probes.one_batch import measure_one_batch
from recipe.probes.outputs import measure_outputs
from recipe.probes.probe import outputs_of, plain_learner, sample, settled, trainable
from recipe.probes.simplicity import measure_simplicity
from recipe.probes.wiring import measure_wiring

if TYPE_CHECKING:
    from recipe.stages.stage import Stage

EVIDENCE = (
    "simplicity", "loss", "outputs", "initial_loss", "layers", "wiring", "dependencies", "causality", "gradient_check",
    "equivalence", "one_batch",
)  # fmt: skip
"""What is measured here; a check that reads anything else has nothing to say."""


def tell(stage: Stage) -> None:
    """From the built objects to the one batch, as baseline asks."""
    ingredients, seed = stage.ingredients, stage.seed
    task = ingredients.task
    items = sample(ingredients, "train", len(ingredients.data.train), seed=seed)
    learner = plain_learner(ingredients, seed)
    task.check(learner.model(items.inputs), items.targets)

    # Simplify: everything that makes training harder on purpose is off.
    stage.measure("simplicity", measure_simplicity, ingredients, seed)

    # The loss on outputs of known quality.
    form = task.form(outputs_of(learner.model, items.inputs))
    target = getattr(ingredients.loss, "__qualname__", type(ingredients.loss).__qualname__)
    stage.measure("loss", prove_loss, task, ingredients.loss, items.targets.cpu(), form, target=target)
    if not trainable(learner, items):
        stage.note("The loss has no gradient by the model's parameters, so nothing else was measured.")
        return

    # Loss at the start, outputs and layers: of a fresh model, and of one after a few steps.
    model = settled(ingredients, seed)
    stage.measure("outputs", measure_outputs, task, model, ingredients.loss, items, ingredients.num_outputs)
    stage.measure("initial_loss", measure_initial_loss, ingredients, (seed,))
    stage.measure("layers", measure_layers, learner, model, items)

    # Wiring, dependencies, gradients: what should train trains, and an output depends on its own example.
    stage.measure("wiring", measure_wiring, ingredients, seed)
    stage.measure("dependencies", measure_dependencies, model, items)
    stage.measure("causality", measure_causality, task, model, ingredients.loss, items)
    stage.measure("gradient_check", measure_gradients, ingredients, seed)
    stage.measure("equivalence", measure_equivalences, ingredients, model, learner, items)

    # Overfit one batch.
    stage.measure("one_batch", measure_one_batch, ingredients, seed, stage.shelf, items=stage.settings["batch"])
