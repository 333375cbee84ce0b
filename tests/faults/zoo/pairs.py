"""Fast functions and their slow twins, some of which are none."""

from __future__ import annotations

import torch
from torch import Tensor


def row_sums(x: Tensor) -> Tensor:
    return x.flatten(1).sum(1)


def row_sums_in_a_loop(x: Tensor) -> Tensor:
    return torch.stack([item.sum() for item in x])


def column_sums(x: Tensor) -> Tensor:
    return x.flatten(1).sum(0)


def hinge(outputs: Tensor, targets: Tensor) -> Tensor:
    right = outputs.gather(1, targets[:, None])
    margins = (1 + outputs - right).clamp(min=0)
    return (margins.sum(1) - 1).mean()


def hinge_in_a_loop(outputs: Tensor, targets: Tensor) -> Tensor:
    losses = []
    for scores, target in zip(outputs, targets, strict=True):
        wrong = [k for k in range(len(scores)) if k != int(target)]
        losses.append(sum(torch.relu(1 + scores[k] - scores[target]) for k in wrong))
    return torch.stack(losses).mean()


def hinge_over_batch(outputs: Tensor, targets: Tensor) -> Tensor:
    right = outputs.gather(1, targets[:, None]).mean()
    return ((1 + outputs - right).clamp(min=0).sum(1) - 1).mean()


def hinge_detached(outputs: Tensor, targets: Tensor) -> Tensor:
    right = outputs.gather(1, targets[:, None]).detach()
    return ((1 + outputs - right).clamp(min=0).sum(1) - 1).mean()
