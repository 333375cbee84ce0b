"""One training on several processes: each takes its part of every batch, and all go on with the same weights.

Whoever starts the processes (`recipe.trials.together`) sets up torch.distributed; all of them run the same program, so
that every one stops, prunes and ends at the same step. Up to the order in which gradients are added up, the result is
that of one process, where the net treats items one by one: batch norm and mixup see a part of each batch only, and
dropout draws other masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from recipe.training.batch import Batch
from recipe.tree import map_tree


class Group:
    """This process among the others. rank: its number, from 0; size: how many there are."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size

    @classmethod
    def current(cls) -> Group | None:
        """The group in which this process trains; None where it trains alone."""
        if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
            return None
        return cls(dist.get_rank(), dist.get_world_size())

    def part(self, batch: Batch) -> Batch | None:
        """This process's items of a batch; None where there are fewer items than processes and it gets none."""
        items = len(batch.index)
        first, end = (items * place // self.size for place in (self.rank, self.rank + 1))
        if first == end:
            return None
        return Batch(
            map_tree(lambda leaf: leaf[first:end], batch.inputs), batch.targets[first:end], batch.index[first:end]
        )

    @contextmanager
    def own_random_numbers(self, device: torch.device) -> Iterator[None]:
        """Other ones than the other processes draw, so that no two items share a mask; common ones again afterwards."""
        generators = [torch.default_generator]
        if device.type == "cuda":
            generators.append(torch.cuda.default_generators[device.index or 0])
        states = [generator.get_state() for generator in generators]
        for generator in generators if self.rank else ():
            generator.manual_seed(generator.initial_seed() + self.rank)
        try:
            yield
        finally:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)

    def add_up(self, parameters: Sequence[Tensor], value: float | Tensor) -> Tensor:
        """Gradients become their sum over all processes, in one message; the sum of `value`.

        A parameter that got a gradient nowhere has none afterwards.
        """
        wide = torch.float64 if any(p.dtype == torch.float64 for p in parameters) else torch.float32
        given = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        there = torch.tensor([p.grad is not None for p in parameters], dtype=wide, device=given[0].device)
        told = torch.as_tensor(value, dtype=wide, device=given[0].device).reshape(1)
        message = torch.cat([*(grad.flatten().to(wide) for grad in given), there, told])
        dist.all_reduce(message)
        sums = torch.split(message, [*(p.numel() for p in parameters), len(parameters), 1])
        for parameter, total, somewhere in zip(parameters, sums, sums[-2].tolist(), strict=False):
            parameter.grad = total.view_as(parameter).to(parameter.dtype) if somewhere else None
        return sums[-1][0]

    def takes(self, number: int) -> bool:
        """Whether this process evaluates the batch of that number."""
        return number % self.size == self.rank

    def collected(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        """The outputs of all batches in order, of which each process has those that it took: the same everywhere."""
        device = outputs[0].device if outputs else torch.device("cpu")
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, [output.cpu() for output in outputs])
        count = sum(map(len, parts))
        return [parts[number % self.size][number // self.size].to(device) for number in range(count)]
