"""B5: what the prior in the last layer's bias saves, and the hockey stick that it removes from the loss curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from recipe.intervals import paired
from recipe.probes.probe import evaluating, plain_learner, sample
from recipe.record.baseline import PriorBias
from recipe.record.evidence import CannotMeasure
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def measure_prior_bias(
    ingredients: Ingredients, seeds: Sequence[int], *, steps: int, items: int, worth: float = 0.02
) -> PriorBias:
    """Initial loss with and without the bias on paired seeds; curves of the first steps where the drop is worth it."""
    already = bool(ingredients.config["init"]["prior_bias"])
    arms = {value: ingredients.changed({"init.prior_bias": value}) for value in (False, True)}
    before, after = ([_initial(arms[value], seed) for seed in seeds] for value in (False, True))
    if before == after:
        raise CannotMeasure("the model has no last layer with a bias that is as wide as the outputs")
    task, targets = ingredients.task, ingredients.targets(ingredients.data.train)
    neutral = task.expected_initial_loss(ingredients.loss, targets)
    prior = task.expected_initial_loss(ingredients.loss, targets, prior=True)
    drop = paired(before, after)
    pays = drop.mean > worth * abs(sum(before) / len(before))
    curves = {value: _curve(arms[value], seeds[0], steps, items) if pays else () for value in arms}
    return PriorBias(
        seeds=tuple(seeds),
        before=tuple(before),
        after=tuple(after),
        drop=drop,
        expected_after=prior,
        expected_drop=0.0 if neutral is None or prior is None else neutral - prior,
        plain=curves[False],
        prior=curves[True],
        already=already,
    )


def _initial(ingredients: Ingredients, seed: int, items: int = 512) -> float:
    learner = plain_learner(ingredients, seed)
    batch = sample(ingredients, "train", items)
    with torch.no_grad(), evaluating(learner.model):
        return float(learner.loss(learner.model(batch.inputs), batch.targets))


def _curve(ingredients: Ingredients, seed: int, steps: int, items: int) -> tuple[float, ...]:
    learner = plain_learner(ingredients, seed)
    feed = ingredients.feed("train", seed=seed, plain=True, limit=items)
    return fit(learner, feed, steps=steps, seed=derive(seed, "steps")).losses
