"""The layers before training: alive, different from each other, of a sound scale, and more than one linear map."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.skeleton import LayersAtStart


@check(id="symmetry-is-broken")
def units_of_a_layer_differ(layers: LayersAtStart, *, most: float = 0.5) -> Verdict:
    """The units of a layer start with different weights.

    Why: units with equal weights get equal gradients and stay one unit for ever; zeros everywhere learn nothing.
    Fix: init.scheme=he, or leave torch's own initial weights as they are.
    Source: TheDeepChecker, poor initialisation; NeuraLint, constant init.
    """
    alike = [layer for layer in layers.layers if layer.twins > most and layer.units > 1]
    if alike:
        first = alike[0]
        kind = "all weights are equal" if first.constant else f"{first.twins:.0%} of its units are copies of others"
        return failed(
            f"{first.name}: {kind}, and a few steps of training do not tell them apart",
            cause="constant-weights" if first.constant else "twin-units",
            where=first.name,
            advice="init.scheme=he",
            measured={"layers": len(alike)},
        )
    return passed(f"all units of {len(layers.layers)} layers differ")


@check(id="units-are-alive")
def units_get_gradients(layers: LayersAtStart, *, warn: float = 0.6, fail: float = 0.9) -> Verdict:
    """Most units of every layer get a gradient from some example.

    Why: a ReLU unit that no example switches on gets no gradient and never comes back.
    Fix: biases at 0, init.scheme=he, a smaller rate, or model.activation=leaky_relu.
    Source: calibrated at the start of training.
    """
    if layers.layers[-1].idle == 1:
        return skipped("no gradient at all arrives, not even at the last layer")
    if any(layer.constant for layer in layers.layers[:-1]):
        return skipped("all weights of a layer are equal; see symmetry-is-broken")
    worst = max(layers.layers, key=lambda layer: layer.idle)
    measured = {"idle": worst.idle}
    told = f"{worst.name}: {worst.idle:.0%} of {worst.units} units get no gradient from any of {layers.items} examples"
    if worst.idle > warn:
        verdict = failed if worst.idle > fail else warned
        return verdict(told, cause="dead-units", where=worst.name, measured=measured)
    return passed(told, measured=measured)


@check(id="weights-have-a-sound-scale")
def weights_have_a_sound_scale(layers: LayersAtStart, *, most: float = 10.0) -> Verdict:
    """Initial weights are not larger than tenfold of what keeps the signal's size.

    Why: weights that are too large saturate units and make the fresh net sure of nonsense.
    Fix: init.scheme=he, or scale by 1/sqrt(fan_in) in your own init.
    Source: He et al. 2015; syndset, ratio to theory outside [0.1, 10].
    """
    ratios = {layer.name: layer.weight_std / layer.weight_std_he for layer in layers.layers}
    name = max(ratios, key=lambda key: ratios[key])
    measured = {"ratio": ratios[name]}
    if ratios[name] > most:
        return failed(
            f"the weights of {name} are {ratios[name]:.3g} times as large as He's rule",
            cause="weights-too-large",
            where=name,
            advice="init.scheme=he",
            measured=measured,
        )
    return passed(f"the largest weights ({name}) are {ratios[name]:.2g} times He's rule", measured=measured)


@check(id="gradients-keep-their-scale")
def the_gradient_keeps_its_scale(layers: LayersAtStart, *, warn: float = 5e-3, fail: float = 1e-5) -> Verdict:
    """The gradient keeps its scale from the last layer to the first.

    Why: where it shrinks by powers of ten the first layers stand still, and the net is as good as its random features.
    Fix: model.activation=relu, norm layers, skip connections, or fewer layers.
    Source: AutoTrainer (first to last below 1e-3); syndset (1e-5).
    """
    ratios = {layer.name: layer.gradient_ratio for layer in layers.layers if layer.gradient_ratio > 0}
    if len(ratios) < 2:
        return skipped("fewer than two layers have a gradient")
    if len(ratios) > 3:
        # A head that starts small, as it should, has a large gradient beside its weights: that says nothing of depth.
        ratios.pop(layers.layers[-1].name, None)
    low, high = min(ratios, key=lambda k: ratios[k]), max(ratios, key=lambda k: ratios[k])
    share = ratios[low] / ratios[high]
    told = f"gradient over weights: {ratios[low]:.2g} in {low}, {ratios[high]:.2g} in {high} (a factor of {share:.1g})"
    if share < warn:
        verdict = failed if share < fail else warned
        return verdict(told, cause="vanishing-gradient", where=low, measured={"share": share})
    return passed(told, measured={"share": share})


@check(id="layers-are-nonlinear")
def several_layers_are_more_than_one(layers: LayersAtStart, *, least: float = 1e-4) -> Verdict:
    """A net of several layers is more than one linear map.

    Why: without an activation between them, layers multiply to a single matrix: all depth is for nothing.
    Fix: put an activation between the layers (model.activation=relu).
    Source: UMLAUT, missing activation.
    """
    if layers.affine is None:
        return skipped("the inputs are whole numbers, or the outputs constant")
    hidden = len(layers.layers) - 1
    if hidden >= 1 and layers.affine < least:
        return warned(
            f"{hidden + 1} layers, but f(a) + f(b) = f(a + b) + f(0) to {layers.affine:.1g}, without any activation",
            cause="no-nonlinearity",
            where="model",
            measured={"departure": layers.affine},
        )
    return passed(f"departs from a linear map by {layers.affine:.2g}", measured={"departure": layers.affine})
