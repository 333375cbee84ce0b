"""B7: the same net on real inputs, on blank ones, and on inputs paired with other items' targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from recipe.intervals import paired
from recipe.probes.probe import feed_on, outputs_of, plain_learner, sample
from recipe.record.baseline import Arm, InputControls
from recipe.training.batch import Batch
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def measure_controls(
    ingredients: Ingredients, seeds: Sequence[int], *, steps: int, items: int, val_items: int
) -> InputControls:
    """Three arms on paired seeds: same weights at the start, same order, same steps; each validated on its own kind.

    Blank inputs leave the targets' frequencies to learn, shuffled pairs leave the inputs' distribution as well.
    """
    task = ingredients.task
    train, val = sample(ingredients, "train", items), sample(ingredients, "val", val_items)
    other = torch.randperm(len(train.targets), generator=torch.Generator().manual_seed(derive(seeds[0], "pairs")))
    blank = [batch._replace(inputs=task.blind(batch.inputs)) for batch in (train, val)]
    arms = (
        _arm("real inputs", ingredients, seeds, steps, train, val),
        _arm("blank inputs", ingredients, seeds, steps, blank[0], blank[1]),
        _arm("shuffled pairs", ingredients, seeds, steps, train._replace(targets=train.targets[other]), val),
    )
    real, blind, shuffled = (arm.val_loss for arm in arms)
    return InputControls(
        metric=task.headline,
        higher_is_better=task.higher_is_better,
        seeds=tuple(seeds),
        steps=steps,
        items=len(train.targets),
        arms=arms,
        gain_over_blank=paired(blind, real),
        gain_over_shuffled=paired(shuffled, real),
        prior=task.expected_initial_loss(ingredients.loss, val.targets.cpu(), prior=True),
    )


def _arm(name: str, ingredients: Ingredients, seeds: Sequence[int], steps: int, train: Batch, val: Batch) -> Arm:
    curves, train_loss, val_loss, headline = [], [], [], []
    for seed in seeds:
        learner = plain_learner(ingredients, seed)
        size = ingredients.config["train"]["batch_size"]
        feed = feed_on(train, batch_size=size, seed=seed, device=ingredients.device)
        history = fit(learner, feed, steps=steps, seed=derive(seed, "steps"))
        curves.append(history.losses)
        last = history.losses[-max(1, steps // 10) :]
        train_loss.append(sum(last) / len(last) if last else float("nan"))
        outputs = outputs_of(learner.model, val.inputs)
        val_loss.append(float(learner.loss(outputs.to(val.targets.device), val.targets)))
        headline.append(ingredients.task.metrics(outputs, val.targets.cpu())[ingredients.task.headline])
    shortest = min(map(len, curves))
    return Arm(
        name=name,
        curve=tuple(sum(column) / len(column) for column in zip(*(c[:shortest] for c in curves), strict=True)),
        first=tuple(c[0] if c else float("nan") for c in curves),
        train_loss=tuple(train_loss),
        val_loss=tuple(val_loss),
        headline=tuple(headline),
    )
