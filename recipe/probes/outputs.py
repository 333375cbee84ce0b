"""B18: what the fresh model returns, beside what the loss and the task want."""

from __future__ import annotations

import torch
from torch import nn

from recipe import losses
from recipe.losses import Loss
from recipe.probes.probe import outputs_of
from recipe.record.skeleton import Outputs
from recipe.tasks.task import NUMBERS, Task
from recipe.training.batch import Batch
from recipe.tree import Tree, map_tree


def measure_outputs(task: Task, model: nn.Module, loss: Loss, batch: Batch, num_outputs: int) -> Outputs:
    """batch: items of the training set. The inputs are also blown up, to find an end that the outputs cannot leave."""
    outputs = outputs_of(model, batch.inputs)
    far = torch.cat([outputs_of(model, _blown_up(batch.inputs, f)) for f in (-1e3, 1e3)])
    values = torch.cat([outputs, far])
    finite = values[values.isfinite()]
    numbers = task.name in NUMBERS and not getattr(task, "squashed", False)
    known = batch.targets.cpu() if numbers else None
    return Outputs(
        form=task.form(values[values.flatten(1).isfinite().all(dim=1)]) if len(finite) else "scores",
        form_wanted=losses.form_wanted(loss),
        family=losses.family(loss),
        width=outputs[0].numel() if task.name == "autoencoder" else outputs.shape[-1],
        width_wanted=num_outputs,
        low=float(outputs.min()),
        high=float(outputs.max()),
        far_low=float(finite.min()) if len(finite) else float("nan"),
        far_high=float(finite.max()) if len(finite) else float("nan"),
        spread=float(outputs.double().std(dim=0).max()),
        finite=bool(outputs.isfinite().all()),
        target_low=None if known is None else float(known.min()),
        target_high=None if known is None else float(known.max()),
    )


def _blown_up(inputs: Tree, factor: float) -> Tree:
    return map_tree(lambda leaf: leaf * factor if leaf.is_floating_point() else leaf, inputs)
