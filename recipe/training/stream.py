"""Examples read and transformed one by one, here or in worker processes; the same bytes either way."""

from __future__ import annotations

import pickle
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from itertools import chain, islice
from multiprocessing import current_process, parent_process
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from recipe.machine import processors
from recipe.record.refusal import Refusal
from recipe.training.batch import Batch
from recipe.training.example import Examples, Failure, Transform
from recipe.training.seeding import seeded
from recipe.training.source import Finish, Pass, cut
from recipe.tree import Tree, map_tree, stack
from recipe.without_main import without_main

AT_ONCE = 2
"""Batches that are read here before worker processes are started."""
FORK = "fork" if sys.platform == "linux" else None
"""How workers are started, whatever Python's version has as its own way: forked ones have the data and the user's
objects as they are. None: Python's way, which elsewhere than on Linux is a new interpreter."""
Places = list[tuple[int, int]]
"""(epoch, position) of each item of a batch."""
_beside_others: ContextVar[bool] = ContextVar("beside_others", default=False)


@contextmanager
def beside_others() -> Iterator[None]:
    """While it lasts, trainings in this process start no readers: others have the machine's processors as well."""
    token = _beside_others.set(True)
    try:
        yield
    finally:
        _beside_others.reset(token)


class Streamed:
    """A split that is not held in memory, or whose examples are transformed one by one."""

    def __init__(
        self, split: Any, transforms: Sequence[Transform], finish: Finish, *, device: torch.device, workers: int | None
    ) -> None:
        self.split, self.transforms, self.finish = split, transforms, finish
        self.device, self.workers = device, _readers(split, workers)
        self.examples = Examples(split, transforms, finish.seed)

    def plain(self) -> Streamed:
        """The same examples with the same single transforms, without batched augmentation."""
        return Streamed(self.split, self.transforms, self.finish.plain(), device=self.device, workers=self.workers)

    def batches(self, passes: Iterable[Pass]) -> Iterator[Batch]:
        """One set of workers serves all epochs of a run, so they are started once."""
        asked: deque[tuple[int, Tensor]] = deque()

        def places() -> Iterator[Places]:
            for epoch, order, sizes, start in passes:
                for index in cut(order, sizes)[start:]:
                    asked.append((epoch, index))
                    yield [(epoch, position) for position in index.tolist()]

        for read in self._read(places()):
            if isinstance(read, Failure):
                raise read.raised()
            epoch, index = asked.popleft()
            inputs = map_tree(lambda leaf: leaf.to(self.device, non_blocking=True), read)
            targets = self.split.targets[index].to(self.device, non_blocking=True)
            yield Batch(self.finish(inputs, epoch, index), targets, index)

    def _read(self, places: Iterator[Places]) -> Iterator[Tree | Failure]:
        # A probe that wants a batch or two is served before processes would be up.
        for batch in islice(places, AT_ONCE) if self.workers else places:
            with seeded(0):
                read = _collate([self.examples[place] for place in batch])
            yield read
        following = next(places, None)
        if following is None:
            return
        loader: DataLoader[Any] = DataLoader(
            self.examples,
            batch_sampler=chain([following], places),
            num_workers=self.workers,
            collate_fn=_collate,
            worker_init_fn=_one_thread,
            pin_memory=self.device.type == "cuda",
            multiprocessing_context=FORK if self.workers else None,
        )
        yield from _started(loader)


def _started(loader: DataLoader[Any]) -> Iterator[Tree | Failure]:
    """Its workers run the user's main module only where they are sent something that is defined there."""
    apart = bool(loader.num_workers) and FORK is None and b"__main__" not in pickle.dumps(loader.dataset)
    with without_main() if apart else nullcontext():
        return iter(loader)


def _readers(split: Any, workers: int | None) -> int:
    """One process a processor for files that recipe decodes, which is safe anywhere; none inside a trial's worker.

    A worker of ours has a parent process; one of a cluster has none that it knows of, and says so (`beside_others`).
    """
    if workers is not None:
        # A daemon, such as the process in which a training is repeated, may start none.
        return 0 if current_process().daemon else workers
    ours = hasattr(getattr(split.inputs, "dataset", None), "read_many")
    alone = parent_process() is None and not _beside_others.get()
    return processors() if ours and alone else 0


def _collate(items: list[Any]) -> Tree | Failure:
    """Stacked examples, or the first failure among them."""
    failed = next((item for item in items if isinstance(item, Failure)), None)
    if failed is not None:
        return failed
    try:
        return stack(items)
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        refusal = Refusal(
            f"the transformed examples of a batch cannot be stacked ({str(error).splitlines()[0]})",
            where="data.train_transform",
            fix="let every example come out as a tensor of the same shape and dtype",
        )
        return Failure(refusal, -1)


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
