"""B3: one evaluation, done in every way that must give the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from recipe.losses import Loss
from recipe.probes.probe import chunked, evaluating, rows_of, size_of
from recipe.record.evidence import CannotMeasure
from recipe.record.said import said
from recipe.record.skeleton import EvaluationProof
from recipe.tasks.task import Task
from recipe.training.batch import Batch
from recipe.training.evaluate import evaluate
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def prove_evaluation(ingredients: Ingredients, model: nn.Module, *, seed: int = 0, items: int = 256) -> EvaluationProof:
    """A sample of val in batches of 1, 7 and all, backwards, and again; beside the mean over the items."""
    task, loss = ingredients.task, ingredients.loss
    # The items must not depend on the seed that a feed gives its transforms, so the second one has another.
    chosen = torch.randperm(len(ingredients.data.val), generator=torch.Generator().manual_seed(seed))[:items]
    feeds = [ingredients.feed("val", seed=s, batch_size=items).subset(chosen) for s in (seed, seed + 1)]
    batch, again = (next(iter(feed.in_order())) for feed in feeds)
    ways = {"all at once": items, "again": items, "batches of 7": 7, "one by one": 1}
    losses, metrics = {}, {}
    for way, size in ways.items():
        losses[way], metrics[way] = _evaluated(task, model, loss, batch, size)
    losses["backwards"], metrics["backwards"] = _evaluated(task, model, loss, _reversed(batch), items)
    shipped = evaluate(model, feeds[0], loss)
    losses["evaluate"] = shipped.loss
    metrics["evaluate"] = task.metrics(shipped.outputs, shipped.targets)[task.headline]
    return EvaluationProof(
        items=size_of(batch.inputs),
        split_items=len(ingredients.data.val),
        metric=task.headline,
        interval=task.interval(shipped.outputs, shipped.targets),
        losses=losses,
        metrics=metrics,
        inputs_repeat=all(torch.equal(a, b) for a, b in zip(leaves(batch.inputs), leaves(again.inputs), strict=True)),
    )


def _evaluated(task: Task, model: nn.Module, loss: Loss, batch: Batch, size: int) -> tuple[float, float]:
    """(loss over all outputs, headline), with the outputs computed in batches of `size`."""
    with evaluating(model), torch.no_grad():
        try:
            parts = [model(rows_of(batch.inputs, rows)) for rows in chunked(size_of(batch.inputs), size)]
        except (ValueError, RuntimeError, IndexError) as error:
            # A batch norm that stays in train mode has no variance of one row.
            raise CannotMeasure(f"in batches of {size} the model raises: {said(error, kind=False)[:120]}") from error
        if sum(map(len, parts)) != size_of(batch.inputs):
            raise CannotMeasure(f"in batches of {size} the model's outputs lose an axis; see batches-equal-singles")
        outputs = torch.cat(parts)
        value = float(loss(outputs, batch.targets))
    return value, task.metrics(outputs.float().cpu(), batch.targets.cpu())[task.headline]


def _reversed(batch: Batch) -> Batch:
    order = torch.arange(size_of(batch.inputs)).flip(0)
    return Batch(rows_of(batch.inputs, order), batch.targets[order.to(batch.targets.device)], batch.index[order])
