"""From numbers to places on an axis, and the round numbers to write beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from recipe.render.blocks import Number
from recipe.render.wording import number

TINY = 1e-250
"""Nothing smaller has a place of its own on a logarithmic axis: with some air below, it would be rounded to zero."""


class Scale(msgspec.Struct, frozen=True):
    """Maps [low, high] to [start, end], in units of the figure; low < high, and above zero when log."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; values outside are put at the nearest end."""
        share = (self._warp(value) - self._warp(self.low)) / (self._warp(self.high) - self._warp(self.low))
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[tuple[float, str]]:
        """Round values within the scale, with their labels."""
        return _log_ticks(self.low, self.high, about) if self.log else _linear_ticks(self.low, self.high, about)

    def _warp(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.log else value


def fit(
    values: Iterable[Number], start: float, end: float, *, log: bool = False, zero: bool = False, air: float = 0.04
) -> Scale:
    """The scale that holds all finite values with some air (positive ones only, when log)."""
    finite = [max(v, TINY) if log else v for v in values if v is not None and (v > 0 or not log)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0) if not log else (0.1, 1.0)
    if log:
        room = air * math.log10(high / low) if high > low else 0.5
        return Scale(low / 10**room, high * 10**room, start, end, True)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    if high - low <= 1e-12 * max(abs(high), abs(low)):
        room = abs(high) * 0.1 or 0.5
        return Scale(0.0 if zero and low == 0 else low - room, high + room, start, end)
    room = air * (high - low)
    return Scale(low if zero and low == 0 else low - room, high if zero and high == 0 else high + room, start, end)


def _linear_ticks(low: float, high: float, about: int) -> list[tuple[float, str]]:
    rough = (high - low) / max(1, about)
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(s * magnitude for s in (1, 2, 2.5, 5, 10) if s * magnitude >= rough * 0.8)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    return [(value, _label(value, step)) for value in values]


def _label(value: float, step: float) -> str:
    """As many decimals as the step needs; thousands as k and M."""
    if value == 0:
        return "0"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * size or (abs(value) >= size and size > 1e3):
            return f"{number(round(value / size, 3))}{letter}"
    if abs(value) < 1e-3 or step < 1e-4:
        return number(float(f"{value:.6g}"))
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    places += not math.isclose(round(step, places), step, rel_tol=1e-6)
    return f"{value:,.{places}f}"


def _log_ticks(low: float, high: float, about: int) -> list[tuple[float, str]]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = list(range(first, last + 1))
    if len(decades) >= 3:
        every = math.ceil(len(decades) / (about + 1))
        return [(10.0**d, number(10.0**d)) for d in decades if (d - first) % every == 0]
    factors = (1, 2, 5) if len(decades) else (1, 1.5, 2, 3, 4, 5, 6, 7, 8)
    around = range(first - 1, last + 2)
    found = [f * 10.0**d for d in around for f in factors if low * (1 - 1e-9) <= f * 10.0**d <= high * (1 + 1e-9)]
    return [(value, number(float(f"{value:.3g}"))) for value in found] or _linear_ticks(low, high, about)
