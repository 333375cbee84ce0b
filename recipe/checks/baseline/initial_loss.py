"""B4 and B5: the loss before training is the one that loss and data imply, and the prior is where it belongs."""

from __future__ import annotations

import math
from statistics import fmean

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.baseline import InitialLoss, PriorBias

NUMBERS = ("regression", "autoencoder")


@check(id="init-loss")
def the_initial_loss_is_the_expected_one(
    initial_loss: InitialLoss, *, above: float = 0.25, below: float = 0.1, far: float = 0.5
) -> Verdict:
    """The loss before training is the one that loss and data imply.

    Why: it is known beforehand, so any other value is a bug or a bad start: ln K for K classes, Var(y) for squares.
    Fix: look at the cause; the last layer's scale and bias, the loss's reduction and the inputs' scale come first.
    Source: Karpathy 2019, "verify loss @ init"; CS231n.
    """
    expected = [value for value in (initial_loss.expected, initial_loss.expected_prior) if value is not None]
    if not expected:
        return skipped("the loss does not tell what it should be at the start")
    measured = fmean(initial_loss.train_mode)
    near = min(expected, key=lambda value: abs(value - measured))
    told = {"measured": {"loss": measured}, "expected": {"loss": near}}
    if not math.isfinite(measured):
        return failed(f"the initial loss is {measured}", cause=_scale(initial_loss) or "init-loss-not-finite", **told)
    if measured < 0 and initial_loss.task not in NUMBERS:
        return failed(
            f"the initial loss is {measured:.4g}: a loss of classes cannot be negative",
            cause=_negative(initial_loss),
            where="loss",
            **told,
        )
    off = (measured - near) / max(abs(near), 1e-8)
    line = f"{measured:.4g} over {len(initial_loss.seeds)} seeds, {near:.4g} expected ({off:+.1%})"
    if -below <= off <= above:
        return passed(line, **told)
    cause, where, why, advice = _diagnose(initial_loss, measured, off)
    verdict = failed if abs(off) > far else warned
    return verdict(f"{line}: {why}", cause=cause, where=where, advice=advice, **told)


def _diagnose(loss: InitialLoss, measured: float, off: float) -> tuple[str, str, str, str]:
    """(cause, where, sentence, advice): first what the number itself says, then what surrounds it."""
    known = {name: value for name, value in loss.constants.items() if _is(measured, value)}
    if "sum-over-batch" in known:
        return (
            "loss-is-a-sum",
            "loss.reduction",
            f"it is the sum over {loss.items} items, not their mean",
            "loss.reduction=mean",
        )
    if "other-sign" in known:
        return "loss-wrong-sign", "loss", "it is the expected number with the other sign", "turn the sign of your loss"
    if loss.width != loss.classes and ("other-width" in known or off > 0):
        return (
            "output-width",
            "model",
            f"ln {loss.width} = {math.log(loss.width):.4g}: {loss.width} outputs for {loss.classes} classes",
            "build the last layer with num_outputs",
        )
    if "softmax-over-one-unit" in known:
        return (
            "softmax-over-one-unit",
            "model",
            "softmax over one unit is always 1",
            "return the raw score of the one unit",
        )
    if scale := _scale(loss):
        return (
            scale,
            "data.preprocess",
            f"inputs go from {loss.input_low:.4g} to {loss.input_high:.4g} (standard deviation {loss.input_std:.3g})",
            "data.preprocess=standardize, or data.preprocess=auto",
        )
    spread = fmean(loss.output_std)
    if off > 0 and loss.task in NUMBERS:
        return (
            "output-scale",
            "init",
            f"the fresh outputs spread by {spread:.3g} around the targets' mean",
            "init.prior_bias=true",
        )
    if off > 0 and loss.output_offset > 2 * spread:
        return (
            "output-offset",
            "model",
            f"the fresh outputs are off by {loss.output_offset:.3g}",
            "init.prior_bias=true",
        )
    if off > 0:
        return (
            "weights-too-large",
            "init",
            f"the fresh net is sure of itself: its outputs spread by {spread:.3g}",
            "init.scheme=he, or init.scheme=zeros_last",
        )
    return (
        "init-loss-too-low",
        "loss",
        "lower than any guess without looking can be: the loss is clipped, scaled or gets other targets",
        "return the mean of the whole loss over the items",
    )


