"""B15: backpropagation beside centred differences: some coordinates and a direction of every parameter.

Also of the outputs, for the loss by itself; and of each module's own inputs and parameters, when something is wrong,
to say where.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.differences import compare, gradients_of
from recipe.machine import own_random_numbers
from recipe.probes.probe import operations, plain_learner, spread_rows
from recipe.record.gradient_check import GradientCheck, GradientOf
from recipe.training.batch import Batch
from recipe.training.double import StepLoss, double_precision, doubled, in_double
from recipe.training.learner import Learner
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

WRONG = 1e-3
"""A relative error from which the modules are searched for its cause."""
COORDINATES = 3
AFFORDABLE = 3e10
"""Operations that all evaluations of the loss together may take."""


def measure_gradients(ingredients: Ingredients, seed: int, *, items: int = 4, burn_in: int = 10) -> GradientCheck:
    """After `burn_in` steps, on `items` examples of different classes, in training mode and without dropout."""
    batch = _examples(ingredients, seed, items)
    settled = _settled(ingredients, seed, burn_in)
    cost = operations(settled.model, batch)
    learner, batch = in_double(settled), doubled(batch)
    model = learner.model
    # spectral norm steps its power iteration in training mode, and means its vectors to be constants
    calm = any(_normalises_spectrum(module) for module in model.modules())
    mode = "evaluation" if calm else "train"
    with double_precision(), own_random_numbers(seed):
        state = StepLoss(learner, batch, mode, seed)
        state.require()
        loss = _of_the_loss(learner, state, batch, seed)
        parameters = _of_parameters(state, cost * items, seed)
        wrong = any(not one.error <= WRONG for one in parameters)
        modules: tuple[GradientOf, ...] = ()
        right = False
        if wrong and not (loss and loss.error > WRONG):
            modules = tuple(_of_modules(state, seed))
            if mode == "train":
                quiet = StepLoss(learner, batch, "evaluation", seed)
                right = all(one.error <= WRONG for one in _of_parameters(quiet, cost * items, seed))
    return GradientCheck(
        items=len(batch.targets),
        burn_in=burn_in,
        mode=mode,
        loss=loss,
        parameters=tuple(parameters),
        modules=modules,
        right_in_evaluation=right,
    )


def _normalises_spectrum(module: nn.Module) -> bool:
    """Whether it is torch's spectral norm, of today or of old."""
    made = (module, *module._forward_pre_hooks.values())
    return any("spectralnorm" in type(one).__name__.lower() for one in made)


def _examples(ingredients: Ingredients, seed: int, items: int) -> Batch:
    rows = spread_rows(ingredients.targets(ingredients.data.train), items, seed)
    feed = ingredients.feed("train", seed=seed, plain=True, batch_size=len(rows)).subset(rows)
    return next(iter(feed.in_order()))


def _settled(ingredients: Ingredients, seed: int, steps: int) -> Learner:
    """After a few steps the gradient is usual in size; a fresh net when they do not end well."""
    learner = plain_learner(ingredients, seed)
    feed = ingredients.feed("train", seed=seed, plain=True)
    fit(learner, feed, steps=steps, seed=derive(seed, "steps"), sample_every=0)
    sound = all(bool(p.isfinite().all()) for p in learner.model.parameters())
    return learner if sound else plain_learner(ingredients, seed)


def _of_the_loss(learner: Learner, state: StepLoss, batch: Batch, seed: int) -> GradientOf | None:
    """The loss as a function of the outputs; None where the step is the user's own and hides it."""
    if learner.step is not None:
        return None
    outputs = state.outputs().detach().requires_grad_()

    def loss() -> Tensor:
        with own_random_numbers(seed):
            return learner.loss(outputs, batch.targets)

    return compare("the loss by the outputs", loss, [outputs], seed=seed, coordinates=12)


def _of_parameters(state: StepLoss, cost: float, seed: int) -> list[GradientOf]:
    """Each parameter alone where the model is cheap; of a large one neighbours together, along one direction."""
    affordable = AFFORDABLE / max(cost, 1.0)
    count = len(state.named)
    coordinates = COORDINATES if affordable >= count * 2.5 * (1 + COORDINATES) else 0
    together = max(1, math.ceil(2.5 * count / max(1.0, affordable)))
    groups = [state.named[k : k + together] for k in range(0, count, together)]
    gradients = dict(
        zip((name for name, _ in state.named), gradients_of(state, [p for _, p in state.named]), strict=True)
    )
    found = []
    for number, group in enumerate(groups):
        name = group[0][0] + (f" … {group[-1][0]}" if len(group) > 1 else "")
        known = [gradients[one] for one, _ in group]
        tensors = [p for _, p in group]
        found.append(compare(name, state, tensors, seed=derive(seed, number), coordinates=coordinates, gradients=known))
    return found


def _of_modules(state: StepLoss, seed: int) -> Iterator[GradientOf]:
    """The innermost modules of which the gradient by their own inputs and parameters is wrong."""
    called = _calls(state)
    wrong: list[str] = []
    for name, module in sorted(state.model.named_modules(), key=lambda pair: -pair[0].count(".") - bool(pair[0])):
        if module not in called or any(_below(one, name) for one in wrong):
            continue
        found = _of_module(state, name, module, called[module], seed)
        if found is not None and found.error > WRONG:
            wrong.append(name)
            yield found


def _below(name: str, parent: str) -> bool:
    return name.startswith(f"{parent}." if parent else "")


def _calls(state: StepLoss) -> dict[nn.Module, tuple[Any, Any]]:
    """What each module was first called with."""
    called: dict[nn.Module, tuple[Any, Any]] = {}

    def hear(module: nn.Module, args: Any, kwargs: Any) -> None:
        called.setdefault(module, (args, kwargs))

    hooks = [m.register_forward_pre_hook(hear, with_kwargs=True) for m in state.model.modules()]
    state()
    for hook in hooks:
        hook.remove()
    return called


def _of_module(state: StepLoss, name: str, module: nn.Module, call: tuple[Any, Any], seed: int) -> GradientOf | None:
    """A module by itself: a random weighting of its outputs, by its floating inputs and its parameters."""
    try:
        args, kwargs = (_fresh(one) for one in call)
        inputs = [leaf for leaf in _tensors((args, kwargs)) if leaf.is_floating_point()]
        weights: list[Tensor] = []

        def weighted() -> Tensor:
            with state.inside():
                outputs = [o for o in _tensors(module(*args, **kwargs)) if o.is_floating_point()]
            if not weights:
                generator = torch.Generator().manual_seed(derive(seed, name) % 2**63)
                weights.extend(torch.randn(o.shape, generator=generator) for o in outputs)
            return sum(((o * w).sum() for o, w in zip(outputs, weights, strict=True)), torch.zeros(()))

        tensors = [*inputs, *(p for p in module.parameters() if p.requires_grad)]
        if not tensors or not weighted().requires_grad:
            return None
        return compare(name or "forward", weighted, tensors, seed=derive(seed, name), coordinates=0)
    except (RuntimeError, TypeError, ValueError):
        # a module that cannot be called by itself is judged with the one around it
        return None


def _fresh(value: Any) -> Any:
    """A copy of arguments, whatever else is among them, with floating tensors ready for a gradient."""
    if isinstance(value, Tensor):
        fresh = value.detach().clone()
        return fresh.requires_grad_() if fresh.is_floating_point() else fresh
    if isinstance(value, dict):
        return {key: _fresh(one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_fresh(one) for one in value)
    return value


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (dict, tuple, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _tensors(one)
