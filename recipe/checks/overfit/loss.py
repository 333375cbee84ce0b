"""What the training loss does over the run."""

from __future__ import annotations

from statistics import fmean

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.history import History


@check(id="loss-falls")
def the_loss_falls(run: History, *, least: float = 0.05, spike: float = 1.5) -> Verdict:
    """The training loss falls and stays down.

    Why: a loss that does not move, or rises again, is the first sign of a wrong rate, sign, or gradient.
    `least`: share of the first loss that has to be gained; `spike`: times its lowest at which the end is diverging.
    Fix: see the causes named by the checks beside this one; then optimizer.lr=… a tenth or ten times.
    Source: trainproof, TheDeepChecker.
    """
    if run.stopped.startswith("diverged"):
        return failed(run.stopped, cause="diverged")
    part = max(1, run.steps // 10)
    if run.steps < 10:
        return skipped(f"{run.steps} steps are too few")
    means = [fmean(run.losses[i : i + part]) for i in range(0, run.steps - part + 1, part)]
    first, last, lowest = run.losses[0], means[-1], min(means)
    measured = {"first": first, "last": last, "lowest": lowest}
    gained = first - last
    if gained < least * abs(first):
        return failed(
            f"the training loss began at {first:.4g} and ends at {last:.4g}",
            measured=measured,
            cause="loss-does-not-fall",
        )
    # Near zero a ratio means nothing: it is compared with what was there to lose.
    if last > spike * lowest and last - lowest > 0.1 * (first - lowest):
        return warned(
            f"the training loss was {lowest:.4g} and rose to {last:.4g}", measured=measured, cause="loss-rises"
        )
    return passed(f"the training loss fell from {first:.4g} to {last:.4g}", measured=measured)
