"""B4: the loss before any training, over several seeds, beside what loss and data imply."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recipe import losses
from recipe.losses import Loss
from recipe.probes.probe import evaluating, plain_learner, repeatable, sample
from recipe.record.baseline import InitialLoss
from recipe.tasks.task import NUMBERS, Task
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def measure_initial_loss(ingredients: Ingredients, seeds: Sequence[int], *, items: int = 512) -> InitialLoss:
    """Fresh nets on the same training items: in evaluation mode, in train mode, and as the training step has it."""
    task, loss = ingredients.task, plain_learner(ingredients, seeds[0]).loss
    batch = sample(ingredients, "train", items, seed=seeds[0])
    targets = batch.targets.cpu()
    measured, in_training, with_penalty, spread = [], [], [], []
    for seed in seeds:
        learner = plain_learner(ingredients, seed)
        with torch.no_grad(), repeatable(seed):
            with evaluating(learner.model):
                outputs = learner.model(batch.inputs)
                measured.append(float(loss(outputs, batch.targets)))
            spread.append(float(outputs.float().std(dim=0).mean()))
            learner.model.train()
            in_training.append(float(loss(learner.model(batch.inputs), batch.targets)))
            if learner.step is not None:
                with_penalty.append(float(learner.step(learner.model, batch, loss)))
    expected, prior, derivation = expect(task, loss, targets, outputs.cpu())
    # Tokens have no scale.
    floats = [leaf.float().flatten().cpu() for leaf in leaves(batch.inputs) if leaf.is_floating_point()]
    numbers = torch.cat(floats) if floats else torch.zeros(2)
    return InitialLoss(
        family=losses.family(loss),
        task=task.name,
        items=len(targets),
        batch_size=len(targets),
        seeds=tuple(seeds),
        measured=tuple(measured),
        train_mode=tuple(in_training),
        with_penalty=tuple(with_penalty),
        output_std=tuple(spread),
        output_offset=_offset(outputs.float().cpu()),
        expected=expected,
        expected_prior=prior,
        lowest=task.lowest_loss(loss, targets),
        derivation=derivation,
        constants=_constants(task, loss, targets, expected, outputs.shape[-1]),
        width=outputs[0].numel() if task.name == "autoencoder" else outputs.shape[-1],
        classes=ingredients.num_outputs,
        input_low=float(numbers.min()),
        input_high=float(numbers.max()),
        input_mean=float(numbers.mean()),
        input_std=float(numbers.std()),
    )


def expect(task: Task, loss: Loss, targets: Tensor, outputs: Tensor) -> tuple[float | None, float | None, str]:
    """(for neutral outputs, for outputs that carry the prior, how it was derived).

    A loss of torch's is derived from its definition; any other from its own value on neutral outputs, item by item.
    """
    known = task.expected_initial_loss(loss, targets)
    if known is not None:
        return (
            known,
            task.expected_initial_loss(loss, targets, prior=True),
            f"from the definition of {losses.family(loss)}",
        )
    if task.name in NUMBERS:
        neutral = torch.zeros_like(targets)
        prior = task.prior_bias(targets)
        best = None if prior is None else prior.reshape(targets.shape[1:]).expand_as(targets)
        at_prior = None if best is None else _item_by_item(loss, best, targets)
        return _item_by_item(loss, neutral, targets), at_prior, "from the loss itself on constant outputs, item by item"
    neutral = task.outputs_for(targets, 0.0, task.form(outputs))
    return _item_by_item(loss, neutral, targets), None, "from the loss itself on neutral outputs, item by item"


def _offset(outputs: Tensor) -> float:
    means = outputs.flatten(0, -2).mean(dim=0)
    return float(means.std() if len(means) > 1 else means.abs().max())


def _item_by_item(loss: Loss, outputs: Tensor, targets: Tensor, items: int = 128) -> float | None:
    values = [float(loss(outputs[i : i + 1], targets[i : i + 1])) for i in range(min(items, len(targets)))]
    mean = sum(values) / len(values)
    return mean if math.isfinite(mean) else None


def _constants(task: Task, loss: Loss, targets: Tensor, expected: float | None, width: int) -> dict[str, float]:
    """Values that betray a cause: the task's own, the sum over the batch, the other sign, another number of outputs."""
    found = dict(task.constants(loss, targets))
    if task.name in ("classification", "language_model") and width > 1:
        found["other-width"] = math.log(width)
    start = found.get("uniform-guess") if expected is None else expected
    if start:
        found |= {"sum-over-batch": start * len(targets), "other-sign": -start}
    return found
