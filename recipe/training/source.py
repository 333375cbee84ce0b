"""Where batches come from: tensors held in memory, on the device if there is room, or else a stream of examples."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from recipe.machine import free_memory
from recipe.training.batch import Batch
from recipe.training.counter import item_keys, salted
from recipe.training.example import Transform
from recipe.training.ready import READY
from recipe.tree import Tree, count_bytes, is_tree, leaves, map_tree

Preprocess = Callable[[Tree], Tree]
ROOM = 0.4
"""Share of the free memory that held data may take."""
GATHERED = 64
"""Small batches are gathered together: at most this many, …"""
GATHERED_BYTES = {"cpu": 4 << 20, "cuda": 128 << 20}
"""… and at most so many bytes: what stays in a cache, or what keeps a GPU busy longer than asking it takes."""
ALIGNMENT = 64
"""Batches are views into what is gathered only if each begins on such a boundary, as a batch of its own would."""


class Pass(NamedTuple):
    """One way through the data: positions int64 (N) in their order, items of each batch, batches to leave out."""

    epoch: int
    order: Tensor
    sizes: list[int]
    start: int


class Source(Protocol):
    """Gives the batches of passes through a split, on the device."""

    device: torch.device

    def batches(self, passes: Iterable[Pass]) -> Iterator[Batch]:
        """All batches of all passes, in order."""

    def plain(self) -> Source:
        """The same without augmentation."""


class Finish:
    """What happens to a batch before it is used: preprocessing, then batched augmentation keyed by item."""

    def __init__(self, preprocess: Preprocess | None, transforms: Sequence[Transform], seed: int) -> None:
        self.preprocess, self.transforms, self.seed = preprocess, transforms, seed

    @torch.no_grad()
    def __call__(self, inputs: Tree, epoch: int, index: Tensor) -> Tree:
        """inputs on the device, index on any."""
        if self.preprocess is not None:
            inputs = self.preprocess(inputs)
        if self.transforms:
            keys = item_keys(self.seed, epoch, index).to(next(leaves(inputs)).device)
            for number, transform in enumerate(self.transforms):
                own = salted(keys, number)
                inputs = map_tree(lambda leaf, t=transform, k=own: t(leaf, k), inputs)  # type: ignore[misc]
        return inputs

    def plain(self) -> Finish:
        """Preprocessing only."""
        return Finish(self.preprocess, (), self.seed)


class Held:
    """Tensors in memory, indexed several small batches at a time."""

    def __init__(self, inputs: Tree, targets: Tensor, finish: Finish, device: torch.device) -> None:
        self.inputs, self.targets, self.finish, self.device = inputs, targets, finish, device

    def plain(self) -> Held:
        """The same tensors, not copied."""
        return Held(self.inputs, self.targets, self.finish.plain(), self.device)

    def batches(self, passes: Iterable[Pass]) -> Iterator[Batch]:
        """Batches are gathered on a fixed grid, so that where a run goes on cannot matter."""
        for epoch, order, sizes, start in passes:
            grid = self._grid(sizes[0])
            rows = order.to(self.targets.device)
            for first in range(start - start % grid, len(sizes), grid):
                asked = sizes[first : first + grid]
                begin = first * sizes[0]
                part = slice(begin, begin + sum(asked))
                inputs = self._gathered(rows[part], order[part], epoch)
                targets = self.targets[rows[part]].to(self.device, non_blocking=True)
                batches = zip(_split(inputs, asked), cut(targets, asked), cut(order[part], asked), strict=True)
                for number, batch in enumerate(batches, first):
                    if number >= start:
                        yield Batch(*batch)

    def _gathered(self, rows: Tensor, index: Tensor, epoch: int) -> Tree:
        inputs = map_tree(lambda leaf: leaf[rows].to(self.device, non_blocking=True), self.inputs)
        return self.finish(inputs, epoch, index)

    def _grid(self, batch_size: int) -> int:
        room = GATHERED_BYTES.get(self.device.type, 4 << 20)
        sizes = [batch_size * leaf[:1].numel() * leaf.element_size() for leaf in leaves(self.inputs)]
        if self.finish.preprocess is not None or any(size % ALIGNMENT for size in sizes):
            return 1
        return max(1, min(GATHERED, room // max(1, *sizes)))


def open_source(
    split: Any,
    single: Sequence[Transform],
    batched: Sequence[Transform],
    preprocess: Preprocess | None,
    *,
    seed: int,
    device: torch.device,
    workers: int | None,
) -> Source:
    """Held tensors when nothing has to be done to single examples, else a stream of them."""
    if is_tree(split.inputs) and not single:
        return hold(split.inputs, split.targets, preprocess, Finish(None, batched, seed), device)
    from recipe.training.stream import Streamed

    finish = Finish(on_device(preprocess, device), batched, seed)
    return Streamed(split, single, finish, device=device, workers=workers)


def hold(inputs: Tree, targets: Tensor, preprocess: Preprocess | None, finish: Finish, device: torch.device) -> Held:
    """On the device and preprocessed once, where the result leaves enough room; else per batch."""
    known = READY.find(inputs, preprocess, device)
    if known is not None:
        return Held(known, targets.to(device), finish, device)
    growth = max(4 // leaf.element_size() if preprocess else 1 for leaf in leaves(inputs))
    if max(1, growth) * count_bytes(inputs) + count_bytes(targets) < ROOM * free_memory(device):
        placed = map_tree(lambda leaf: leaf.to(device), inputs)
        if preprocess is not None:
            placed = Finish(on_device(preprocess, device), (), finish.seed)(placed, 0, torch.empty(0))
        READY.keep(inputs, preprocess, device, placed)
        return Held(placed, targets.to(device), finish, device)
    if device.type == "cuda":
        inputs, targets = map_tree(lambda leaf: leaf.pin_memory(), inputs), targets.pin_memory()
    return Held(inputs, targets, Finish(on_device(preprocess, device), finish.transforms, finish.seed), device)


def on_device(preprocess: Preprocess | None, device: torch.device) -> Preprocess | None:
    """A copy there, if it has tensors of its own; the data's stays where it is."""
    return copy.deepcopy(preprocess).to(device) if isinstance(preprocess, nn.Module) else preprocess


def cut(tensor: Tensor, sizes: list[int]) -> Sequence[Tensor]:
    """Consecutive views of these lengths; what is left over at the end is left out."""
    whole = sum(sizes)
    views: Sequence[Tensor] = torch.split_with_sizes(tensor if len(tensor) == whole else tensor[:whole], sizes)
    return views


def _split(tree: Tree, sizes: list[int]) -> Sequence[Tree]:
    """One tree a batch."""
    if isinstance(tree, Tensor):
        return cut(tree, sizes)
    if isinstance(tree, dict):
        columns = [_split(value, sizes) for value in tree.values()]
        return [dict(zip(tree, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(zip(*(_split(value, sizes) for value in tree), strict=True))
