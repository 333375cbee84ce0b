"""Units and activations after training."""

from __future__ import annotations

from statistics import fmean

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.history import History
from recipe.record.overfit import UnitHealth


@check(id="units-alive")
def units_are_alive(unit_health: UnitHealth, *, warn: float = 0.5, fail: float = 0.9) -> Verdict:
    """Few units are silent on every training example.

    Why: a ReLU that never fires has no gradient and never comes back; half a layer of them is half the capacity gone.
    A unit of a convolution is a channel. `warn`, `fail`: share of a layer; small healthy nets reach a third.
    Fix: died in training: optimizer.lr a tenth; dead from the start: init.scheme=he, look at the biases; or
    model.activation=leaky_relu.
    Source: CS231n, TheDeepChecker, on the whole training set.
    """
    layers = [layer for layer in unit_health.layers if layer.units]
    if not layers:
        return skipped("no layer has units that can die")
    worst = max(layers, key=lambda layer: layer.dead_after / layer.units)
    share = worst.dead_after / worst.units
    since = "from the start" if worst.dead_before >= worst.dead_after / 2 else "since training began"
    text = f"{worst.dead_after} of {worst.units} units of {worst.layer} never fire on {unit_health.examples:,} examples"
    measured = {layer.layer: layer.dead_after / layer.units for layer in layers}
    if share < warn:
        return passed(text, measured=measured)
    judge = failed if share >= fail else warned
    return judge(f"{text}, {since}", measured=measured, cause="dead-units", where=worst.layer)


@check(id="activations-move")
def activations_are_not_saturated(
    unit_health: UnitHealth, run: History | None = None, *, share: float = 0.5
) -> Verdict:
    """Bounded activations (sigmoid, tanh) work between their ends, not at them.

    Why: at its end an activation has no slope, and the layers before it get no gradient. A layer counts when more than
    `share` of its activations lie within 1 % of an end, and the training loss has not fallen by half.
    Fix: model.activation=relu, init.scheme=xavier, or model.norm=batch.
    Source: SageMaker Debugger.
    """
    layers = [layer for layer in unit_health.layers if layer.saturated is not None]
    if not layers:
        return skipped("no bounded activation")
    worst = max(layers, key=lambda layer: layer.saturated or 0.0)
    text = f"{worst.saturated:.0%} of the activations of {worst.layer} ({worst.kind}) are at their ends"
    measured = {layer.layer: layer.saturated for layer in layers}
    learns = run is not None and run.steps >= 10 and fmean(run.losses[-run.steps // 10 :]) < 0.5 * run.losses[0]
    if (worst.saturated or 0.0) > share and not learns:
        return warned(text, measured=measured, cause="saturation", where=worst.layer)
    return passed(text, measured=measured)


@check(id="units-differ")
def units_of_a_layer_differ_after_training(unit_health: UnitHealth, *, most: float = 0.5) -> Verdict:
    """The units of a layer tell examples apart in ways of their own.

    Why: units that start with equal weights get equal gradients: however wide the layer, it stays one unit. And a unit
    that gives every example the same is only a bias. `most`: share of a layer's units that may be so, over all of the
    training set.
    Fix: init.scheme=he, or leave torch's own initial weights as they are; for constant units model.norm=batch, or a
    lower optimizer.lr.
    Source: TheDeepChecker, poor initialisation; NeuraLint, constant init; with the net's own answers.
    """
    layers = [layer for layer in unit_health.layers if layer.units > 1]
    if not layers:
        return skipped("no layer has more than one unit")
    measured = {layer.layer: (layer.twins_after + layer.constant) / layer.units for layer in layers}
    twins = max(layers, key=lambda layer: layer.twins_after / layer.units)
    if twins.twins_after > most * twins.units:
        since = "as they did before training" if twins.twins_before > most * twins.units else "since training began"
        return failed(
            f"{twins.twins_after} of {twins.units} units of {twins.layer} give what another one gives, {since}",
            measured=measured,
            cause="twin-units",
            where=twins.layer,
            advice="init.scheme=he",
        )
    still = max(layers, key=lambda layer: layer.constant / layer.units)
    if still.constant > most * still.units:
        return warned(
            f"{still.constant} of {still.units} units of {still.layer} give every example the same",
            measured=measured,
            cause="constant-units",
            where=still.layer,
        )
    told = f"the units of {len(layers)} layers differ from each other and from example to example"
    return passed(told, measured=measured)
