"""No version with a known hole is allowed by pyproject.toml, or pinned by the lock."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
# hydra-core: instantiate ran whatever a config named (CVE-2026-68508, CVE-2026-106439; 1.3.8). torch: load ran code
# even with weights_only (CVE-2025-32434, closed in 2.6). pillow: a buffer overflow in its DDS encoder (CVE-2025-48379).
FLOORS = {"hydra-core": (1, 3, 8), "torch": (2, 6), "pillow": (11, 3)}


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


@pytest.mark.parametrize("package", FLOORS)
def test_the_range_starts_above_the_hole(package: str) -> None:
    asked = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["dependencies"]
    (line,) = [line for line in asked if re.match(rf"{package}\b[^-]", line)]
    floor = re.search(r">=([\d.]+)", line)
    assert floor, line
    assert version(floor.group(1)) >= FLOORS[package]


@pytest.mark.parametrize("package", FLOORS)
def test_so_does_the_lock(package: str) -> None:
    pinned = re.findall(rf"^{package}==([\d.]+)", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    assert pinned
    assert all(version(one) >= FLOORS[package] for one in pinned)
