"""A model's layers with their outputs, parameters and multiply-adds, seen in one forward pass."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from recipe.probes.probe import evaluating, size_of, take
from recipe.record.model_summary import LayerSummary, ModelSummary
from recipe.training.batch import Batch

SEEN = 2
"""Items of the pass: a norm over a batch wants two."""


def summarize_model(model: nn.Module, batch: Batch) -> ModelSummary:
    """torch's own count of operations: products of matrices, convolutions attention; what is cheap counts nothing."""
    items = take(batch, range(min(SEEN, size_of(batch.inputs))))
    count = size_of(items.inputs)
    shapes: dict[str, tuple[int, ...]] = {}
    names = {module: name for name, module in model.named_modules()}

    def hear(module: nn.Module, _: Any, output: Any) -> None:
        made = output[0] if isinstance(output, (tuple, list)) else output
        if isinstance(made, Tensor):
            shapes[names[module]] = tuple(made.shape[1:])

    leaf = [module for module in names if not any(True for _ in module.children())]
    hooks = [module.register_forward_hook(hear) for module in leaf]
    counter = FlopCounterMode(display=False)
    try:
        with evaluating(model), torch.no_grad(), counter:
            model(items.inputs)
    finally:
        for hook in hooks:
            hook.remove()
    counts = {str(place): sum(ops.values()) for place, ops in counter.get_flop_counts().items()}
    root = type(model).__name__
    parameters = list(model.parameters())
    return ModelSummary(
        model=root,
        layers=tuple(
            LayerSummary(
                name=name or root,
                kind=type(modules[name]).__name__,
                shape=shape,
                parameters=sum(p.numel() for p in modules[name].parameters(recurse=False)),
                # A multiplication and an addition are two operations.
                multiply_adds=counts.get(f"{root}.{name}" if name else root, 0) // (2 * count),
            )
            for modules in [dict(model.named_modules())]
            for name, shape in shapes.items()
        ),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        multiply_adds=math.ceil(counter.get_total_flops() / (2 * count)),
        bytes=sum(t.numel() * t.element_size() for t in (*parameters, *model.buffers())),
    )
