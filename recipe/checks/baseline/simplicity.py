"""B2: nothing makes training harder on purpose yet."""

from __future__ import annotations

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.skeleton import Simplicity


@check(id="nothing-regularizes")
def nothing_regularizes_yet(simplicity: Simplicity) -> Verdict:
    """Augmentation and every regularizer are off while the skeleton is built.

    Why: they hide bugs, and they are for later: first the net must be able to fit.
    Fix: nothing to do for what was switched off here; what is still on has to be taken out of your code.
    Source: Karpathy 2019, "simplify".
    """
    if simplicity.still_on:
        return failed(
            f"still on: {', '.join(simplicity.still_on)}", cause="regularizer-left-on", where=simplicity.still_on[0]
        )
    off = [f"{key}={value}" for key, value in simplicity.switched_off.items()]
    off += [f"dropout {rate:g} in {name}" for name, rate in simplicity.dropout.items()]
    told = f"switched off for this stage: {', '.join(off)}" if off else "nothing was on"
    extra = "; the model's forward draws random numbers in train mode" if simplicity.noisy_forward else ""
    extra += "; your data set itself varies its items" if simplicity.changing_inputs else ""
    return passed(told + extra, measured={"dropout_layers": len(simplicity.dropout)})


@check(id="dropout-rate")
def dropout_leaves_enough_units(simplicity: Simplicity, *, highest: float = 0.6) -> Verdict:
    """No dropout layer leaves out most of its units.

    Why: with most units gone in every step the net underfits, and its training loss says little.
    Fix: lower the rate: 0.1 to 0.5 is usual, 0.2 in layers near the input.
    Source: UMLAUT (Schoop 2021) warns above 0.5; Srivastava et al. 2014, figure 9.
    """
    strong = {name: rate for name, rate in simplicity.dropout.items() if rate > highest}
    worst = max(simplicity.dropout.values(), default=0.0)
    if strong:
        name = next(iter(strong))
        return warned(
            f"dropout of {strong[name]:g} in {name} leaves {1 - strong[name]:.0%} of its units",
            cause="dropout-too-strong",
            where=name,
            measured={"dropout": worst},
        )
    return passed(f"the highest dropout rate is {worst:g}", measured={"dropout": worst})


@check(id="weight-decay-pull")
def weight_decay_pulls_less_than_the_data(simplicity: Simplicity, *, most: float = 2.0) -> Verdict:
    """The optimizer's weight decay pulls less than the data do.

    Why: when it pulls more, the weights go to zero, the total loss falls nicely, and nothing is learnt.
    Fix: lower optimizer.weight_decay to 1e-4 or less, or 0.
    Source: TheDeepChecker, regularisation to data gradient ratio of 2.
    """
    pull = simplicity.weight_decay_pull
    if simplicity.weight_decay and pull >= most:
        return warned(
            f"weight decay {simplicity.weight_decay:g} pulls {pull:.3g} times as hard as the data at the start",
            cause="weight-decay-dominates",
            where="optimizer.weight_decay",
            advice="optimizer.weight_decay=0.0001",
            measured={"pull": pull},
        )
    told = (
        f"weight decay pulls {pull:.2g} times as hard as the data"
        if simplicity.weight_decay
        else "there is no weight decay"
    )
    return passed(told, measured={"pull": pull})
