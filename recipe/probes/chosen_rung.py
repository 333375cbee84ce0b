"""The net that overfit chose, before its run and after it: which of its units live, and what it looks for first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from recipe.probes.first_filters import first_filters
from recipe.probes.unit_health import unit_health
from recipe.record.evidence import CannotMeasure
from recipe.record.filters import FirstFilters
from recipe.record.overfit import UnitHealth
from recipe.record.trial import Outcome
from recipe.trials.here import load_weights

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

# Items that unit health is measured on, at most.
_CENSUS = 10_000


def health_of(ingredients: Ingredients, outcome: Outcome, stage: Stage) -> UnitHealth:
    """Units of the chosen net before and after its run, on the training set (or many of it)."""
    before, after = _both_ends(ingredients, outcome, stage)
    return unit_health(before, after, ingredients.feed("train", plain=True, limit=_CENSUS))


def filters_of(ingredients: Ingredients, outcome: Outcome, stage: Stage) -> FirstFilters:
    """What the chosen net looks for first, before and after its run."""
    return first_filters(*_both_ends(ingredients, outcome, stage), ingredients.input_shape, stage.shelf)


def _both_ends(ingredients: Ingredients, outcome: Outcome, stage: Stage) -> tuple[nn.Module, nn.Module]:
    """The net as its run began, and as it ended."""
    if outcome.weights is None:
        raise CannotMeasure(f"{outcome.trial.name} left no weights: {outcome.note or outcome.status}")
    ends = [ingredients.model(outcome.trial.seed) for _ in range(2)]
    return ends[0], load_weights(ends[1], outcome, stage.folder / "trials")
