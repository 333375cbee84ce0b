"""What one step of a training costs here and now: a short measurement before the first long step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from recipe.record.overfit import Cost
from recipe.training.loop import fit

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# Measured for at least so many seconds, and with at least so many steps.
_SECONDS, _STEPS = 0.3, 3
_WARM_UP = 2


def measure_cost(ingredients: Ingredients, *, seed: int) -> Cost:
    """Seconds of a step, and of a look at each split. Call it with the threads that the trials will have."""
    learner = ingredients.learner(seed)
    feed = ingredients.feed("train", seed=seed)
    fit(learner, feed, steps=_WARM_UP, seed=seed, sample_every=0)
    taken, started = 0, time.perf_counter()
    while taken < _STEPS or time.perf_counter() - started < _SECONDS:
        fit(learner, feed, steps=_STEPS, seed=seed, sample_every=0)
        taken += _STEPS
    step = (time.perf_counter() - started) / taken
    batches = 4
    sample = ingredients.feed("train", seed=seed, plain=True, limit=batches * feed.batch_size)
    started = time.perf_counter()
    ingredients.measure(learner.model, sample)
    each = (time.perf_counter() - started) / sample.size
    return Cost(step=step, val=each * len(ingredients.data.val), train=each * len(ingredients.data.train))
