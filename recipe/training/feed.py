"""Batches as a pure function of (seed, epoch, index): from memory or streaming, same order, same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Any, Protocol

import torch
from torch import Tensor

from recipe.record.refusal import Refusal
from recipe.training.batch import Batch
from recipe.training.example import Transform, split_transforms
from recipe.training.order import Order, Sampler
from recipe.training.source import Pass, Source, cut, open_source
from recipe.tree import Tree


class Split(Protocol):
    """What a feed needs of a split of the data room."""

    @property
    def inputs(self) -> Any:
        """A tree of tensors, or a data set that `raw` reads."""

    @property
    def targets(self) -> Tensor:
        """(N, ...), as the loss wants them."""

    def __len__(self) -> int: ...

    def raw(self, index: int) -> tuple[Any, Any]:
        """(input, target) of one item."""


class Feed:
    """Batches of one split.

    A single left-over example joins the batch before it when shuffling: batch norm cannot train on one.
    """

    def __init__(self, source: Source, plain: Source, order: Order, *, batch_size: int, drop_last: bool) -> None:
        self._source, self._plain, self._order, self._drop_last = source, plain, order, drop_last
        self.size, self.device = order.size, source.device
        self.batch_size = batch_size if drop_last else min(batch_size, self.size)
        self._sizes = self._batch_sizes()
        self.steps_per_epoch = len(self._sizes)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, without the first `start`: those are addressed, not drawn."""
        return islice(self.batches(epoch * self.steps_per_epoch + start), self.steps_per_epoch - start)

    def batches(self, position: int = 0) -> Iterator[Batch]:
        """Endless batches over the epochs, from the `position`-th batch of the run on."""
        first, start = divmod(position, self.steps_per_epoch)
        passes = (Pass(e, self._order.epoch(e), self._sizes, start if e == first else 0) for e in count(first))
        return self._source.batches(passes)

    def in_order(self) -> Iterator[Batch]:
        """The whole split once, in order, without augmentation; the last batch may be smaller."""
        positions = self._order.positions
        starts = range(0, len(positions), self.batch_size)
        sizes = [min(self.batch_size, len(positions) - start) for start in starts]
        return self._plain.batches([Pass(0, positions, sizes, 0)])

    def indices_at(self, position: int) -> Tensor:
        """Which items the `position`-th batch of the run holds: int64 (B)."""
        epoch, number = divmod(position, self.steps_per_epoch)
        return cut(self._order.epoch(epoch), self._sizes)[number]

    def subset(self, indices: Sequence[int] | Tensor) -> Feed:
        """The same feed over some positions of the split only."""
        order = Order(torch.as_tensor(indices, dtype=torch.int64), seed=self._order.seed, shuffle=self._order.shuffle)
        return Feed(self._source, self._plain, order, batch_size=self.batch_size, drop_last=self._drop_last)

    def _batch_sizes(self) -> list[int]:
        """Items of each batch of an epoch."""
        whole, rest = divmod(self.size, self.batch_size)
        sizes = [self.batch_size] * whole
        if rest and not self._drop_last:
            if rest == 1 and whole and self._order.shuffle:
                sizes[-1] += 1
            else:
                sizes.append(rest)
        if not sizes:
            raise Refusal(
                f"{self.size} examples make no whole batch of {self.batch_size}",
                where="train.batch_size",
                fix=f"train.batch_size={self.size}, or keep the last partial batch",
            )
        return sizes


class _Mirror:
    """A source whose targets are its inputs."""

    def __init__(self, source: Source) -> None:
        self._source, self.device = source, source.device

    def batches(self, passes: Iterable[Pass]) -> Iterator[Batch]:
        """As the source has them."""
        for batch in self._source.batches(passes):
            yield batch._replace(targets=batch.inputs)

    def plain(self) -> Source:
        """Without augmentation."""
        return _Mirror(self._source.plain())


def feed_of(
    split: Split,
    *,
    batch_size: int,
    seed: int,
    device: torch.device | str = "cpu",
    shuffle: bool,
    transforms: Sequence[Transform] = (),
    eval_transforms: Sequence[Transform] = (),
    preprocess: Callable[[Tree], Tree] | None = None,
    sampler: Sampler | None = None,
    drop_last: bool = False,
    workers: int | None = 0,
    mirror: bool = False,
) -> Feed:
    """A feed over a split.

    transforms: those of single examples see raw items, batched ones see preprocessed batches, in this order.
    eval_transforms: those of single examples that `in_order` applies instead (resizing, conversion to tensors).
    sampler: positions, or a function that gives them; asked anew each epoch. workers: processes that read examples, or
    None for as many as suit the data. mirror: the targets of a batch are its inputs, as the net gets them.
    """
    if batch_size < 1:
        raise Refusal(f"a batch of {batch_size} examples", where="train.batch_size", fix="train.batch_size=32")
    if len(split) == 0:
        raise Refusal("the split is empty", where=str(getattr(split, "name", "data")))
    device = torch.device(device)
    single, batched = split_transforms(transforms)
    calm, _ = split_transforms(eval_transforms)
    source = open_source(split, single, batched, preprocess, seed=seed, device=device, workers=workers)
    plain = source.plain()
    if single or calm:
        plain = open_source(split, calm, (), preprocess, seed=seed, device=device, workers=workers)
    if mirror:
        source, plain = _Mirror(source), _Mirror(plain)
    order = Order(torch.arange(len(split)), seed=seed, shuffle=shuffle, sampler=sampler)
    return Feed(source, plain, order, batch_size=batch_size, drop_last=drop_last)
