"""A net before its first step: by its loss, weights, activations and gradients the strengths of penalties are sized."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from recipe.record.refusal import Refusal
from recipe.training.dropouts import ActivationPenalty
from recipe.training.optimizers import decayed_names

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

ITEMS = 64


class Start(NamedTuple):
    """loss: of a few training items. weights: Σ|w| of all matrices. norm: mean norm of a unit's incoming weights.

    activations: what the penalty on activations would add up (None: no hidden layer). gradient: root mean square.
    """

    loss: float
    weights: float
    norm: float
    activations: float | None
    gradient: float


def measure_start(ingredients: Ingredients) -> Start:
    """One forward and backward pass over a few items, without any regularizer."""
    learner = ingredients.learner(0, plain=True)
    model = learner.model
    model.train()
    try:
        penalty = ActivationPenalty(model)
    except Refusal:
        penalty = None
    feed = ingredients.feed("train", plain=True)
    batch = next(feed.subset(range(min(ITEMS, feed.size))).in_order())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loss = learner.loss(learner.forward(batch.inputs), batch.targets)
    loss.backward()  # type: ignore[no-untyped-call]
    activations = None
    if penalty is not None:
        activations = penalty.collect().item()
        penalty.close()
    wanted = decayed_names(model)
    matrices = [p.detach() for name, p in model.named_parameters() if name in wanted]
    norms = torch.cat([m.flatten(1).norm(dim=1) for m in matrices]) if matrices else torch.zeros(1)
    gradients = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return Start(
        loss=abs(loss.item()),
        weights=float(sum(m.abs().sum() for m in matrices)),
        norm=float(norms.mean()),
        activations=activations,
        gradient=float(gradients.square().mean().sqrt()),
    )


def rounded(value: float, *, nines: bool = False) -> float:
    """To one digit: an idea's strength is a guess, and looks like one. nines: what is missing to one is."""
    return float(f"{1 - float(f'{1 - value:.0e}'):.10g}") if nines else float(f"{value:.0e}")
