"""Losses, metrics, steps, optimizers and samplers with one planted fault each, and healthy ones of a user's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def summed_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """L02 the sum where the mean was meant."""
    return F.cross_entropy(outputs, targets, reduction="sum")


def negative_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """L03 the wrong sign."""
    return -F.cross_entropy(outputs, targets)


def clipped_cross_entropy(outputs: Tensor, targets: Tensor, most: float = 1.0) -> Tensor:
    """L04 the loss is clipped instead of the gradient."""
    return F.cross_entropy(outputs, targets, reduction="none").clamp(max=most).mean()


def broadcast_squares(outputs: Tensor, targets: Tensor) -> Tensor:
    """L07 (B, 1) against (B): every pair of the batch."""
    return ((outputs - targets.squeeze(1)) ** 2).mean()


def naive_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """L08 written by hand, so that large scores overflow."""
    shares = outputs.exp() / outputs.exp().sum(dim=1, keepdim=True)
    return -shares.log()[torch.arange(len(targets)), targets].mean()


def penalized_step(model: Any, batch: Any, loss: Any) -> Tensor:
    """L11 a penalty that outweighs the data."""
    told: Tensor = loss(model(batch.inputs), batch.targets) + 10 * sum((p**2).sum() for p in model.parameters())
    return told


def focal(outputs: Tensor, targets: Tensor) -> Tensor:
    """Healthy, and none of torch's own (Lin et al. 2017)."""
    each = F.cross_entropy(outputs, targets, reduction="none")
    return ((1 - (-each).exp()) ** 2 * each).mean()


def plain_step(model: Any, batch: Any, loss: Any) -> Tensor:
    """Healthy: what `fit` would do by itself."""
    told: Tensor = loss(model(batch.inputs), batch.targets)
    return told


def argmax_over_batch(outputs: Tensor, targets: Tensor) -> float:
    """E01 argmax over the batch axis."""
    said = outputs.argmax(dim=0)
    return float((said == targets[: len(said)]).float().mean())


def names_against_indices(outputs: Tensor, targets: Tensor) -> float:
    """E02 names are compared with indices: always zero."""
    names = [f"class {k}" for k in outputs.argmax(dim=1).tolist()]
    return float(sum(name == target for name, target in zip(names, targets.tolist(), strict=True)) / len(names))


def cohen_kappa(outputs: Tensor, targets: Tensor) -> float:
    """Healthy: agreement beyond chance."""
    said, k = outputs.argmax(dim=1), outputs.shape[1]
    table = torch.bincount(targets * k + said, minlength=k * k).reshape(k, k).double() / len(targets)
    chance = float((table.sum(dim=0) * table.sum(dim=1)).sum())
    kappa: float = (float(table.diag().sum()) - chance) / (1 - chance)
    return kappa


def head_only(params: Any, lr: float = 1e-3) -> torch.optim.Optimizer:
    """O10 the optimizer holds the last layer alone."""
    tensors = [p for group in params for p in group["params"]]
    return torch.optim.Adam(tensors[-2:], lr=lr)


class KeepsGradients(torch.optim.Adam):
    """B01 zero_grad does nothing."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Nothing."""


class SameBatch:
    """B04 a sampler that yields the same few items again and again."""

    def __init__(self, split: Any, items: int = 32) -> None:
        self.size, self.items = len(split), items

    def __iter__(self) -> Iterator[int]:
        return (k % self.items for k in range(self.size))

    def __len__(self) -> int:
        return self.size
