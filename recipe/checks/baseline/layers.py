"""The layers before training: different from each other, of a sound scale, and more than one linear map."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.signals import Signals
from recipe.record.skeleton import LayersAtStart


@check(id="symmetry-is-broken")
def units_of_a_layer_differ(
    layers: LayersAtStart | None = None, signals: Signals | None = None, *, most: float = 0.5
) -> Verdict:
    """The units of a layer start with different weights, and give different answers.

    Why: units with equal weights get equal gradients and stay one unit for ever; zeros everywhere learn nothing.
    Weights are looked at where torch's layers have them, answers in any model, after a few steps.
    Fix: init.scheme=he, or leave torch's own initial weights as they are.
    Source: TheDeepChecker, poor initialisation; NeuraLint, constant init.
    """
    if layers is None and signals is None:
        return skipped("the model has no layers that could be heard")
    for layer in layers.layers if layers is not None else ():
        if layer.twins > most and layer.units > 1:
            kind = "all weights are equal" if layer.constant else f"{layer.twins:.0%} of its units are copies of others"
            return failed(
                f"{layer.name}: {kind}, and a few steps of training do not tell them apart",
                cause="constant-weights" if layer.constant else "twin-units",
                where=layer.name,
                advice="init.scheme=he",
            )
    heard = [layer for layer in signals.layers if layer.units > 1] if signals is not None else []
    for one in heard:
        if one.early.twins > most * one.units:
            return failed(
                f"{one.early.twins} of {one.units} units of {one.name} give what another one gives",
                cause="twin-units",
                where=one.name,
                advice="init.scheme=he",
            )
    return passed(f"all units of {len(layers.layers) if layers is not None else len(heard)} layers differ")


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


@check(id="no-bottleneck")
def outputs_move_in_several_directions(layers: LayersAtStart, *, least: int = 3) -> Verdict:
    """What the net knows of an item does not pass through a single number.

    Why: behind a layer of one unit all classes lie on one line: the next ones cannot be told apart, and training ends
    far above what the data allow. Seen on the derivative of all outputs by the input, of a fresh net and of one after a
    few steps: it has one direction alone, whatever the layers are made of. `least`: outputs from which one is too few.
    Fix: more units in the narrowest layer (model.width=…); leave it if one number is what you want (ordered classes).
    Source: Humbatova et al. 2020, too few neurons; the rank of a product is at most that of its narrowest factor.
    """
    if layers.directions is None:
        return skipped("the outputs have no derivative by the inputs")
    if layers.outputs < least:
        return skipped("one or two outputs need a single number")
    if layers.directions < 1:
        return skipped("the outputs do not move with the inputs")
    measured = {"directions": layers.directions, "outputs": layers.outputs}
    if layers.directions == 1:
        narrow = [layer for layer in layers.layers if layer.units == 1]
        told = f", and {narrow[0].name} has a single unit" if narrow else ""
        return warned(
            f"{layers.outputs} outputs move in one direction only{told}: all of an input passes through one number",
            cause="bottleneck",
            where=narrow[0].name if narrow else "model",
            measured=measured,
        )
    return passed(f"{layers.outputs} outputs move in {layers.directions} directions", measured=measured)
