"""The loss of many models at once: one number a model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import vmap

from recipe.training.constants import Constants
from recipe.training.regularizers import Loss, smoothed

_FLAT = (nn.CrossEntropyLoss, nn.BCEWithLogitsLoss, nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
"""torch's losses that treat every item alike: those of all models are one call."""


class StackedLoss:
    """loss: of one model, without smoothing. smoothing: label smoothing of each model."""

    def __init__(self, loss: Loss, smoothing: Sequence[float], constants: Constants) -> None:
        self._smoothing, self._constants = list(smoothing), constants
        self._plain = _over_models(loss)
        # Every smoothing that we know is a straight line between none at all and 1.
        self._smooth = _over_models(_fully_smoothed(loss)) if any(smoothing) else None

    def __call__(self, outputs: Any, targets: Tensor) -> Tensor:
        """(K) from outputs (K, B, ...) and targets (K, B, ...)."""
        losses = self._plain(outputs, targets)
        if self._smooth is None:
            return losses
        amount = self._constants(self._smoothing, losses.dtype)
        return (1 - amount) * losses + amount * self._smooth(outputs, targets)

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on."""
        self._smoothing = [self._smoothing[place] for place in places]


def smoothing_is_a_line(loss: Loss) -> bool:
    """Whether the loss under label smoothing is known to be linear in the amount."""
    return isinstance(loss, (nn.CrossEntropyLoss, nn.BCEWithLogitsLoss))


def _fully_smoothed(loss: Loss) -> Loss:
    return smoothed(loss, 1.0)


def _over_models(loss: Loss) -> Callable[[Any, Tensor], Tensor]:
    mapped = vmap(loss)
    each = _unreduced(loss)

    def together(outputs: Any, targets: Tensor) -> Tensor:
        if each is None or not isinstance(outputs, Tensor) or not _per_item(loss, outputs, targets):
            found: Tensor = mapped(outputs, targets)
            return found
        losses: Tensor = each(outputs.flatten(0, 1), targets.flatten(0, 1))
        return losses.view(len(outputs), -1).mean(1)

    return together


def _unreduced(loss: Loss) -> Loss | None:
    """The same loss item by item; None where its mean is weighted, or not known to be one."""
    if type(loss) not in _FLAT or getattr(loss, "reduction", "") != "mean" or getattr(loss, "weight", None) is not None:
        return None
    twin: Any = copy.copy(loss)
    twin.reduction = "none"
    return twin  # type: ignore[no-any-return]


def _per_item(loss: Loss, outputs: Tensor, targets: Tensor) -> bool:
    """Cross-entropy leaves out targets below zero from its mean, and wants classes second where there are positions."""
    if isinstance(loss, nn.CrossEntropyLoss):
        return outputs.ndim == 3 and targets.ndim == 2 and loss.ignore_index < 0 and targets.dtype == torch.int64
    return outputs.shape == targets.shape
