"""In which order an epoch visits the items: a pure function of (seed, epoch)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from recipe.record.refusal import Refusal
from recipe.training.seeding import derive, seeded

Sampler = Iterable[int] | Callable[[], Iterable[int]]


class Order:
    """Positions of each epoch, int64 (N): as they are, shuffled by (seed, epoch), or as the user's sampler yields."""

    def __init__(self, positions: Tensor, *, seed: int, shuffle: bool, sampler: Sampler | None = None) -> None:
        self.positions, self.seed, self.shuffle, self.sampler = positions, seed, shuffle, sampler
        self.size = len(positions) if sampler is None else len(self._sampled(sampler, 0))

    def epoch(self, epoch: int) -> Tensor:
        """The positions in the order of this epoch."""
        if self.sampler is not None:
            drawn = self._sampled(self.sampler, epoch)
            if len(drawn) != self.size:
                raise _refused(f"the sampler yields {self.size} positions in one epoch and {len(drawn)} in another")
            return drawn
        if not self.shuffle:
            return self.positions
        generator = torch.Generator().manual_seed(derive(self.seed, "epoch", epoch))
        return self.positions[torch.randperm(self.size, generator=generator)]

    def _sampled(self, sampler: Any, epoch: int) -> Tensor:
        """What the user's sampler yields with its random numbers fixed by (seed, epoch)."""
        seed = derive(self.seed, "sampler", epoch)
        with seeded(seed):
            made = sampler() if callable(sampler) else sampler
            if isinstance(getattr(made, "generator", None), torch.Generator):
                made.generator.manual_seed(seed)
            if hasattr(made, "set_epoch"):
                made.set_epoch(epoch)
            drawn = torch.tensor([int(position) for position in made], dtype=torch.int64)
        if len(drawn) == 0:
            raise _refused("the sampler yields nothing")
        if int(drawn.min()) < 0 or int(drawn.max()) >= len(self.positions):
            raise _refused(f"the sampler yields positions outside 0 … {len(self.positions) - 1}")
        return self.positions[drawn]


def _refused(what: str) -> Refusal:
    return Refusal(what, where="train.sampler", fix="yield positions in the training split, as many in each epoch")
