"""Early stopping, judged on runs that went to their end: what the weights of the best evaluation were worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from recipe.record.evidence import CannotMeasure
from recipe.record.regularize import KeptWeights
from recipe.record.trial import Outcome
from recipe.training.early_stopping import patience_for
from recipe.trials.ideas.proposal import Proposal

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

LOWER = ("loss", "error", "mae", "mse", "rmse", "perplexity")


def early_stopping_proposal(stage: Stage, outcomes: Sequence[Outcome]) -> Proposal | None:
    """Patience of a third of the evaluations, so that a bump does not end a run; None where the user set it."""
    if stage.given("early_stopping.patience") or stage.ingredients.config["early_stopping"]["patience"] is not None:
        return None
    points = min((len(o.history.points) for o in outcomes), default=0)
    if points < 3:
        return None
    change = {"early_stopping.patience": patience_for(points)}
    return Proposal("early stopping", change, "keep the weights from before the validation loss turns", "stop")


def at_best(outcome: Outcome) -> Outcome:
    """The same run as if the weights of its lowest validation loss had been kept (the training metrics stay)."""
    points = [p for p in outcome.history.points if math.isfinite(p.metrics.get("val", {}).get("loss", math.nan))]
    if not points:
        return outcome
    best = min(points, key=lambda point: point.metrics["val"]["loss"])
    return msgspec.structs.replace(outcome, metrics={**outcome.metrics, "val": best.metrics["val"]})


def rises(outcome: Outcome) -> tuple[float, float]:
    """(by how much of its lowest the validation loss had risen at the end, where in the run the lowest was)."""
    series = [(step, loss) for step, loss in outcome.history.series("val", "loss") if math.isfinite(loss)]
    if not series:
        return 0.0, 1.0
    step, lowest = min(series, key=lambda item: item[1])
    rise = (series[-1][1] - lowest) / abs(lowest) if lowest else 0.0
    return rise, step / max(1, outcome.steps)


def kept_weights(outcomes: Sequence[Outcome], ingredients: Ingredients) -> KeptWeights:
    """What early stopping kept in the first run that had it, beside what there was to keep."""
    settings = ingredients.config["early_stopping"]
    key = "early_stopping.patience"
    outcome = next((o for o in outcomes if o.trial.change.get(key, settings["patience"]) is not None), None)
    if outcome is None:
        raise CannotMeasure("early stopping is off: the last weights are kept")
    split, _, metric = settings["monitor"].partition(".")
    series = [(step, value) for step, value in outcome.history.series(split, metric) if math.isfinite(value)]
    if not series:
        raise CannotMeasure(f"{settings['monitor']} was never measured")
    task = ingredients.task
    lower = not task.higher_is_better if metric == task.headline else metric in LOWER
    values = [value for _, value in series]
    best, worst = (min(values), max(values)) if lower else (max(values), min(values))
    kept = next((value for step, value in series if step == outcome.history.best_step), values[-1])
    return KeptWeights(
        monitor=settings["monitor"],
        mode=settings["mode"],
        lower_is_better=lower,
        kept=kept,
        best=best,
        worst=worst,
        last=values[-1],
        best_step=next(step for step, value in series if value == best),
        kept_step=outcome.history.best_step or 0,
        points=len(series),
    )
