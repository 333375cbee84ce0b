"""Test-time augmentation: whether the mean over several views of a picture is better than one look, on validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from recipe.intervals import t_interval
from recipe.predict.average import as_outputs, item_losses
from recipe.predict.taken_home import Answer
from recipe.predict.views import views_of
from recipe.record.calibration import ViewTrial
from recipe.record.ensemble import Choice
from recipe.record.evidence import CannotMeasure

if TYPE_CHECKING:
    from recipe.trials.crew import Crew

# Items on which it is judged: every view is one more pass of every member.
_MOST = 3000


def judge_views(crew: Crew, choice: Choice, *, allowed: bool) -> ViewTrial:
    """Raises CannotMeasure where the recipe has no augmentation that makes a view, or views are switched off."""
    ingredients, task = crew.ingredients, crew.ingredients.task
    if not allowed:
        raise CannotMeasure("it is switched off (ensemble.views=false)")
    views = views_of(ingredients.regularizers.augment)
    if len(views) < 2:
        raise CannotMeasure("the recipe mirrors and moves no pictures, so that a second view would be a guess")
    val = ingredients.data.val
    generator = torch.Generator().manual_seed(ingredients.config["seed"])
    some = torch.randperm(len(val), generator=generator)[:_MOST].sort().values
    part = val.take(some, name="val-for-views")
    targets = crew.targets[some]
    plain, seen = (crew.together(part, choice.members, Answer(choice.weights, v)) for v in ((), views))
    gain = t_interval((item_losses(task, plain, targets) - item_losses(task, seen, targets)).tolist())
    sign = 1.0 if task.higher_is_better and task.name not in ("regression", "autoencoder") else -1.0
    heads = [sign * task.per_item(as_outputs(task, p), targets) for p in (seen, plain)]
    headline = t_interval((heads[0] - heads[1]).tolist())
    adopted = gain.low > 0 and headline.high >= 0
    told = f"{len(views)} views take {gain} off the loss, {headline} in {task.headline}"
    return ViewTrial(
        views=views,
        metric=task.headline,
        items=len(some),
        gain=gain,
        headline_gain=headline,
        adopted=adopted,
        because=told if adopted else f"one look is enough: {told}",
    )
