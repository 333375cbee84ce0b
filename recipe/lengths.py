"""Lengths of runs: passes over the training data, optimizer steps, and the seconds they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from recipe.record.overfit import Cost
from recipe.training.early_stopping import patience_for

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

SecondsOf = Callable[[float], float]
"""Seconds of one training over so many epochs, all told."""

LEAST_STEPS = 20
"""A run of fewer steps says nothing."""
# Validation on the way is kept under a fifth of the training (Ingredients.train).
_LOOKS = 1.2
# Two trainings at once slow each other down by about so much: memory and clock are shared.
_CROWDED = 1.2


def epochs_of(ingredients: Ingredients, steps: int) -> float:
    """Passes over the training data that so many steps are."""
    train = ingredients.config["train"]
    return float(steps * train["batch_size"] * train["accumulate"] / len(ingredients.data.train))


def steps_of(ingredients: Ingredients, change: Mapping[str, Any], epochs: float) -> int:
    """Optimizer steps of so many passes under a change, which may change the batch size."""
    train = ingredients.config["train"]
    batch, accumulate = (int(change.get(f"train.{key}", train[key])) for key in ("batch_size", "accumulate"))
    return max(1, math.ceil(round(epochs * len(ingredients.data.train) / (batch * accumulate), 6)))


def patience_of(ingredients: Ingredients, steps: int) -> int | None:
    """What early stopping would wait in a run of so many steps; None where the user set it, or it says nothing."""
    evaluations = -(-steps // ingredients.cadence(ingredients.feed("train").steps_per_epoch, steps))
    given = ingredients.config["early_stopping"]["patience"] is not None
    return None if given or evaluations < 3 else patience_for(evaluations)


def limit_of(ingredients: Ingredients, epochs: float) -> int | None:
    """Examples that a run of less than one pass sees: it need not be measured on the others."""
    return math.ceil(epochs * len(ingredients.data.train)) if epochs < 1 else None


def seconds_of(ingredients: Ingredients, cost: Cost) -> SecondsOf:
    """What a training costs by its length: its steps, validation on the way, and both splits measured at its end."""

    def seconds(epochs: float) -> float:
        return training_seconds(steps_of(ingredients, {}, epochs), cost, share=min(1.0, epochs))

    return seconds


def training_seconds(steps: int, cost: Cost, *, share: float = 1.0) -> float:
    """Steps, validation on the way, and both splits measured at the end. share: of the training split measured."""
    return steps * cost.step * _LOOKS + cost.val + cost.train * share


def steps_within(seconds: float, cost: Cost) -> int:
    """The steps that so many seconds pay for, all told; negative when they do not even pay for the measurements."""
    return math.floor((seconds - cost.val - cost.train) / (cost.step * _LOOKS))


def pace_of(workers: int) -> float:
    """Seconds that pass for each second of training where so many run at once."""
    return _CROWDED / workers if workers > 1 else 1.0
