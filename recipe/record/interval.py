"""A number with its uncertainty: no claim of a report travels without one."""

from __future__ import annotations

import msgspec


class Interval(msgspec.Struct, frozen=True):
    """A mean with the ends of its 95 % interval, and how many observations (seeds or items) stand behind it."""

    mean: float
    low: float
    high: float
    n: int = 1

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside the interval."""
        return not self.low <= value <= self.high
