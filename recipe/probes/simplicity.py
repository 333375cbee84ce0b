"""B2: whether anything that makes training harder on purpose is still on, seen on the objects themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import dropout_rates, joined, norm, plain_learner, repeatable, sample
from recipe.record.skeleton import Simplicity
from recipe.training.batch import Batch
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.learner import Learner


def measure_simplicity(ingredients: Ingredients, seed: int, *, items: int = 64) -> Simplicity:
    """Builds the learner as the user has it and as the baseline trains it, and looks for what is left."""
    own = ingredients.learner(seed)
    rates = dropout_rates(own.model)
    plain = plain_learner(ingredients, seed)
    batch = sample(ingredients, "train", items, seed=seed)
    decay = max((float(g.get("weight_decay", 0.0)) for g in own.optimizer.param_groups), default=0.0)
    return Simplicity(
        dropout=rates,
        noisy_forward=_noisy(plain.model, batch),
        changing_inputs=_changing(ingredients, seed, items),
        weight_decay=decay,
        weight_decay_pull=_pull(own, batch) if decay else 0.0,
        switched_off=_configured(ingredients.config),
        still_on=tuple(_still_on(plain)),
    )


def _configured(config: dict[str, Any]) -> dict[str, str]:
    """What the configuration turns on and this stage turns off."""
    named = {f"regularizers.{key}": str(value) for key, value in config["regularizers"].items() if value}
    if config["data"]["train_transform"]:
        named["data.train_transform"] = f"{len(config['data']['train_transform'])} transforms"
    if config["optimizer"].get("weight_decay"):
        named["optimizer.weight_decay"] = str(config["optimizer"]["weight_decay"])
    return named


def _still_on(plain: Learner) -> list[str]:
    """Regularizers that are found in the plain learner all the same."""
    found = [f"dropout {rate} in {name}" for name, rate in dropout_rates(plain.model).items()]
    for number, group in enumerate(plain.optimizer.param_groups):
        found += [f"{key} {group[key]} in group {number}" for key in ("weight_decay", "shrink") if group.get(key)]
    return found


def _noisy(model: nn.Module, batch: Batch) -> bool:
    """Two passes in train mode differ, from the same state (batch norm's statistics do not count)."""
    model.train()
    with torch.no_grad():
        with repeatable(1):
            first = model(batch.inputs)
        with repeatable(2):
            second = model(batch.inputs)
    return not torch.equal(first, second)


def _changing(ingredients: Ingredients, seed: int, items: int) -> bool:
    """The same training items without augmentation, fetched under other random numbers, are not the same."""
    some = range(min(items, len(ingredients.data.train)))
    feeds = [ingredients.feed("train", seed=s, plain=True).subset(some) for s in (seed, seed + 1)]
    first, second = (joined(list(feed.in_order())) for feed in feeds)
    return any(not torch.equal(a, b) for a, b in zip(leaves(first.inputs), leaves(second.inputs), strict=True))


def _pull(learner: Learner, batch: Batch) -> float:
    """Length of the decay's part of the first step over that of the data gradient (adaptive: of a step of ones)."""
    learner.model.train()
    learner.optimizer.zero_grad()
    with repeatable(0):
        learner.loss(learner.model(batch.inputs), batch.targets).backward()  # type: ignore[no-untyped-call]
    pulls: list[Tensor] = []
    gradients: list[Tensor] = []
    for group in learner.optimizer.param_groups:
        decoupled = group.get("decoupled_weight_decay", type(learner.optimizer).__name__ == "AdamW")
        for weight in group["params"]:
            if weight.grad is not None:
                pulls.append(group.get("weight_decay", 0.0) * weight.detach())
                gradients.append(torch.ones_like(weight) if decoupled else weight.grad)
    return norm(pulls) / max(norm(gradients), 1e-30)
