"""B13: which example moves which output, by backpropagation and by exchanging examples; which input moves none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import BATCH_NORMS, evaluating, repeatable, rows_of, size_of, take
from recipe.record.evidence import CannotMeasure
from recipe.record.skeleton import Dependencies
from recipe.training.batch import Batch
from recipe.tree import Tree, leaves, map_tree

CHART = 32
"""The chart of influence is at most this many positions high and wide."""


def measure_dependencies(model: nn.Module, batch: Batch, *, examples: int = 6) -> Dependencies:
    """In evaluation mode, where norm layers treat every example alone. batch: at least twice `examples` items."""
    if size_of(batch.inputs) < 2 * examples:
        raise CannotMeasure(f"{size_of(batch.inputs)} items are too few: {2 * examples} are needed")
    with evaluating(model):
        few, others = take(batch, range(examples)).inputs, take(batch, range(examples, 2 * examples)).inputs
        charted, silent_share, silent = _influence(model, batch.inputs)
        return Dependencies(
            items=examples,
            gradient=_gradients(model, few),
            forward=_exchanges(model, few, others),
            influence=charted,
            silent_share=silent_share,
            silent_leaves=(*silent, *_unheard(model, few, others)),
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


def _influence(model: nn.Module, inputs: Tree) -> tuple[tuple[tuple[float, ...], ...], float, tuple[str, ...]]:
    """(chart of the first input or embedding, share of silent numbers, names of wholly silent inputs).

    What embeddings return stands for the whole numbers that were looked up: at a place that is padding in all of the
    items nothing could be heard, so it does not count.
    """
    tracked, sources = _tracked(inputs)
    given = len(sources)
    items = size_of(inputs)
    total = _projected(_forward(model, tracked, sources)).sum()
    sources = [s for k, s in enumerate(sources) if k < given or (len(s) == items and s.ndim > 1)]
    if not sources:
        return (), 0.0, ()
    found = torch.autograd.grad(total, sources, allow_unused=True) if total.requires_grad else [None] * len(sources)
    strength = [
        torch.zeros_like(s[0]) if g is None else g.abs().mean(dim=0) for s, g in zip(sources, found, strict=True)
    ]
    counted = [
        s if k < given else _spoken(s, source) for k, (s, source) in enumerate(zip(strength, sources, strict=True))
    ]
    silent = sum(int((s == 0).sum()) for s in counted) / max(1, sum(s.numel() for s in counted))
    names = [name for name, leaf in _named(inputs) if leaf.is_floating_point()]
    dead = tuple(name for name, s in zip(names, strength, strict=False) if not bool((s > 0).any()))
    return _chart(strength[0] if given else strength[0].mean(dim=-1)), silent, dead


def _spoken(strength: Tensor, vectors: Tensor) -> Tensor:
    """The places of an embedded sequence (B, T, D) at which some item has a vector that is not zero."""
    if vectors.ndim != 3:
        return strength
    return strength[(vectors.detach() != 0).any(dim=-1).any(dim=0)]


def _unheard(model: nn.Module, inputs: Tree, others: Tree) -> tuple[str, ...]:
    """Names of the whole-number inputs that can be exchanged for other items' without moving any output."""
    names = [name for name, _ in _named(inputs)]
    second = list(leaves(others))
    silent = []
    if len(names) < 2:
        return ()
    with torch.no_grad():
        with repeatable(0):
            usual = model(inputs)
        for k, (name, leaf) in enumerate(_named(inputs)):
            if leaf.is_floating_point() or torch.equal(leaf, second[k]):
                continue
            number = iter(range(len(names)))
            mixed = map_tree(lambda old, n=number, k=k: second[k] if next(n) == k else old, inputs)  # type: ignore[misc]
            with repeatable(0):
                if torch.equal(model(mixed), usual):
                    silent.append(name)
    return tuple(silent)


def _named(tree: Tree, prefix: str = "inputs") -> list[tuple[str, Tensor]]:
    """The leaves with their names, in order."""
    if isinstance(tree, Tensor):
        return [(prefix, tree)]
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [found for key, value in pairs for found in _named(value, f"{prefix}[{key!r}]")]


def _chart(strength: Tensor) -> tuple[tuple[float, ...], ...]:
    """At most CHART x CHART means; channels are averaged, a single row stays one."""
    picture = strength.float().cpu()
    while picture.ndim > 2:
        picture = picture.mean(dim=0)
    picture = picture.reshape(1, -1) if picture.ndim < 2 else picture
    size = (min(CHART, picture.shape[0]), min(CHART, picture.shape[1]))
    small = nn.functional.adaptive_avg_pool2d(picture[None, None], size)[0, 0]
    return tuple(tuple(row) for row in small.tolist())
