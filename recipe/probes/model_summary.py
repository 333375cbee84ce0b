"""A model's layers with their outputs, parameters and multiply-adds, seen in one forward pass."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from recipe.probes.probe import evaluating, size_of, take
from recipe.record.model_summary import LayerSummary, ModelSummary
from recipe.training.batch import Batch

SEEN = 2
"""Items of the pass: a norm over a batch wants two."""


def summarize_model(model: nn.Module, batch: Batch) -> ModelSummary:
    """torch's own count of operations: products of matrices, convolutions, attention; what is cheap counts nothing."""
    items = take(batch, range(min(SEEN, size_of(batch.inputs))))
    count = size_of(items.inputs)
    modules = dict(model.named_modules())
    root = type(model).__name__
    seen = _Operations(model)
    # oneDNN's recurrent layers are one operation that nobody counts; torch's own are products of matrices.
    fast = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        with evaluating(model), torch.no_grad(), seen:
            model(items.inputs)
    finally:
        torch.backends.mkldnn.enabled = fast
        seen.close()
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
                multiply_adds=seen.operations[name] // (2 * count),
            )
            for name, shape in seen.shapes.items()
        ),
        parameters=sum(p.numel() for p in parameters),
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        multiply_adds=math.ceil(seen.operations.total() / (2 * count)),
        bytes=sum(t.numel() * t.element_size() for t in (*parameters, *model.buffers())),
    )


class _Operations(TorchDispatchMode):
    """Counts what is calculated while it is on, by the innermost module that is being called, and hears what it gives.

    torch's FlopCounterMode does so too, and imports its compiler for it: a second, and a folder in the system's own.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: Counter[str] = Counter()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._within = [""]
        self._hooks = [
            hook
            for name, module in model.named_modules()
            for hook in (module.register_forward_pre_hook(self._enter(name)), module.register_forward_hook(self._leave))
        ]
        self._leaves = {name for name, module in model.named_modules() if not any(True for _ in module.children())}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch's word for: not wrapped for its compiler

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if func._overloadpacket not in flop_registry and func is not torch.ops.prim.device.default:
            with self:
                parts = func.decompose(*args, **given)
            if parts is not NotImplemented:
                return parts
        found = func(*args, **given)
        if func._overloadpacket in flop_registry:
            self.operations[self._within[-1]] += flop_registry[func._overloadpacket](*args, **given, out_val=found)
        return found

    def close(self) -> None:
        """Leaves the model as it was."""
        for hook in self._hooks:
            hook.remove()

    def _enter(self, name: str) -> Any:
        def hook(_: nn.Module, __: Any) -> None:
            self._within.append(name)

        return hook

    def _leave(self, _: nn.Module, __: Any, output: Any) -> None:
        name = self._within.pop()
        made = output[0] if isinstance(output, (tuple, list)) else output
        if name in self._leaves and isinstance(made, Tensor):
            self.shapes[name] = tuple(made.shape[1:])
