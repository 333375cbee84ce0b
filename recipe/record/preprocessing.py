"""Evidence of inspect-data: what happens to numbers before the net, feature by feature, and what targets look like."""

from __future__ import annotations

from typing import Any

import msgspec

from recipe.record.evidence import Evidence


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one feature, before or after. farthest: the largest |x|; beyond: share with |x| above 3.

    middle: what lies between its quartiles. edges, counts: a histogram, of those that are pictured.
    """

    low: float
    high: float
    mean: float
    std: float
    skew: float = 0.0
    farthest: float = 0.0
    beyond: float = 0.0
    middle: float = 0.0
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """One column or channel of train. option: what happens to it; why: the numbers that decided ("": one for all).

    flags: it holds noughts and ones only, as one text of a column does.
    """

    feature: str
    option: str
    before: Side
    after: Side
    why: str = ""
    flags: bool = False

    @property
    def constant(self) -> bool:
        """Whether it is the same in every item."""
        return self.before.low == self.before.high


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One option: the numbers that would reach the net, over all features.

    farthest: the largest |x|, of feature `at`. skew: the largest of a feature, without those of noughts and ones;
    narrowest: the smallest deviation of these.
    """

    name: str
    low: float
    high: float
    mean: float
    std: float
    farthest: float
    at: str
    beyond: float
    skew: float
    narrowest: float
    chosen: bool = False


class Preprocessing(Evidence, frozen=True, kw_only=True):
    """D10. name: as data.preprocess has it, or by_column; setting: what to write there. given: the user fixed it.

    proposed, because: what is chosen from train, and why. low … std: of all numbers that reach the net, over (a sample
    of) train. alike: columns are of one measurement, as pixels are. items: those looked at.
    """

    name: str
    proposed: str
    because: str
    given: bool
    low: float
    high: float
    mean: float
    std: float
    setting: str | dict[str, Any] = ""
    kind: str = ""
    items: int = 0
    alike: bool = False
    features: tuple[Prepared, ...] = ()
    tried: tuple[Tried, ...] = ()


class TargetScale(Evidence, frozen=True, kw_only=True):
    """Numbers to be predicted, in train. Each list has one entry a target.

    steps: distance of neighbouring float32 numbers at the largest. prior_bias: init.prior_bias of the config; given:
    the user fixed it. saved: about what share of a fresh net's squared error it would save.
    """

    means: tuple[float, ...]
    stds: tuple[float, ...]
    steps: tuple[float, ...]
    prior_bias: bool
    given: bool
    saved: float = 0.0
