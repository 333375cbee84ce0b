"""One axis of a search: a hyperparameter, its range, and where values lie in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from recipe.record.evidence import Evidence

MARGIN = 0.15
"""Of a wide range, what a narrowed one keeps beside the good values: short runs like other rates than long ones."""
WORTH = 0.8
"""Share of a range from which on narrowing it is not worth a change."""
Scale = Literal["log", "linear", "integer", "choice"]


class Axis(Evidence, frozen=True, kw_only=True):
    """One hyperparameter and its range. low, high: inclusive ends; choices: instead of them.

    reference: its value in the recipe so far. declared: whether the user named the range. narrow: the range it had
    before the search widened it; wide: that of the short trials, before it was narrowed to where the best of them lay.
    """

    key: str
    scale: Scale
    low: float = 0.0
    high: float = 0.0
    choices: tuple[Any, ...] = ()
    reference: Any = None
    declared: bool = False
    narrow: tuple[float, float] | None = None
    wide: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """The last word of the key, as tables have it."""
        return self.key.rpartition(".")[2]

    @property
    def ordered(self) -> bool:
        """Whether it has ends: choices that are not numbers have none."""
        return self.scale != "choice" or all(_is_number(choice) for choice in self.choices)

    def position(self, value: Any) -> float | None:
        """Where a value lies in the range, 0 to 1 on the axis's own scale; None for unordered choices."""
        if self.scale == "choice":
            if not self.ordered or value not in self.choices or len(self.choices) < 2:
                return None
            return sorted(self.choices).index(value) / (len(self.choices) - 1)
        if not _is_number(value) or self.high <= self.low:
            return None
        return (self._warp(value) - self._warp(self.low)) / (self._warp(self.high) - self._warp(self.low))

    def at(self, position: float) -> float:
        """The value at a position, which may lie outside 0 to 1: the inverse of `position` for ranges."""
        low, high = self._warp(self.low), self._warp(self.high)
        value = low + position * (high - low)
        return math.exp(value) if self.scale == "log" else value

    def wider(self, end: str) -> Axis:
        """The range and a decade of a log scale, or as much again, beyond one end; never across 0 from above."""
        step = math.log(10) / math.log(self.high / self.low) if self.scale == "log" else 1.0
        low, high = self.low, self.high
        if end == "high":
            high = self.at(1 + step)
        elif self.scale == "log" or low < 0:
            low = self.at(-step)
        else:
            low = max(0.0, self.at(-step))
        low, high = float(f"{low:.3g}"), float(f"{high:.3g}")
        return msgspec.structs.replace(self, low=low, high=high, narrow=self.narrow or (self.low, self.high))

    def narrower(self, positions: Sequence[float]) -> Axis:
        """The part of the range that good values span, and MARGIN of it on either side; never beyond its ends."""
        low, high = max(0.0, min(positions) - MARGIN), min(1.0, max(positions) + MARGIN)
        if self.scale == "choice" or high - low >= WORTH:
            return self
        ends = [float(f"{self.at(place):.3g}") for place in (low, high)]
        if self.scale == "integer":
            ends = [float(math.floor(ends[0])), float(math.ceil(ends[1]))]
        low, high = max(self.low, ends[0]), min(self.high, ends[1])
        return msgspec.structs.replace(self, low=low, high=high, wide=self.wide or (self.low, self.high))

    @property
    def as_it_was(self) -> Axis:
        """With the range of the short trials."""
        return msgspec.structs.replace(self, low=self.wide[0], high=self.wide[1]) if self.wide else self

    def _warp(self, value: float) -> float:
        return math.log(value) if self.scale == "log" else float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
