"""From changes to trials and from outcomes to what the search learnt of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipe.lengths import limit_of, steps_of
from recipe.record.trial import Change, Outcome, Pruning, Trial
from recipe.record.tune import SearchPlan, Tried
from recipe.search.space import describe

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def trials_of(
    ingredients: Ingredients,
    plan: SearchPlan,
    epochs: float,
    first: int,
    changes: Sequence[Change],
    pruning: Pruning | None,
) -> list[Trial]:
    """Trials of the search, numbered from `first`. All have one seed: they differ by what they change, not by luck."""
    return [
        Trial(
            name=f"trial {number}",
            change=change,
            seed=plan.seed,
            steps=steps_of(ingredients, change, epochs),
            limit=limit_of(ingredients, epochs),
            hypothesis=describe(change),
            pruning=pruning,
        )
        for number, change in enumerate(changes, first)
    ]


def fresh_trials(ingredients: Ingredients, plan: SearchPlan, name: str, change: Change) -> list[Trial]:
    """One training a fresh seed, of the recipe's own length as far as the budget allows."""
    return [
        Trial(
            name=name,
            change=change,
            seed=seed,
            steps=steps_of(ingredients, change, plan.epochs),
            limit=limit_of(ingredients, plan.epochs),
            hypothesis=f"{name}, on seeds that the search never saw",
        )
        for seed in plan.fresh_seeds
    ]


def tried_of(plan: SearchPlan, number: int, outcome: Outcome, *, short: bool) -> Tried:
    """What a trial came to; of its history the objective's curve."""
    points = outcome.history.points
    curve = [(p.epoch, p.metrics.get(plan.split, {}).get(plan.metric, math.nan)) for p in points]
    return Tried(
        number=number,
        generation=0 if number == 0 else 1 + (number - 1) // plan.generation,
        trial=outcome.trial.id,
        change=outcome.trial.change,
        status=outcome.status,
        value=plan.value_of(outcome),
        headline=plan.headline_of(outcome),
        epochs=points[-1].epoch if points else 0.0,
        steps=outcome.steps,
        curve=tuple(curve),
        note=outcome.note,
        short=short,
    )
