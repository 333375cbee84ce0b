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
_CGROUP, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self")
_NAMES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of a group's limit, use, and forgettable part: version 2 of the kernel's control groups, and version 1."""


def free_memory(device: torch.device | None = None) -> float:
    """Free memory of the device (None: the CPU) in bytes; infinite where nobody tells."""
    if device is not None and device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _allowed())


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    """What the limits of this process's control groups leave: a container's, a batch system's, a user's."""
    return min(map(_left_of, control_groups()), default=float("inf"))


def control_groups() -> Iterator[Path]:
    """Folders of the memory control groups of this process and of those around it, of either version of them."""
    try:
        lines = (_OWN / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        for top in (_CGROUP / "memory",) if controllers else (_CGROUP, _CGROUP / "unified"):
            # In a container the path may be the host's, whose groups are not there to be seen: the nearest that is.
            place = top / path.lstrip("/")
            yield from (folder for folder in (place, *place.parents) if folder.is_relative_to(top))


def _left_of(group: Path) -> float:
    """Bytes until a group's limit; files that were read and may be forgotten again do not count as used."""
    for limit, used, forgettable in _NAMES:
        try:
            allowed, taken = float((group / limit).read_text()), float((group / used).read_text())
            told = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            return allowed - taken + float(told.get(forgettable, 0))
        except (OSError, ValueError):  # not there, or "max"
            continue
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
    cores = processors()
    with ThreadPoolExecutor(cores) as pool:
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > cores:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def device_called(wanted: str) -> torch.device:
    """A device by name; auto is the best there is. Refusal when it is not here.

    On a GPU convolutions are told to come to the same numbers every time: the same command gives the same bytes.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        raise Refusal(f"there is no device {wanted!r} here", where="device", fix="device=auto or device=cpu") from error
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
    return device
