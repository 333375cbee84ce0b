"""What each signal of the inputs brought when it was plugged in."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.gain import Gain
from recipe.record.interval import Interval


class Plug(msgspec.Struct, frozen=True, kw_only=True):
    """One signal on top of those before it.

    expected: what a linear model gains in the headline, None where it is not known. gain: what the net gains; None of
    the first, which stands alone. val: the headline with it, over the seeds.
    """

    name: str
    expected: float | None
    gain: Gain | None
    val: Interval


class Plugged(Evidence, frozen=True, kw_only=True):
    """Signals in the order in which they were plugged in, the most telling first; `what` they are.

    steps: of each run. noise: standard deviation of the headline from seed to seed, pooled over all; nan with one seed.
    """

    what: str
    metric: str
    seeds: int
    steps: int
    noise: float
    plugs: tuple[Plug, ...]
