"""How much memory is free, as far as the system tells."""

from __future__ import annotations

from pathlib import Path

import torch

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: torch.device) -> float:
    """Free memory of the device in bytes; infinite where nobody tells."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _allowed())


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
