"""B19: whether what should train trains and what should not does not, seen on the objects after a few real steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import BATCH_NORMS, norm, outputs_of, plain_learner, repeatable
from recipe.record.skeleton import Parameter, Wiring
from recipe.training.batch import Batch
from recipe.training.learner import Learner
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

ROUNDED = 16
"""Times the precision of the numbers, beside the largest gradient, up to which a gradient is but rounding."""


def measure_wiring(ingredients: Ingredients, seed: int, *, steps: int = 5) -> Wiring:
    """One backward pass looked at closely, then `steps` steps of the real loop with the user's own optimizer."""
    learner = plain_learner(ingredients, seed)
    model = learner.model
    feed = ingredients.feed("train", seed=seed, plain=True)
    batch = next(iter(feed.epoch(0)))
    stuck = _stuck(model)
    first = outputs_of(model, batch.inputs)
    repeats = torch.equal(first, outputs_of(model, batch.inputs))
    gradients, unregistered, unused = _backward(learner, batch)
    cleared = _clears(learner)
    statistics = _statistics(model)
    before = _values(model)
    seen = _FirstStep()
    fit(learner, feed, steps=steps, seed=derive(seed, "steps"), watchers=(seen,))
    after = _values(model)
    held = {id(p) for group in learner.optimizer.param_groups for p in group["params"]}
    parameters = tuple(
        Parameter(
            name=name,
            size=p.numel(),
            trainable=p.requires_grad,
            held=id(p) in held,
            moved=not torch.equal(before[name], after[name]),
            gradient=gradients[name],
        )
        for name, p in model.named_parameters()
    )
    return Wiring(
        parameters=parameters,
        unregistered=unregistered,
        stuck_in_train=stuck[0],
        stuck_in_eval=stuck[1],
        eval_repeats=repeats,
        descent=seen.descent,
        update_ratio=seen.ratio,
        zero_grad=cleared,
        idle_statistics=tuple(n for n, value in statistics.items() if torch.equal(value, _statistics(model)[n])),
        unused=unused,
        batch_norms=tuple(name for name, module in model.named_modules() if isinstance(module, BATCH_NORMS)),
        batch_size=feed.batch_size,
        steps=steps,
    )


class _FirstStep:
    """Watches the first step: its direction against the gradient, and its length."""

    def __init__(self) -> None:
        self.descent, self.ratio = float("nan"), float("nan")

    def after_backward(self, step: int, learner: Learner) -> None:
        """Remembers weights and gradients of the first step."""
        if step == 0:
            self._before = [(p, p.detach().clone(), p.grad.detach().clone()) for p in _trained(learner)]

    def after_step(self, step: int, learner: Learner) -> None:  # noqa: ARG002 - a watcher's signature
        """Compares."""
        if step == 0 and self._before:
            moves = [p.detach() - old for p, old, _ in self._before]
            along = -sum(
                float((m.double() * g.double()).sum()) for m, (_, _, g) in zip(moves, self._before, strict=True)
            )
            lengths = norm(moves) * norm([g for _, _, g in self._before])
            self.descent = along / lengths if lengths else 0.0
            self.ratio = norm(moves) / max(norm([old for _, old, _ in self._before]), 1e-30)


def _trained(learner: Learner) -> list[Any]:
    return [p for p in learner.model.parameters() if p.grad is not None]


def _backward(learner: Learner, batch: Batch) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """(gradient of each parameter in a word, tensors of the graph that are not registered, modules never called)."""
    model, called = learner.model, set()
    hooks = [m.register_forward_hook(lambda module, *_: called.add(module)) for m in model.modules()]
    model.train()
    learner.optimizer.zero_grad()
    with repeatable(0):
        loss = (
            learner.step(model, batch, learner.loss)
            if learner.step
            else learner.loss(model(batch.inputs), batch.targets)
        )
    for hook in hooks:
        hook.remove()
    known = {id(p) for p in model.parameters()}
    strangers = [leaf for leaf in _leaves(loss) if id(leaf) not in known]
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
    unused = tuple(
        name
        for name, module in model.named_modules()
        if module not in called and any(True for _ in module.parameters(recurse=False))
    )
    gradients = {name: p.grad for name, p in model.named_parameters()}
    largest = max((float(g.abs().max()) for g in gradients.values() if g is not None and g.numel()), default=0.0)
    return (
        {name: _in_a_word(gradient, largest) for name, gradient in gradients.items()},
        tuple(f"{tuple(leaf.shape)}" for leaf in strangers),
        unused,
    )


def _leaves(loss: Tensor) -> Iterator[Tensor]:
    """Trainable tensors that the loss depends on, found by walking its graph: registered in the model or not."""
    waiting, seen = [loss.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            yield node.variable
        waiting += [following for following, _ in node.next_functions]


def _in_a_word(gradient: Tensor | None, largest: float) -> str:
    if gradient is None:
        return "none"
    if not bool(gradient.isfinite().all()):
        return "not finite"
    if not bool((gradient != 0).any()):
        return "zero"
    # The gradient of a bias before batch norm is a sum that is zero but for its rounding.
    rounding = ROUNDED * torch.finfo(gradient.dtype).eps * largest
    return "there" if float(gradient.abs().max()) > rounding else "rounding"


def _clears(learner: Learner) -> bool:
    """Whether the optimizer's zero_grad leaves no gradient behind."""
    learner.optimizer.zero_grad()
    held = [p for group in learner.optimizer.param_groups for p in group["params"]]
    clear = all(p.grad is None or not bool((p.grad != 0).any()) for p in held)
    for p in learner.model.parameters():
        p.grad = None
    return clear


def _stuck(model: nn.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Modules that do not follow eval(), and modules that do not follow train()."""
    model.eval()
    in_train = tuple(name or type(model).__name__ for name, module in model.named_modules() if module.training)
    model.train()
    in_eval = tuple(name or type(model).__name__ for name, module in model.named_modules() if not module.training)
    return in_train, in_eval


def _statistics(model: nn.Module) -> dict[str, Tensor]:
    """Running means and variances of each norm layer that keeps such."""
    return {
        name: torch.cat([module.running_mean, module.running_var]).detach().clone()
        for name, module in model.named_modules()
        if isinstance(module, BATCH_NORMS) and module.running_mean is not None and module.running_var is not None
    }


def _values(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}
