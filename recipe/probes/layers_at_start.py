"""What each layer is like before training: weights, signal, gradient, idle units and twins."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from recipe.probes.probe import evaluating, norm, outputs_of, rows_of
from recipe.record.evidence import CannotMeasure
from recipe.record.skeleton import LayersAtStart, LayerStart
from recipe.training.batch import Batch
from recipe.training.learner import Learner
from recipe.tree import leaves, map_tree

ITEMS, OUTPUTS = 32, 10
"""As many items and outputs are asked in which directions an output can move."""
LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


def measure_layers(learner: Learner, settled: nn.Module, batch: Batch) -> LayersAtStart:
    """A forward and a backward pass over items of the training set, of a fresh model and of one after a few steps.

    Size of weights, signal and gradient are those of the fresh one; twins and idle units those that stay such.
    """
    model = learner.model
    layers = {name: m for name, m in model.named_modules() if isinstance(m, LAYERS) and m.weight is not None}
    if not layers:
        raise CannotMeasure("the model has no linear or convolutional layers of torch's")
    later = {name: m for name, m in settled.named_modules() if name in layers}
    sizes: dict[str, tuple[float, float]] = {}

    def hear(name: str) -> Any:
        def hook(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> None:
            sizes[name] = float(output.detach().float().mean()), float(output.detach().float().std())

        return hook

    hooks = [module.register_forward_hook(hear(name)) for name, module in layers.items()]
    learner.optimizer.zero_grad()
    with evaluating(model):
        loss = learner.loss(model(batch.inputs), batch.targets)
    for hook in hooks:
        hook.remove()
    with evaluating(settled):
        outcome = learner.loss(settled(batch.inputs), batch.targets)
    settled.zero_grad()
    for value in (loss, outcome):
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
    few = rows_of(batch.inputs, torch.arange(min(ITEMS, len(batch.targets))))
    ranks = [rank for one in (model, settled) if (rank := _directions(one, few)) is not None]
    return LayersAtStart(
        items=len(batch.targets),
        layers=tuple(_layer(name, module, later[name], sizes.get(name)) for name, module in layers.items()),
        affine=_departure(settled, batch),
        directions=max((rank for rank, _ in ranks), default=None),
        outputs=max((width for _, width in ranks), default=0),
    )


def _layer(name: str, module: Any, later: Any, size: tuple[float, float] | None) -> LayerStart:
    weight, rows = module.weight.detach(), later.weight.detach().flatten(1)
    # A weight that is computed anew from others (spectral norm) keeps no gradient.
    gradient, still = (one.weight.grad if one.weight.is_leaf else None for one in (module, later))
    mean, std = size or (math.nan, math.nan)
    return LayerStart(
        name=name,
        kind=type(module).__name__,
        units=len(rows),
        weight_std=float(weight.std()) if weight.numel() > 1 else 0.0,
        weight_std_he=math.sqrt(2 / max(1, rows.shape[1])),
        constant=bool((weight == weight.flatten()[0]).all()) and weight.numel() > 1,
        twins=1 - len(torch.unique(rows, dim=0)) / len(rows),
        idle=0.0 if still is None else _idle(still, later.bias),
        out_mean=mean,
        out_std=std,
        gradient_ratio=0.0 if gradient is None else norm([gradient]) / max(norm([weight]), 1e-30),
    )


def _idle(weights: Tensor, bias: Tensor | None) -> float:
    """Share of units that neither their weights nor their bias give a gradient."""
    still = (weights.flatten(1) == 0).all(dim=1)
    if bias is not None and bias.grad is not None and len(bias.grad) == len(still):
        still &= bias.grad == 0
    return float(still.double().mean())


def _departure(model: nn.Module, batch: Batch) -> float | None:
    """|f(a) + f(b) - f(a + b) - f(0)| over |f(a) - f(0)|, 0 for an affine net; None if it cannot be had."""
    if not all(leaf.is_floating_point() for leaf in leaves(batch.inputs)) or len(batch.targets) < 2:
        return None
    half = len(batch.targets) // 2
    a, b = (rows_of(batch.inputs, rows) for rows in (torch.arange(half), torch.arange(half, 2 * half)))
    both = _added(a, b)
    nothing = map_tree(torch.zeros_like, a)
    fa, fb, fab, f0 = (outputs_of(model, x).double() for x in (a, b, both, nothing))
    scale = float((fa - f0).norm())
    return float((fa + fb - fab - f0).norm()) / scale if scale > 0 else None


def _directions(model: nn.Module, inputs: Any) -> tuple[int, int] | None:
    """(rank of d outputs / d input, the largest of some items, number of outputs that were moved); None without it."""
    if not all(leaf.is_floating_point() for leaf in leaves(inputs)):
        return None
    moved = map_tree(lambda leaf: leaf.detach().clone().requires_grad_(), inputs)
    try:
        with evaluating(model), torch.enable_grad():
            outputs = model(moved)
            if outputs.ndim != 2 or not outputs.requires_grad:
                return None
            columns = outputs[:, :OUTPUTS].sum(dim=0)
            slopes = [torch.autograd.grad(one, list(leaves(moved)), retain_graph=True) for one in columns]
    except RuntimeError:  # a kernel without a derivative in evaluation mode, or an input that is not used
        return None
    rows = torch.stack([torch.cat([part.flatten(1) for part in parts], dim=1) for parts in slopes], dim=1)
    sizes = torch.linalg.svdvals(rows.double().cpu()) if bool(rows.isfinite().all()) else rows.new_zeros(1, 1)
    # Rounding leaves a ten-millionth of the largest in directions that there are not.
    return int((sizes > 1e-5 * sizes[:, :1]).sum(dim=1).max()), len(columns)


def _added(a: Any, b: Any) -> Any:
    second = iter(list(leaves(b)))
    return map_tree(lambda leaf: leaf + next(second), a)
