"""B17: the signal keeps its scale through the net and back; units live, and are not at their ends."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.signals import LayerSignals, Signals


def _first(signals: Signals) -> list[LayerSignals]:
    """The first quarter of the layers that the gradient reaches."""
    reached = [layer for layer in signals.layers if layer.early.gradient > 0]
    return reached[: max(1, len(reached) // 4)]


@check(id="gradients-keep-their-scale")
def gradients_survive_the_depth(
    signals: Signals, *, warn: float = 1e-3, fail: float = 1e-5, most: float = 100.0, far: float = 1e4
) -> Verdict:
    """The gradient by a layer's output has about the same length in the first layers as in the last.

    Why: where it shrinks on its way back the first layers stand still, where it grows they are thrown about. Lengths of
    an item's whole gradient compare across widths, and are heard in any model, after a few steps of training.
    Fix: norm layers, skip connections, model.activation=relu, init.scheme=he, or fewer layers.
    Source: AutoTrainer (below 1e-3 vanishing, above 70 exploding); healthy nets stay within 0.05 and 11.
    """
    reached = [layer for layer in signals.layers if layer.early.gradient > 0]
    if len(reached) < 2:
        return skipped("the gradient reaches fewer than two layers")
    last = reached[-1].early.gradient
    first = max(_first(signals), key=lambda layer: layer.early.gradient)
    # A head that brings outputs to the targets' scale multiplies all gradients behind it alike: that is no growth.
    hidden = reached[:-1] if len(reached) > 2 else reached
    largest = max(hidden, key=lambda layer: layer.early.gradient)
    share, growth = first.early.gradient / last, largest.early.gradient / hidden[-1].early.gradient
    measured = {"share": share, "growth": growth}
    told = (
        f"gradient of an item after {signals.early} steps: {first.early.gradient:.2g} at {first.name}, {last:.2g} at "
    )
    told += f"{reached[-1].name}"
    if share < warn:
        verdict = failed if share < fail else warned
        return verdict(told, cause="vanishing-gradient", where=first.name, measured=measured)
    if growth > most:
        verdict = failed if growth > far else warned
        line = f"{told}, {largest.early.gradient:.2g} at {largest.name}"
        return verdict(line, cause="exploding-gradient", where=largest.name, measured=measured)
    return passed(told, measured=measured)


@check(id="signal-survives-depth")
def the_signal_survives_the_depth(signals: Signals, *, warn: float = 1e-2, fail: float = 1e-4) -> Verdict:
    """The last hidden layer still tells items apart.

    Why: where a layer gives nearly the same for every item, nothing of the input is left for those behind it.
    Fix: init.scheme=he, norm layers or skip connections, model.activation=relu; look at the layer that is named.
    Source: Schoenholz et al. 2017, deep information propagation; healthy nets keep 0.07 or more.
    """
    hidden = signals.layers[:-1] or signals.layers
    if not all(layer.early.finite for layer in signals.layers):
        return skipped("some activations are not finite; see init-loss")
    shares = {layer.name: layer.early.varies / layer.early.rms if layer.early.rms > 0 else 0.0 for layer in hidden}
    last = hidden[-1].name
    measured = {"share": shares[last]}
    told = f"after {signals.early} steps what differs between items is {shares[last]:.2g} of the numbers of {last}"
    if shares[last] >= warn:
        return passed(told, measured=measured)
    # where it got lost: the first layer from which on it never comes back
    lost = last
    for layer in reversed(hidden):
        if shares[layer.name] >= warn:
            break
        lost = layer.name
    verdict = failed if shares[last] < fail else warned
    return verdict(f"{told}: it is lost at {lost}", cause="vanishing-signal", where=lost, measured=measured)


@check(id="units-are-alive")
def units_fire_for_some_item(signals: Signals, *, warn: float = 0.6, fail: float = 0.9) -> Verdict:
    """Most units of every activation fire for some training item, at the start and after a few steps.

    Why: a ReLU that is off for every item has no slope and never comes back. A unit of a convolution is a channel.
    Fix: dead from the start: init.scheme=he, look at the biases; died since: optimizer.lr a tenth; or
    model.activation=leaky_relu.
    Source: CS231n and TheDeepChecker ask for less; half of a layer of a deep net is off at torch's own initialisation.
    """
    layers = [layer for layer in signals.layers if layer.can_die and layer.units]
    if not layers:
        return skipped("no activation whose units could die")
    worst = max(layers, key=lambda layer: layer.dead_early / layer.units)
    share = worst.dead_early / worst.units
    since = "since the start" if worst.dead_start >= worst.dead_early / 2 else f"died within {signals.early} steps"
    told = f"{worst.dead_early} of {worst.units} units of {worst.name} are off for all of {signals.dead_items} items"
    measured = {layer.name: layer.dead_early / layer.units for layer in layers}
    if share <= warn:
        return passed(told, measured=measured)
    verdict = failed if share > fail else warned
    return verdict(f"{told}, {since}", cause="dead-units", where=worst.name, measured=measured)


@check(id="activations-not-saturated")
def bounded_activations_work_in_their_middle(signals: Signals, *, most: float = 0.5) -> Verdict:
    """Few units of a bounded activation (tanh, sigmoid) spend their time at its ends.

    Why: at its ends an activation has no slope, and the layers before it get no gradient.
    Fix: init.scheme=xavier, norm layers, inputs of mean 0 and deviation 1, or model.activation=relu.
    Source: TheDeepChecker, saturation (a unit above 0.85, a layer above half of its units).
    """
    layers = [(layer, layer.early.saturated) for layer in signals.layers if layer.early.saturated is not None]
    if not layers:
        return skipped("no bounded activation")
    worst, share = max(layers, key=lambda pair: pair[1])
    told = f"{share:.0%} of {worst.units} units of {worst.name} ({worst.kind}) are at their ends"
    measured = {layer.name: part for layer, part in layers}
    if share > most:
        return warned(told, cause="saturation", where=worst.name, measured=measured)
    return passed(told, measured=measured)
