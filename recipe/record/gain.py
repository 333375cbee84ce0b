"""What one idea gains over another, with its uncertainty and where that comes from."""

from __future__ import annotations

from typing import Literal

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class Gain(Evidence, frozen=True, kw_only=True):
    """A paired difference, positive when the idea is better than its reference.

    method: "seeds" (t interval over paired seeds); with one or two of them "evaluations" (one run seen in two ways: t
    interval over the late evaluations) or "items" (bootstrap over the items of the split, widened by the jitter
    between evaluations); or "none" (no such items, or a run that failed: nothing is claimed).
    """

    metric: str
    split: str
    difference: Interval
    method: Literal["seeds", "evaluations", "items", "none"]
    note: str = ""

    @property
    def real(self) -> bool:
        """Better, by more than the noise."""
        return self.method != "none" and self.difference.low > 0

    @property
    def harmful(self) -> bool:
        """Worse, by more than the noise."""
        return self.difference.high < 0
