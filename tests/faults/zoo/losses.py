"""Losses, metrics and steps with one planted bug each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def negative_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:  # L03
    return -F.cross_entropy(outputs, targets)


def clipped_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:  # L04
    return F.cross_entropy(outputs, targets, reduction="none").clamp(max=1).mean()


def broadcast_squares(outputs: Tensor, targets: Tensor) -> Tensor:  # L07
    return ((outputs - targets.squeeze(1)) ** 2).mean()


def naive_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:  # L08
    shares = outputs.exp() / outputs.exp().sum(dim=1, keepdim=True)
    return -shares.log()[torch.arange(len(targets)), targets].mean()


def summed_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:  # L02
    return F.cross_entropy(outputs, targets, reduction="sum")


def rounded_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(dim=1) != targets).float().mean()


def focal(outputs: Tensor, targets: Tensor) -> Tensor:
    """Healthy, and none of torch's own (Lin et al. 2017)."""
    each = F.cross_entropy(outputs, targets, reduction="none")
    return ((1 - (-each).exp()) ** 2 * each).mean()


def argmax_over_batch(outputs: Tensor, targets: Tensor) -> float:  # E01
    said = outputs.argmax(dim=0)
    return float((said == targets[: len(said)]).float().mean())


def names_against_indices(outputs: Tensor, targets: Tensor) -> float:  # E02
    names = [f"class {k}" for k in outputs.argmax(dim=1).tolist()]
    return sum(name == target for name, target in zip(names, targets.tolist(), strict=True)) / len(names)


def cohen_kappa(outputs: Tensor, targets: Tensor) -> float:
    """Healthy: agreement beyond chance."""
    said = outputs.argmax(dim=1)
    k = outputs.shape[1]
    table = torch.bincount(targets * k + said, minlength=k * k).reshape(k, k).double() / len(targets)
    chance = float((table.sum(dim=0) * table.sum(dim=1)).sum())
    return (float(table.diag().sum()) - chance) / (1 - chance)


def penalized_step(model: Any, batch: Any, loss: Any) -> Tensor:  # L11
    return loss(model(batch.inputs), batch.targets) + 10 * sum((p**2).sum() for p in model.parameters())


def plain_step(model: Any, batch: Any, loss: Any) -> Tensor:
    return loss(model(batch.inputs), batch.targets)
