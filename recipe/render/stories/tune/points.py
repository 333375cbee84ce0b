"""Trials as points: by what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recipe.record.tune import Tried
from recipe.render.blocks import Series, Tone
from recipe.render.wording import number

TONES: dict[str, Tone] = {"pruned": "quiet", "diverged": "bad", "failed": "bad"}
CURVES = 60
"""Lines that one figure holds."""


def states(tried: Sequence[Tried]) -> list[str]:
    """What came of these trials, in the order in which it is drawn: what matters most last, on top."""
    there = {state(t) for t in tried}
    return [name for name in ("short", "pruned", "finished", "diverged", "failed") if name in there]


def state(tried: Tried) -> str:
    """What came of a trial; short ones that finished are told apart."""
    return "short" if tried.short and tried.status == "finished" else tried.status


def in_state(tried: Sequence[Tried], name: str) -> list[Tried]:
    """Those of which that came."""
    return [t for t in tried if state(t) == name]


def points(name: str, tried: Sequence[Tried], x: Callable[[Tried], float]) -> Series:
    """Their objectives over `x`."""
    tone = TONES.get(name, "plain")
    return Series(name=name, x=[x(t) for t in tried], y=[t.value for t in tried], style="points", tone=tone)


def told(value: Any) -> str:
    """A value of an axis, as people read it."""
    return number(value) if isinstance(value, (int, float)) else str(value)
