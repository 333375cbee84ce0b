"""An exponential moving average of the weights, with which the model is evaluated and kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Averaged floating-point parameters and buffers; early on the average is short: min(decay, (1 + t) / (10 + t))."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self._live = [t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()]
        self.tensors = [t.detach().clone() for t in self._live]

    @torch.no_grad()
    def update(self) -> None:
        """After each optimizer step."""
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self.tensors, self._live, 1 - keep)
        self.updates += 1

    def load(self, tensors: list[Tensor], updates: int) -> None:
        """Goes on from where a checkpoint left off."""
        self.updates = updates
        for own, saved in zip(self.tensors, tensors, strict=True):
            own.copy_(saved)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model carries the averaged weights inside, its own again afterwards."""
        own = [t.detach().clone() for t in self._live]
        self.put()
        try:
            yield
        finally:
            self._copy(own)

    def put(self) -> None:
        """The model carries the averaged weights from now on."""
        self._copy(self.tensors)

    @torch.no_grad()
    def _copy(self, source: list[Tensor]) -> None:
        torch._foreach_copy_(self._live, source)
