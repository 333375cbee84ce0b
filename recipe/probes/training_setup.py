"""How a net is trained, what it is made of, and whether weight decay pulls harder than the data do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.record.setup import Part, Setup
from recipe.training.evaluate import evaluating

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.feed import Feed
    from recipe.training.learner import Learner

# Batches over which the pull is measured: the rule wants the decay to dominate in each of them.
_BATCHES = 5
# These subtract the decay from the weights themselves; all others add it to the gradient.
DECOUPLED = {"AdamW"}


def training_setup(ingredients: Ingredients, *, seed: int, rates: Sequence[float]) -> Setup:
    """rates: of every step of a run, as the schedule made them."""
    learner = ingredients.learner(seed)
    feed = ingredients.feed("train", seed=seed, plain=True)
    kind = type(learner.optimizer).__name__
    config = ingredients.config
    return Setup(
        model=ingredients.composed.choices.get("model", "custom"),
        optimizer=kind,
        options=_options(learner.optimizer.param_groups[0]),
        schedule=ingredients.composed.choices.get("schedule", "custom"),
        batch_size=int(config["train"]["batch_size"]),
        clip_norm=config["train"]["clip_norm"],
        parameters=sum(p.numel() for p in learner.model.parameters()),
        parts=parts_of(learner.model, feed),
        pull=None if kind in DECOUPLED else decay_pull(learner, feed),
        decoupled=decoupled_share(learner, kind, rates),
    )


def parts_of(model: nn.Module, feed: Feed) -> tuple[Part, ...]:
    """The innermost modules as a forward pass over two items calls them; what forward does itself is not seen."""
    parts: list[Part] = []

    def ear(name: str) -> Any:
        def hear(module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG001 - torch's signature
            p = getattr(module, "p", None)
            parts.append(
                Part(name=name, kind=type(module).__name__, p=float(p) if isinstance(p, (int, float)) else None)
            )

        return hear

    hooks = [m.register_forward_hook(ear(n)) for n, m in model.named_modules() if not list(m.children())]
    try:
        with evaluating(model), torch.no_grad():
            model(next(feed.subset(range(min(2, feed.size))).in_order()).inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return tuple(parts)


def decay_pull(learner: Learner, feed: Feed) -> float | None:
    """|decay · weights| / |gradient of the data loss| at the start, least over a few batches; None without decay."""
    groups = [(g["weight_decay"], g["params"]) for g in learner.optimizer.param_groups if g.get("weight_decay")]
    if not groups:
        return None
    pulls = []
    batches = feed.batches()
    for _ in range(_BATCHES):
        batch = next(batches)
        learner.model.zero_grad(set_to_none=True)
        learner.loss(learner.model(batch.inputs), batch.targets).backward()  # type: ignore[no-untyped-call]
        decay = [decay * p.detach() for decay, params in groups for p in params]
        data = [p.grad for _, params in groups for p in params if p.grad is not None]
        pulls.append(_norm(decay) / max(_norm(data), 1e-30))
    return min(pulls)


def decoupled_share(learner: Learner, kind: str, rates: Sequence[float]) -> float:
    """What decoupled decay alone takes off a weight over the whole run: 1 - exp(-decay · Σ rate)."""
    groups = learner.optimizer.param_groups
    decay = max((g.get("shrink") or 0.0) + (g.get("weight_decay", 0.0) if kind in DECOUPLED else 0.0) for g in groups)
    return 1 - math.exp(-decay * sum(rates))


def _options(group: dict[str, Any]) -> dict[str, Any]:
    """The optimizer's settings that are plain numbers."""
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in group.items()}
    return {k: v for k, v in plain.items() if k != "params" and isinstance(v, (int, float, list))}


def _norm(tensors: list[Tensor]) -> float:
    return float(torch.stack([t.float().pow(2).sum() for t in tensors]).sum().sqrt()) if tensors else 0.0