def _negative(loss: InitialLoss) -> str:
    return "nll-of-raw-scores" if loss.family == "nll" else "loss-wrong-sign"


def _scale(loss: InitialLoss, *, largest: float = 30.0, std: float = 10.0) -> str:
    """Inputs so far from unit scale that they explain a wrong start."""
    wide = max(abs(loss.input_low), abs(loss.input_high)) > largest and loss.input_std > std
    return "inputs-not-scaled" if wide else ""


def _is(measured: float, value: float, tolerance: float = 0.06) -> bool:
    return value != 0 and abs(measured / value - 1) <= tolerance


@check(id="init-penalty")
def nothing_is_added_to_the_loss(initial_loss: InitialLoss, *, share: float = 0.5) -> Verdict:
    """The training step adds nothing large to the data loss.

    Why: a penalty that outweighs the data shrinks the weights to nothing while the total loss falls nicely.
    Fix: lower the penalty in your step, or leave penalties to regularizers.
    Source: CS231n, "raising the regularization must raise the loss".
    """
    if not initial_loss.with_penalty:
        return passed("the training step is the loss itself")
    plain, total = fmean(initial_loss.train_mode), fmean(initial_loss.with_penalty)
    measured = {"data": plain, "total": total}
    if not math.isfinite(total) or total - plain > share * abs(plain):
        return warned(
            f"your step makes the loss {total:.4g} where the data loss is {plain:.4g}",
            cause="penalty-dominates",
            where="step",
            measured=measured,
        )
    return passed(f"your step's loss is {total:.4g}, the data loss {plain:.4g}", measured=measured)


@check(id="init-target-scale")
def targets_are_within_reach_of_the_start(initial_loss: InitialLoss, *, most: float = 10.0) -> Verdict:
    """The net starts near the targets' mean.

    Why: far from it the first part of training only learns the mean: the loss curve is a hockey stick.
    Fix: init.prior_bias=true, or standardise the targets.
    Source: Karpathy 2019, "init well"; TheDeepChecker, over-scaled outputs.
    """
    constant = initial_loss.constants.get("mean-only")
    if initial_loss.task not in NUMBERS or not constant:
        return skipped("only numbers to be predicted have a mean to start from")
    measured = fmean(initial_loss.train_mode)
    ratio = measured / constant
    if ratio > most:
        return warned(
            f"the fresh net costs {measured:.4g}, {ratio:.3g} times what always saying the mean costs ({constant:.4g})",
            cause="target-not-scaled",
            where="init.prior_bias",
            advice="init.prior_bias=true",
            measured={"loss": measured},
            expected={"loss": constant},
        )
    return passed(
        f"the fresh net costs {ratio:.3g} times what always saying the mean costs",
        measured={"loss": measured},
        expected={"loss": constant},
    )


@check(id="init-prior")
def the_prior_is_in_the_bias(prior_bias: PriorBias, *, tolerance: float = 0.25) -> Verdict:
    """Writing the prior into the last layer's bias lowers the initial loss by what it should.

    Why: a net that starts at the prior does not spend its first steps on learning how often each target occurs.
    Fix: init.prior_bias=true; if the drop is not the expected one, the last layer found is not the one that speaks.
    Source: Karpathy 2019, "init well".
    """
    drop, expected = prior_bias.drop.mean, prior_bias.expected_drop
    start, end = fmean(prior_bias.before), fmean(prior_bias.after)
    there = prior_bias.expected_after is not None and end <= (1 + tolerance) * prior_bias.expected_after
    told = {"measured": {"drop": drop}, "expected": {"drop": expected}}
    if not there and expected > 0.05 * abs(start) and drop < (1 - tolerance) * expected - 0.05 * abs(start):
        return warned(
            f"the prior in the last bias saves {drop:.4g} of the initial loss, {expected:.4g} was expected",
            cause="prior-bias-without-effect",
            where="init.prior_bias",
            **told,
        )
    return passed(f"the prior in the last bias saves {drop:.4g} of {start:.4g} ({expected:.4g} expected)", **told)
