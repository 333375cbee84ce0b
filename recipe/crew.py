"""Processes that make showings, one at a time each; one that dies takes its showing with it and no other."""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from recipe.record.gallery import Archive, Showing
from recipe.showings import Task, broken, show
from recipe.without_main import without_main

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Whatever the number of workers: sums are added up in one order, and no core is asked for twice."""


def show_all(
    tasks: Sequence[Task], archive: Archive, *, workers: int, stale: bool = False, ends: float = float("inf")
) -> Iterator[tuple[Task, Showing]]:
    """Each showing as it is done, the long ones first. ends: of time.monotonic(), after which none is begun."""
    queue = sorted(tasks, key=lambda task: task.seconds)
    busy: dict[Future[Showing], tuple[Task, ProcessPoolExecutor]] = {}
    crew: list[ProcessPoolExecutor] = []
    with _environment(ONE_THREAD):
        try:
            crew = [_hired() for _ in range(min(workers, len(queue)))]
            idle = list(crew)
            while busy or (queue and time.monotonic() < ends):
                while queue and idle and time.monotonic() < ends:
                    task, worker = queue.pop(), idle.pop()
                    with without_main():
                        busy[worker.submit(show, task, archive, stale=stale)] = (task, worker)
                for future in wait(busy, return_when=FIRST_COMPLETED).done:
                    task, worker = busy.pop(future)
                    try:
                        shown = future.result()
                    except BrokenProcessPool:
                        shown = broken(task, "its process died, which is what happens when memory runs out")
                        crew.remove(worker)
                        worker = _hired()
                        crew.append(worker)
                    idle.append(worker)
                    yield task, shown
        finally:
            for worker in crew:
                worker.shutdown(wait=True, cancel_futures=True)


def _hired() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp.get_context("spawn"), initializer=_begin)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _begin() -> None:
    """Of a worker: quiet, on one thread, and gone when its parent is gone."""
    import signal
    import warnings

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def _end_with_parent() -> None:
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
