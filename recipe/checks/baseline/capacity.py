"""B10: more capacity helps."""

from __future__ import annotations

from statistics import fmean

from recipe.checks.check import Verdict, check, passed, warned
from recipe.record.baseline import Capacity


@check(id="more-capacity-helps")
def more_capacity_lowers_the_training_loss(capacity: Capacity, *, slack: float = 0.05) -> Verdict:
    """A wider model has no higher training loss after the same number of steps.

    Why: if more capacity does not help, the extra units are not connected, or training is broken in another way.
    Fix: see whether the new units get gradients (units-are-alive), and whether the rate suits the wider model.
    Source: Karpathy 2019, "verify decreasing training loss".
    """
    levels = [fmean(losses) for losses in capacity.losses]
    told = ", ".join(f"{width}: {level:.4g}" for width, level in zip(capacity.widths, levels, strict=True))
    line = f"training loss after {capacity.steps} steps by {capacity.key}: {told}"
    measured = {"gain": capacity.gain}
    if capacity.gain.high < 0 and levels[-1] > (1 + slack) * levels[0]:
        return warned(f"{line}: more capacity makes it worse", cause="capacity-hurts", where=capacity.key,
                      advice="optimizer.lr smaller for the wider model", measured=measured)  # fmt: skip
    return passed(line, measured=measured)
