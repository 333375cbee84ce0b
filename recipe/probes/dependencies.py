"""B13: which example moves which output, by backpropagation and by exchanging examples; which input moves none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import BATCH_NORMS, evaluating, repeatable, rows_of, size_of, take
from recipe.record.evidence import CannotMeasure
from recipe.record.skeleton import Dependencies
from recipe.training.batch import Batch
from recipe.tree import Tree, map_tree

CHART = 32
"""The chart of influence is at most this many positions high and wide."""


def measure_dependencies(model: nn.Module, batch: Batch, *, examples: int = 6) -> Dependencies:
    """In evaluation mode, where norm layers treat every example alone. batch: at least twice `examples` items."""
    if size_of(batch.inputs) < 2 * examples:
        raise CannotMeasure(f"{size_of(batch.inputs)} items are too few: {2 * examples} are needed")
    with evaluating(model):
        few, others = take(batch, range(examples)).inputs, take(batch, range(examples, 2 * examples)).inputs
        charted, silent = _influence(model, batch.inputs)
        return Dependencies(
            items=examples,
            gradient=_gradients(model, few),
            forward=_exchanges(model, few, others),
            influence=charted,
            silent_share=silent[0],
            silent_leaves=silent[1],
            norms=tuple(name for name, module in model.named_modules() if isinstance(module, BATCH_NORMS)),
        )


def _gradients(model: nn.Module, inputs: Tree) -> tuple[tuple[float, ...], ...] | None:
    """[i][j]: length of the gradient of output i on example j, or on its embedding; None where neither can be had."""
    tracked, sources = _tracked(inputs)
    items = size_of(inputs)
    outputs = _projected(_forward(model, tracked, sources))
    sources = [s for s in sources if len(s) == items]
    if not sources:
        return None
    rows = []
    for i in range(items):
        found: Any = ()
        if outputs.requires_grad:
            found = torch.autograd.grad(outputs[i], sources, retain_graph=True, allow_unused=True)
        squares = torch.zeros(items, dtype=torch.float64)
        for gradient in found:
            if gradient is not None:
                squares += (gradient.detach().double().cpu().reshape(items, -1) ** 2).sum(dim=1)
        rows.append(tuple(squares.sqrt().tolist()))
    return tuple(rows)


def _tracked(inputs: Tree) -> tuple[Tree, list[Tensor]]:
    """The inputs with gradients switched on, and the float ones among their leaves."""
    sources: list[Tensor] = []

    def track(leaf: Tensor) -> Tensor:
        if not leaf.is_floating_point():
            return leaf
        sources.append(leaf.detach().clone().requires_grad_())
        return sources[-1]

    return map_tree(track, inputs), sources


def _forward(model: nn.Module, inputs: Tree, sources: list[Tensor]) -> Tensor:
    """Outputs; what embeddings return on the way joins the sources, so that whole-number inputs can be followed."""

    def hear(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        followed = output.detach().requires_grad_()
        sources.append(followed)
        return followed

    embeddings = [m for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag))]
    hooks = [module.register_forward_hook(hear) for module in embeddings]
    try:
        outputs: Tensor = model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def _projected(outputs: Tensor) -> Tensor:
    """(N,) a random combination of each item's outputs: their sum would be constant under a softmax."""
    weights = torch.randn(outputs[0].shape, generator=torch.Generator().manual_seed(0)).to(outputs.device)
    return (outputs * weights).reshape(len(outputs), -1).sum(dim=1)


def _exchanges(model: nn.Module, inputs: Tree, others: Tree) -> tuple[tuple[float, ...], ...]:
    """[i][j]: how far output i moves, at most, when example j is exchanged for another one."""
    items = size_of(inputs)
    moved = torch.zeros(items, items)
    both = _joined(inputs, others)
    # the same random numbers in every pass: what a net draws must not look like what it mixes
    with torch.no_grad():
        with repeatable(0):
            usual = model(inputs)
        for j in range(items):
            order = torch.arange(items)
            order[j] = items + j
            with repeatable(0):
                outputs = model(rows_of(both, order))
            moved[:, j] = (outputs - usual).abs().reshape(items, -1).amax(dim=1).float().cpu()
    return tuple(tuple(row) for row in moved.tolist())


def _joined(first: Tree, second: Tree) -> Tree:
    if isinstance(first, Tensor):
        return torch.cat([first, second])
    if isinstance(first, dict):
        return {key: _joined(first[key], second[key]) for key in first}
    return tuple(_joined(a, b) for a, b in zip(first, second, strict=True))


def _influence(model: nn.Module, inputs: Tree) -> tuple[tuple[tuple[float, ...], ...], tuple[float, tuple[str, ...]]]:
    """(chart of the first float input, (share of silent numbers, names of wholly silent inputs))."""
    tracked, sources = _tracked(inputs)
    if not sources:
        return (), (0.0, ())
    total = _projected(model(tracked)).sum()
    found = torch.autograd.grad(total, sources, allow_unused=True) if total.requires_grad else [None] * len(sources)
    strength = [
        torch.zeros_like(s[0]) if g is None else g.abs().mean(dim=0) for s, g in zip(sources, found, strict=True)
    ]
    silent = sum(int((s == 0).sum()) for s in strength) / max(1, sum(s.numel() for s in strength))
    names = _names(inputs)
    dead = tuple(name for name, s in zip(names, strength, strict=True) if not bool((s > 0).any()))
    return _chart(strength[0]), (silent, dead)


def _names(tree: Tree, prefix: str = "inputs") -> list[str]:
    """Names of the float leaves, in order."""
    if isinstance(tree, Tensor):
        return [prefix] if tree.is_floating_point() else []
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [name for key, value in pairs for name in _names(value, f"{prefix}[{key!r}]")]


def _chart(strength: Tensor) -> tuple[tuple[float, ...], ...]:
    """At most CHART x CHART means; channels are averaged, a single row stays one."""
    picture = strength.float().cpu()
    while picture.ndim > 2:
        picture = picture.mean(dim=0)
    picture = picture.reshape(1, -1) if picture.ndim < 2 else picture
    size = (min(CHART, picture.shape[0]), min(CHART, picture.shape[1]))
    small = nn.functional.adaptive_avg_pool2d(picture[None, None], size)[0, 0]
    return tuple(tuple(row) for row in small.tolist())
