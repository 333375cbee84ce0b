"""What a model does on a whole split: outputs, losses of each item, the exact mean."""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from recipe.training.feed import Feed
from recipe.training.group import Group
from recipe.training.learner import PRECISIONS

Loss = Callable[[Any, Any], Tensor]


class Evaluation(NamedTuple):
    """outputs: (N, ...) float32. targets: (N, ...). losses: (N), one an item. All on the CPU. loss: their mean."""

    outputs: Tensor
    targets: Tensor
    losses: Tensor
    loss: float


def evaluate(model: nn.Module, feed: Feed, loss: Loss, *, precision: str = "float32") -> Evaluation:
    """Runs the whole split in evaluation mode and puts the modes back.

    loss is exact: for torch's own losses that of the whole split at once (class weights count once), else the mean of
    the batches' losses weighted by their size.
    """
    kind, group = PRECISIONS[precision], Group.current()
    outputs, targets = [], []
    with evaluating(model), torch.no_grad():
        for number, batch in enumerate(feed.in_order()):
            targets.append(batch.targets)
            if group is None or group.takes(number):
                with torch.autocast(feed.device.type, dtype=kind) if kind else nullcontext():
                    outputs.append(model(batch.inputs))
        return evaluation_of(group.collected(outputs) if group else outputs, targets, loss)


def evaluation_of(outputs: Sequence[Any], targets: Sequence[Any], loss: Loss) -> Evaluation:
    """What was said of a split, batch by batch, beside what was asked."""
    said, losses, total = [], [], 0.0
    for output, target in zip(outputs, targets, strict=True):
        output = output.float() if output.is_floating_point() else output
        losses.append(item_losses(loss, output, target).float())
        total += 0.0 if _knows_reduction(loss) else float(loss(output, target)) * len(target)
        said.append(output)
    answers, asked, each = torch.cat(said), torch.cat(list(targets)), torch.cat(losses)
    mean = _whole(loss, answers, asked, each) if _knows_reduction(loss) else total / len(each)
    return Evaluation(answers.cpu(), asked.cpu(), each.cpu(), mean)


def item_losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each item of a batch, (B): unreduced where the loss can, else as if each were a batch of its own."""
    if _knows_reduction(loss):
        each = _reduced(loss, "none")(outputs, targets)
        if each.ndim and len(each) == len(outputs):
            return _per_item(each, targets, getattr(loss, "ignore_index", None)) if each.ndim > 1 else each

    def single(output: Tensor, target: Tensor) -> Tensor:
        return loss(output[None], target[None]).reshape(())

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mapped: Tensor = torch.func.vmap(single, randomness="different")(outputs, targets)
            return mapped
    except Exception:
        # whatever vmap cannot do with the user's code (branches on values, .item()): one after the other
        return torch.stack([single(output, target) for output, target in zip(outputs, targets, strict=True)])


def _per_item(each: Tensor, targets: Tensor, ignored: int | None) -> Tensor:
    """The mean over the positions of each item, but those that the loss ignores."""
    if ignored is None or targets.shape != each.shape:
        return each.flatten(1).mean(1)
    return each.flatten(1).sum(1) / (targets != ignored).flatten(1).sum(1).clamp(min=1)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; every module has its own mode again afterwards."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _whole(loss: Loss, outputs: Tensor, targets: Tensor, losses: Tensor) -> float:
    """Over all items: the loss itself if it is a mean, else (a sum) the mean of the items' losses."""
    asked = getattr(loss, "reduction", None) or getattr(loss, "keywords", {}).get("reduction", "mean")
    return float(loss(outputs, targets)) if asked == "mean" else float(losses.double().mean())


def _knows_reduction(loss: Loss) -> bool:
    """Whether the loss is one of torch's, or follows their convention."""
    if isinstance(loss, nn.Module):
        return getattr(loss, "reduction", None) in ("mean", "sum", "none")
    try:
        return "reduction" in inspect.signature(loss).parameters
    except (TypeError, ValueError):
        return False


def _reduced(loss: Loss, reduction: str) -> Loss:
    if isinstance(loss, nn.Module):
        twin: Any = copy.copy(loss)
        twin.reduction = reduction
        return twin  # type: ignore[no-any-return]
    return lambda outputs, targets: loss(outputs, targets, reduction=reduction)  # type: ignore[call-arg]
