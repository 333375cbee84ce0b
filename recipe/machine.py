"""What is asked of the machine: its free memory, one thread, random numbers of one's own."""

from __future__ import annotations

import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from recipe.record.refusal import Refusal

A = TypeVar("A")
B = TypeVar("B")
CORES = os.cpu_count() or 1
_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: torch.device | None = None) -> float:
    """Free memory of the device (None: the CPU) in bytes; infinite where nobody tells."""
    if device is not None and device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _allowed())


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, of the machine or of the device, ran out."""
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(w in str(error).lower() for w in words)


def _available() -> float:
    """What Linux believes a new program can have without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return float("inf")


def _allowed() -> float:
    """What a container's limit leaves."""
    try:
        limit = float((_CGROUP / "memory.max").read_text())
        return limit - float((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return float("inf")


@contextmanager
def own_random_numbers(seed: int = 0) -> Iterator[None]:
    """torch's, numpy's and Python's global generators from a fixed seed, and put back afterwards."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])


@contextmanager
def one_thread() -> Iterator[None]:
    """torch on one thread: on small chunks several wait for each other, ten times over where the machine is shared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def ahead(work: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """`work` of each item, in order, on all cores while the next items are fetched; only a few are held at a time."""
    under_way: deque[Future[B]] = deque()
    with ThreadPoolExecutor(CORES) as pool:
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > CORES:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def device_called(wanted: str) -> torch.device:
    """A device by name; auto is the best there is. Refusal when it is not here."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        raise Refusal(f"there is no device {wanted!r} here", where="device", fix="device=auto or device=cpu") from error
