"""Where a loss stopped being a number: the step, its items, the first layer that gave a bad output."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recipe.training.step import NonFinite, Stepper
from recipe.tree import leaves, map_tree

SHOWN = 8


def explain(bad: NonFinite, stepper: Stepper) -> str:
    """One line: diverged, with step, batch indices and first bad layer."""
    index = torch.cat([batch.index for batch in bad.batches]).tolist()
    items = ", ".join(map(str, index[:SHOWN])) + (f" … {len(index)} in all" if len(index) > SHOWN else "")
    return f"diverged: loss {bad.value} at step {bad.step} (batch indices {items}; {_place(bad, stepper)})"


def _place(bad: NonFinite, stepper: Stepper) -> str:
    for batch in bad.batches:
        rows = [row for leaf in leaves(batch.inputs) for row, item in enumerate(leaf) if not _finite(item)]
        if rows:
            shown = ", ".join(str(int(batch.index[row])) for row in rows[:SHOWN])
            return f"their inputs are not finite: items {shown}"
        rows = [row for row, item in enumerate(batch.targets) if not _finite(item)]
        if rows:
            return (
                f"their targets are not finite: items {', '.join(str(int(batch.index[row])) for row in rows[:SHOWN])}"
            )
    for name, parameter in stepper.model.named_parameters():
        if not _finite(parameter):
            return f"first bad layer {name.rpartition('.')[0] or name}: the step before made its weights not finite"
    layer = _first_bad_layer(bad, stepper)
    return f"first bad layer {layer}" if layer else "every layer's output is finite: the loss itself is bad"


def _first_bad_layer(bad: NonFinite, stepper: Stepper) -> str | None:
    """Runs the batches again without gradients, listening to every leaf module; its buffers are put back."""
    found: list[str] = []

    def listener(name: str) -> Any:
        def hear(_module: nn.Module, _args: Any, output: Any) -> None:
            if isinstance(output, Tensor) and not _finite(output):
                found.append(name)

        return hear

    model = stepper.model
    named = [(name or "model", module) for name, module in model.named_modules() if not list(module.children())]
    hooks = [module.register_forward_hook(listener(name)) for name, module in named]
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        with torch.no_grad(), stepper.autocast():
            for batch in bad.batches:
                model(map_tree(lambda leaf: leaf.to(stepper.learner.device), batch.inputs))
    finally:
        for hook in hooks:
            hook.remove()
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
    return found[0] if found else None


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
