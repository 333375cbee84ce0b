"""Numbers of several models as tensors on their device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Constants:
    """Each is brought to the device once: what is asked for in every step must not wait for a copy."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._known: dict[tuple[tuple[float, ...], torch.dtype], Tensor] = {}

    def __call__(self, numbers: Sequence[float], dtype: torch.dtype = torch.float32) -> Tensor:
        """One number a model, (K)."""
        key = (tuple(numbers), dtype)
        if key not in self._known:
            self._known[key] = torch.tensor(numbers, dtype=dtype, device=self._device)
        return self._known[key]

    def wide(self, numbers: Sequence[float], like: Tensor) -> Tensor:
        """The same as (K, 1, …), to be multiplied with what is `like`."""
        return wide(self(numbers, like.dtype), like)


def wide(numbers: Tensor, like: Tensor) -> Tensor:
    """(K) → (K, 1, …), to be multiplied with what is `like`."""
    return numbers.view(-1, *[1] * (like.ndim - 1))
