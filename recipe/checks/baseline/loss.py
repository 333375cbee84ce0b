"""B18: the loss does what any loss must do, tried on outputs whose quality is known."""

from __future__ import annotations

import math
from itertools import pairwise

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.skeleton import LossProof

ORDINARY = (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0)
"""Margins at which a better prediction has to lower the loss; beyond them label smoothing may turn."""


@check(id="loss-falls-with-quality")
def a_better_prediction_has_a_lower_loss(loss: LossProof) -> Verdict:
    """A better prediction of any class lowers the loss.

    Why: a loss with the wrong sign, of mismatched shapes or over the wrong axis trains the net away from the truth.
    Fix: compare your loss with torch's own on a few outputs; outputs and targets must have the same shape.
    Source: TheDeepChecker, diverging loss; Humbatova et al. 2020, wrong loss function.
    """
    curve = [v for m, v in zip(loss.margins, loss.values, strict=True) if m in ORDINARY]
    if any(not math.isfinite(v) for v in curve):
        return skipped("the loss is not finite on ordinary outputs; see loss-is-finite")
    if loss.ignored:
        return failed(
            f"class {', '.join(loss.ignored)} is left out of the loss by ignore_index or a weight of 0",
            cause="class-ignored",
            where="loss",
        )
    measured = {"wrong": curve[0], "neutral": curve[3], "right": curve[-1]}
    if all(b > a for a, b in pairwise(curve)):
        return failed(
            f"the loss rises from {curve[0]:.4g} to {curve[-1]:.4g} as predictions get better: its sign is wrong",
            cause="loss-wrong-sign",
            where="loss",
            measured=measured,
        )
    broadcast = _broadcasts(loss)
    if broadcast:
        return failed(broadcast, cause="loss-broadcasts", where="loss", measured=measured)
    stuck = [name for name, (wrong, right) in loss.by_class.items() if not right < wrong]
    if stuck:
        return failed(
            f"better predictions of {', '.join(stuck)} do not lower the loss", cause="loss-blind-to-class", where="loss"
        )
    if not curve[-1] < curve[0]:
        return failed(
            f"very wrong predictions cost {curve[0]:.4g}, right ones {curve[-1]:.4g}", cause="loss-blind", where="loss"
        )
    return passed(f"the loss falls from {curve[0]:.4g} (wrong) to {curve[-1]:.4g} (right)", measured=measured)


def _broadcasts(loss: LossProof) -> str:
    """The loss of items together is the mean over all pairs of outputs and targets, not over the items."""
    if loss.weighted or not all(map(math.isfinite, (loss.mixed, loss.singles, loss.pairs))):
        return ""
    scale = max(abs(loss.singles), 1e-6)
    items, pairs = abs(loss.mixed - loss.singles) / scale, abs(loss.mixed - loss.pairs) / scale
    if items > 0.02 and pairs < 0.02:
        return (
            f"the loss of several items is {loss.mixed:.4g}, the mean over all pairs ({loss.pairs:.4g}), "
            f"not over the items ({loss.singles:.4g}): shapes (B, 1) and (B) are broadcast to (B, B)"
        )
    return ""


@check(id="loss-is-a-mean")
def the_loss_is_a_mean_over_items(loss: LossProof, *, tolerance: float = 0.02) -> Verdict:
    """The loss of a batch does not grow with its size.

    Why: with a sum every change of the batch size changes the rate, and the rate that was tuned for a mean diverges.
    Fix: loss.reduction=mean.
    Source: TheDeepChecker, loss reduction.
    """
    if not math.isfinite(loss.doubled):
        return skipped("the loss of a doubled batch is not finite or the loss itself is 0")
    if abs(loss.doubled - 2) <= 2 * tolerance:
        return failed(
            "every item twice doubles the loss: it is a sum over the batch",
            cause="loss-is-a-sum",
            where="loss.reduction",
            advice="loss.reduction=mean",
            measured={"doubled": loss.doubled},
        )
    if abs(loss.doubled - 1) > tolerance:
        return warned(
            f"every item twice changes the loss by a factor of {loss.doubled:.4g}",
            cause="loss-depends-on-batch",
            where="loss",
            measured={"doubled": loss.doubled},
        )
    return passed("every item twice leaves the loss as it is", measured={"doubled": loss.doubled})


@check(id="loss-is-finite")
def the_loss_is_finite_for_sure_outputs(loss: LossProof) -> Verdict:
    """The loss stays finite when the net is very sure.

    Why: a logarithm or exponential written by hand overflows once scores pass about 90, in the middle of a long run.
    Fix: use torch's cross_entropy or binary_cross_entropy_with_logits on raw scores.
    Source: D4M bugs 1-4.
    """
    bad = [(m, v) for m, v in zip(loss.margins, loss.values, strict=True) if not math.isfinite(v)]
    if bad:
        margin, value = min(bad, key=lambda pair: abs(pair[0]))
        said = "wrong" if margin < 0 else "right"
        form = "scores" if loss.form == "scores" else loss.form
        return failed(
            f"the loss is {value} for {said} {form} with a margin of {abs(margin):g}",
            cause="loss-overflows",
            where="loss",
        )
    return passed(f"finite for margins up to {max(loss.margins):g} on either side")


@check(id="loss-teaches-every-item")
def every_wrong_item_has_a_gradient(loss: LossProof, *, most: float = 0.02) -> Verdict:
    """Every item that is predicted wrongly has a gradient.

    Why: a loss that is clipped (instead of its gradients) ignores exactly the items that there is most to learn from.
    Fix: clip gradients instead: train.clip_norm=1.0, and return the loss as it is.
    Source: Karpathy 2019, on clipping the loss.
    """
    if not loss.differentiable:
        return failed(
            "the loss has no gradient by the outputs: it was detached, rounded or computed outside torch",
            cause="loss-not-differentiable",
            where="loss",
        )
    if loss.zero_gradient > most and not loss.ignored:
        return failed(
            f"{loss.zero_gradient:.0%} of very wrong items get no gradient: the loss is clipped or saturates",
            cause="loss-clipped",
            where="loss",
            measured={"without_gradient": loss.zero_gradient},
        )
    return passed("very wrong items all have a gradient", measured={"without_gradient": loss.zero_gradient})


@check(id="loss-has-a-floor")
def the_loss_has_a_floor(loss: LossProof) -> Verdict:
    """Surer right predictions approach a floor instead of falling without bound.

    Why: a loss without a lower end is minimised by larger and larger outputs, not by better ones.
    Fix: give nll_loss log-probabilities (log_softmax), or use cross_entropy on raw scores.
    Source: UMLAUT, missing softmax.
    """
    known = dict(zip(loss.margins, loss.values, strict=True))
    near, far = known[10.0], known[100.0]
    if not (math.isfinite(near) and math.isfinite(far)):
        return skipped("the loss is not finite for sure outputs; see loss-is-finite")
    floor = loss.floor if loss.floor is not None else 0.0
    if far < floor - 1.0 and far < near - 1.0:
        return failed(
            f"the loss falls without end: {near:.4g} at a margin of 10, {far:.4g} at 100"
            + (": nll_loss was given raw scores" if loss.family == "nll" and loss.form == "scores" else ""),
            cause="nll-of-raw-scores" if loss.family == "nll" else "loss-unbounded",
            where="loss",
            measured={"at_10": near, "at_100": far},
        )
    return passed(
        f"right predictions of any sureness cost at least {min(known.values()):.4g}", measured={"at_100": far}
    )
