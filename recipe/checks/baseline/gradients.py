"""B15: backpropagation computes the gradient of the loss."""

from __future__ import annotations

import math

from recipe.checks.check import Verdict, check, failed, passed, warned
from recipe.record.gradient_check import GradientCheck, GradientOf


@check(id="gradient-is-right")
def backpropagation_agrees_with_differences(
    gradient_check: GradientCheck, *, warn: float = 1e-4, fail: float = 1e-2
) -> Verdict:
    """Backpropagation gives the slope that the loss really has, by every parameter.

    Why: a backward of one's own that forgets a factor, a detach inside the loss or a change behind autograd's back
    leave a net that trains, badly. Errors are relative, in double precision; healthy nets stay below 1e-8.
    Fix: mend the backward of the named place, or drop .detach(), .data and torch.no_grad() there. Where the gradient is
    meant to be another (a straight-through estimator): checks.gradient-is-right.skip='straight-through'.
    Source: CS231n, gradient checks (above 1e-2 wrong); Stanford UFLDL.
    """
    checked = gradient_check
    loss, worst = checked.loss, max(checked.parameters, key=lambda one: one.error)
    tried = sum(one.tried for one in checked.parameters)
    measured = {"error": max(worst.error, loss.error if loss else 0.0), "tried": tried}
    if measured["error"] <= warn:
        return passed(
            f"{tried} slopes by {len(checked.parameters)} parameters agree with differences to {worst.error:.1g}",
            measured=measured,
        )
    verdict = failed if measured["error"] > fail else warned
    if loss is not None and loss.error > warn:
        return verdict(f"the loss by its outputs: {_told(loss)}", cause="loss-gradient-wrong", where="loss",
                       advice="drop .detach(), .data and torch.no_grad() from the loss, or mend its backward",
                       measured=measured)  # fmt: skip
    wrong = [one for one in checked.parameters if one.error > warn]
    place = checked.modules[0] if checked.modules else worst
    where = place.name if place.name != "forward" else "model"
    line = f"{len(wrong)} of {len(checked.parameters)} parameters get a wrong gradient; {worst.name}: {_told(worst)}"
    if checked.right_in_evaluation:
        return warned(f"{line}, in training mode only", cause="gradient-wrong-in-training", where=where,
                      measured=measured)  # fmt: skip
    return verdict(line, cause="gradient-wrong", where=where, measured=measured)


def _told(one: GradientOf) -> str:
    """What is wrong with it, in numbers."""
    slopes = f"backpropagation says {one.backward:.4g}, differences {one.difference:.4g}"
    if not (math.isfinite(one.backward) and math.isfinite(one.difference)) or not one.difference:
        return slopes
    ratio = one.backward / one.difference
    return f"{slopes} ({ratio:.3g} times as much)"
