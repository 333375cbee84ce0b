"""B13 for sequences: an output depends on nothing later, and the target at each position is the input at the next."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recipe.losses import Loss
from recipe.probes.probe import EMBEDDINGS, evaluating, repeatable, rows_of
from recipe.record.evidence import CannotMeasure
from recipe.record.sequence import Causality
from recipe.tasks.task import Task
from recipe.training.batch import Batch
from recipe.tree import Tree, leaves, map_tree

CHART = 24
"""Positions whose outputs are followed back."""
ITEMS = 4
OFFSETS = (-2, -1, 0, 1, 2, 3)
"""Where the targets are looked for among the inputs: 1 is the next position."""


def measure_causality(task: Task, model: nn.Module, loss: Loss, batch: Batch) -> Causality:
    """In evaluation mode. CannotMeasure when the task has no time, or the inputs no step for each target."""
    if task.time_axis() != 1:
        raise CannotMeasure(f"{task.name} has no order of time that an output must not see ahead of")
    tokens = next((leaf for leaf in leaves(batch.inputs) if leaf.shape[:2] == batch.targets.shape), None)
    if tokens is None or len(batch.targets) < 2 * ITEMS:
        raise CannotMeasure("the inputs have no step for each target")
    length = batch.targets.shape[1]
    places = tuple(sorted({round(k) for k in torch.linspace(0, length - 1, min(CHART, length)).tolist()}))
    few, others = (rows_of(batch.inputs, torch.arange(k * ITEMS, (k + 1) * ITEMS)) for k in range(2))
    with evaluating(model):
        moved, own = _exchanges(model, few, others, length)
        influence = _influence(model, few, places, length)
    targets = batch.targets.cpu()
    return Causality(
        length=length,
        positions=places,
        influence=influence,
        moved=moved,
        own=own,
        asked=int((targets >= 0).sum()),
        matches=_matches(tokens.cpu(), targets) if not tokens.is_floating_point() else {},
        shifted=_shifted(task, loss, targets[:64]),
    )


def _exchanges(model: nn.Module, inputs: Tree, others: Tree, length: int) -> tuple[dict[int, float], float]:
    """({cut: change of the outputs before it}, change after it) when everything from the cut on is other items'."""
    moved, own = {}, 0.0
    with torch.no_grad():
        with repeatable(0):
            usual = model(inputs)
        for cut in sorted({max(1, length // 4), max(1, length // 2), length - 1}):
            second = iter(list(leaves(others)))
            mixed = map_tree(lambda leaf, s=second, c=cut: _spliced(leaf, next(s), c, length), inputs)  # type: ignore[misc]
            with repeatable(0):
                change = (model(mixed) - usual).abs().float().cpu()
            moved[cut] = float(change[:, :cut].max())
            own = max(own, float(change[:, cut:].max()))
    return moved, own


def _spliced(leaf: Tensor, other: Tensor, cut: int, length: int) -> Tensor:
    """The leaf with all steps from the cut on exchanged, if it has steps."""
    if leaf.ndim < 2 or leaf.shape[1] != length:
        return leaf
    return torch.cat([leaf[:, :cut], other[:, cut:]], dim=1)


def _influence(
    model: nn.Module, inputs: Tree, places: tuple[int, ...], length: int
) -> tuple[tuple[float, ...], ...] | None:
    """By backpropagation from the outputs at some positions to what the net reads at them."""
    sources: list[Tensor] = []

    def track(leaf: Tensor) -> Tensor:
        followed = leaf.detach().clone().requires_grad_() if leaf.is_floating_point() else leaf
        sources.extend([followed] if leaf.is_floating_point() else [])
        return followed

    def hear(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> Tensor:
        sources.append(output.detach().requires_grad_())
        return sources[-1]

    hooks = [m.register_forward_hook(hear) for m in model.modules() if isinstance(m, EMBEDDINGS)]
    try:
        outputs = model(map_tree(track, inputs))
    finally:
        for hook in hooks:
            hook.remove()
    timed = [s for s in sources if s.ndim > 1 and len(s) == len(outputs) and s.shape[1] == length]
    if not timed or not outputs.requires_grad:
        return None
    weights = torch.randn(outputs.shape[-1], generator=torch.Generator().manual_seed(0)).to(outputs.device)
    rows = []
    for place in places:
        found = torch.autograd.grad((outputs[:, place] @ weights).sum(), timed, retain_graph=True, allow_unused=True)
        squares = torch.zeros(length, dtype=torch.float64)
        for gradient in found:
            if gradient is not None:
                squares += (gradient.double().cpu().transpose(0, 1).reshape(length, -1) ** 2).sum(dim=1)
        rows.append(tuple(squares.sqrt()[list(places)].tolist()))
    return tuple(rows)


def _matches(tokens: Tensor, targets: Tensor) -> dict[int, float]:
    """Share of the targets at positions that have such a neighbour which equal it."""
    found = {}
    for offset in OFFSETS:
        asked = targets[:, max(0, -offset) : targets.shape[1] - max(0, offset)]
        seen = tokens[:, max(0, offset) :][:, : asked.shape[1]]
        counted = asked >= 0
        if int(counted.sum()):
            found[offset] = float((asked == seen)[counted].double().mean())
    return found


def _shifted(task: Task, loss: Loss, targets: Tensor) -> dict[int, float]:
    """The loss of outputs that are right for the target one position earlier, here, or later."""
    found = {}
    for offset in (-1, 0, 1):
        moved = torch.roll(targets, -offset, dims=1)
        found[offset] = float(loss(task.outputs_for(moved, 6.0), targets))
    return found
