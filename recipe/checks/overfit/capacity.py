"""Does a net fit the training set, and does capacity help?"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from recipe.checks.check import Verdict, check, failed, passed, skipped, warned
from recipe.record.overfit import CapacityLadder
from recipe.record.remedies import Remedies


@check(id="training-set-fits")
def the_training_set_is_fitted(
    capacity_ladder: CapacityLadder,
    remedies: Remedies | None = None,
    *,
    flat: float = 0.02,
    far: float = 0.1,
    hopeless: float = 0.5,
) -> Verdict:
    """A net large enough fits the training set, down to the error that the labels themselves leave.

    Why: a net that cannot even learn its training examples has too little capacity or a bug; regularizing or tuning it
    hides which. `flat`: a loss that fell by less than this share over the last fifth of the run no longer falls.
    `hopeless`: share of the blind predictor's error above which a flat loss is taken for a bug; above `far` of it a net
    that a standard one outruns needs more than time.
    Fix: look at the checks below for a cause, and at what the remedies did; give the net more capacity or more time:
    train.epochs=…, model.width=….
    Source: Karpathy 2019, "Overfit".
    """
    verdict = _fitted(capacity_ladder, flat, far, hopeless)
    return verdict if remedies is None else _with_remedies(verdict, remedies)


def _with_remedies(verdict: Verdict, remedies: Remedies) -> Verdict:
    """The same, with what was tried against it."""
    best, tried = remedies.best, len(remedies.tried)
    if best is not None:
        words = " ".join(f"{key}={value}" for key, value in best.change.items())
        message = f"{verdict.message}; of {tried} remedies tried {best.name} works: {best.why}"
        return msgspec.structs.replace(verdict, message=message, advice=words)
    if not tried:
        return verdict
    return msgspec.structs.replace(verdict, message=f"{verdict.message}; none of {tried} remedies tried mends it")


def _fitted(ladder: CapacityLadder, flat: float, far: float, hopeless: float) -> Verdict:
    best = ladder.best
    error, ceiling, blind = (
        f"{value:.2%}" if ladder.metric == "accuracy" else f"{value:.3g}"
        for value in (best.train_error.mean, ladder.ceiling, ladder.chance)
    )
    measured = {"train_error": best.train_error, "ceiling": ladder.ceiling, "parameters": best.parameters}
    if best.status != "finished":
        return failed(f"{best.name} ended as {best.status}: {best.note}", measured=measured, cause=best.status)
    if best.fits:
        first = "" if len(ladder.rungs) == 1 else f", the smallest of {len(ladder.rungs)} tried"
        return passed(
            f"{best.name} fits: training error {error} after {best.epochs:.3g} epochs{first}", measured=measured
        )
    reach = f"perfect outputs have {ceiling}, and {ladder.unknown}" if ladder.unknown else f"{ceiling} can be reached"
    stands = f"{best.name} stops at a training error of {error}; {reach}"
    control = next((rung for rung in ladder.rungs if ladder.own and rung.fits), None)
    # A net that is far behind a standard one in the same time lacks more than time.
    if best.falling > flat and not (control and best.train_error.mean > far * ladder.chance):
        reason = "the budget ended" if ladder.short else f"the run ended after {best.epochs:.3g} epochs"
        advice = "a larger budget=…" if ladder.short else "train.epochs=… (more of them)"
        told = f"{stands}; {reason} while the loss was still falling"
        return warned(told, measured=measured, cause="too-short", advice=advice)
    if control is not None:
        return _below(ladder, stands, control.name, measured, hopeless)
    if best.train_error.mean > hopeless * ladder.chance:
        return failed(
            f"{stands}, and its loss is flat: without input the error is {blind}",
            measured=measured,
            cause="bug",
        )
    return warned(
        f"{stands}, and its loss is flat",
        measured=measured,
        cause="capacity",
        advice="a larger model.width or model.depth",
    )


def _below(ladder: CapacityLadder, stands: str, control: str, measured: dict[str, object], hopeless: float) -> Verdict:
    """The user's own model does not fit, a standard one does: the data are sound."""
    text = f"{stands}; {control} fits the same data"
    advice = "more layers or units, or leave the model to the ladder: no model=…"
    if ladder.best.train_error.mean > hopeless * ladder.chance:
        return failed(
            f"{text}: look for a bug in this net or its training", measured=measured, cause="bug", advice=advice
        )
    return warned(f"{text}: this net has too little capacity", measured=measured, cause="capacity", advice=advice)


@check(id="capacity-is-used")
def more_capacity_lowers_the_training_loss(capacity_ladder: CapacityLadder, *, noise: float = 0.05) -> Verdict:
    """Each larger rung of the ladder has a lower training loss than the one before it.

    Why: capacity that brings nothing is not used: missing non-linearities, a bottleneck, a net that does not train.
    `noise`: share by which a loss may be above the one before.
    Fix: look at the wider rung's gradients and dead units; check that new layers are registered and have activations.
    Source: Karpathy 2019, "verify decreasing training loss".
    """
    rungs = [rung for rung in capacity_ladder.rungs if rung.status == "finished"]
    if len(rungs) < 2:
        return skipped("one rung only")
    if capacity_ladder.short:
        return skipped("the rungs had different numbers of steps, to fit the budget")
    for small, large in pairwise(rungs):
        if large.fits or small.fits:
            continue
        if large.train_loss > small.train_loss * (1 + noise):
            return warned(
                f"{large.name} ({large.parameters:,} parameters) has a training loss of {large.train_loss:.3g}, "
                f"{small.name} ({small.parameters:,}) had {small.train_loss:.3g}",
                measured={small.name: small.train_loss, large.name: large.train_loss},
                cause="capacity-unused",
                where=large.name,
            )
    losses = ", ".join(f"{rung.name} {rung.train_loss:.3g}" for rung in rungs)
    return passed(f"training loss by rung: {losses}")
