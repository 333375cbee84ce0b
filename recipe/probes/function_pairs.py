"""B14: a user's vectorised functions beside their loopy twins, on real batches: values and gradients."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.instantiation import instantiate, locate, signature_of
from recipe.probes.probe import outputs_of, rows_of, size_of
from recipe.record.equivalence import Pair, Pairs
from recipe.record.evidence import CannotMeasure
from recipe.record.said import said
from recipe.training.batch import Batch
from recipe.tree import leaves, map_tree

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

SIZES = (1, 3, 16)
SURE = 3.0
"""Deviation of the outputs of a net that has learnt something."""

Function = Callable[..., Any]


def measure_pairs(ingredients: Ingredients, model: nn.Module, batch: Batch) -> Pairs:
    """The pairs of `baseline.equivalence`; model: gives the outputs that losses and metrics are called with."""
    nodes = ingredients.config["baseline"]["equivalence"]
    if not nodes:
        raise CannotMeasure("no function of your own has a slow twin (baseline.equivalence)")
    return Pairs(pairs=tuple(_pair(node, number, model, batch) for number, node in enumerate(nodes)))


def _pair(node: Mapping[str, Any], number: int, model: nn.Module, batch: Batch) -> Pair:
    """A fast function and its slow twin on real batches of several sizes."""
    where = f"baseline.equivalence[{number}]"
    fast, slow = (_function(node[side], f"{where}.{side}") for side in ("fast", "slow"))
    on = node.get("call") or ("outputs" if _required(fast) > 1 else "inputs")
    names = {side: str(node[side]["_target_"]) for side in ("fast", "slow")}
    outputs = outputs_of(model, batch.inputs)
    # those of an unsure net hide what a clamp or a maximum does: the same once more, surer
    surer = outputs * (SURE / float(outputs.std().clamp(min=1e-6)))
    worst, gradient, at, raised = 0.0, None, SIZES[0], ""
    sizes = [size for size in SIZES if size <= size_of(batch.inputs)]
    for size in sizes:
        rows = torch.arange(size)
        targets = batch.targets[rows]
        given = [(o[rows], targets) for o in (outputs, surer)] if on == "outputs" else [(rows_of(batch.inputs, rows),)]
        try:
            gaps = [_compared(fast, slow, one) for one in given]
        except Exception as error:  # the user's code, on a batch of this size
            gaps, raised = [(math.inf, None)], f"a batch of {size}: {said(error)}"
        for gap, steep in gaps:
            gradient = gradient if steep is None else max(gradient or 0.0, steep)
            worst, at = (gap, size) if gap > worst else (worst, at)
        if raised:
            break
    return Pair(
        fast=names["fast"], slow=names["slow"], on=on, sizes=tuple(sizes), difference=worst, size=at,
        gradient=gradient, error=raised,
    )  # fmt: skip


def _compared(fast: Function, slow: Function, given: Sequence[Any]) -> tuple[float, float | None]:
    """How far apart values are, and gradients where both have them."""
    (value, slope), (other, slope_other) = (_called(function, given) for function in (fast, slow))
    return _apart(value, other), None if slope is None or slope_other is None else _apart(slope, slope_other)


def _function(node: Mapping[str, Any], where: str) -> Function:
    """A function as it is; of a class an object, which is called."""
    target = locate(node["_target_"], where)
    made: Function = instantiate(dict(node) if inspect.isclass(target) else {**node, "_partial_": True}, where=where)
    return made


def _required(function: Function) -> int:
    """Arguments without a default."""
    forward = function.forward if isinstance(function, nn.Module) else function
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.default is p.empty and p.kind in kinds for p in signature_of(forward).values())


def _called(function: Function, given: Sequence[Any]) -> tuple[list[Tensor], list[Tensor] | None]:
    """(its numbers, their gradient by what it was given: None where it has none)."""
    first = map_tree(lambda leaf: _leaf(leaf), given[0])
    found = [torch.as_tensor(one) for one in _numbers(function(first, *given[1:]))]
    roots = [leaf for leaf in leaves(first) if leaf.requires_grad]
    smooth = [one for one in found if one.requires_grad]
    if not roots or not smooth:
        return [one.detach().double() for one in found], None
    total = sum((one.double().sum() for one in smooth), torch.zeros((), dtype=torch.float64))
    slopes = torch.autograd.grad(total, roots, allow_unused=True)
    gradients = [torch.zeros_like(r).double() if s is None else s.double() for r, s in zip(roots, slopes, strict=True)]
    return [one.detach().double() for one in found], gradients


def _leaf(leaf: Tensor) -> Tensor:
    fresh = leaf.detach().clone()
    return fresh.requires_grad_() if fresh.is_floating_point() else fresh


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [number for one in value.values() for number in _numbers(one)]
    if isinstance(value, (tuple, list)):
        return [number for one in value for number in _numbers(one)]
    return [value]


def _apart(mine: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The largest difference over the largest number. Raises ValueError for other shapes."""
    shapes = [[tuple(one.shape) for one in side] for side in (mine, theirs)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"the fast one gives {shapes[0]}, the slow one {shapes[1]}")
    size = max((float(one.abs().max()) for one in theirs if one.numel()), default=0.0)
    gap = max((float((a - b).abs().max()) for a, b in zip(mine, theirs, strict=True) if a.numel()), default=0.0)
    return 0.0 if gap == 0 else gap / size if size else math.inf
