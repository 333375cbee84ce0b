"""Stops when the monitored metric has not improved for a while, and says which weights were best."""

from __future__ import annotations

import math
from typing import Any

from recipe.record.history import Point
from recipe.record.refusal import Refusal

# Steps of an epoch from where it is a long one; evaluations in such a one, at most; epochs between two evaluations of a
# long run, at most, and evaluations that such a run has at least.
_LARGE, _TIMES, _FEW, _SEEN = 1000, 4, 5, 30


class EarlyStopping:
    """monitor: "split.metric". patience: evaluations without an improvement of more than min_delta."""

    def __init__(
        self, monitor: str = "val.loss", mode: str = "min", patience: int = 10, min_delta: float = 0.0
    ) -> None:
        if mode not in ("min", "max"):
            raise Refusal(f"unknown mode {mode!r}", where="early_stopping.mode", fix="min or max")
        self.monitor, self.mode, self.patience, self.min_delta = monitor, mode, patience, min_delta
        self.best = math.inf if mode == "min" else -math.inf
        self.best_step: int | None = None
        self.waited = 0

    def update(self, point: Point) -> bool:
        """Hears one evaluation; true when it is the best so far. Not-a-number never is."""
        value = self._value(point)
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta or (self.best_step is None and math.isfinite(value)):
            self.best, self.best_step, self.waited = value, point.step, 0
            return True
        self.waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether patience is at its end."""
        return self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """Plain numbers that a resumed run needs."""
        return {"best": self.best, "best_step": self.best_step, "waited": self.waited}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.best, self.best_step, self.waited = float(state["best"]), state["best_step"], int(state["waited"])

    def _value(self, point: Point) -> float:
        split, _, metric = self.monitor.partition(".")
        metrics = point.metrics.get(split, {})
        if metric not in metrics:
            known = ", ".join(f"{s}.{m}" for s, values in point.metrics.items() for m in values)
            raise Refusal(
                f"nothing is measured as {self.monitor}", where="early_stopping.monitor", fix=f"one of {known}"
            )
        return metrics[metric]


def cadence(asked: float | None, steps_per_epoch: int, length: int, val_batches: int) -> int:
    """Steps between evaluations: `asked` epochs; else by the size of the data and the length of the run.

    Each epoch, and ten times in a short run. In a large set much happens in an epoch, so there are up to four in each;
    a long run on a small set is seen at every few, thirty times in all. Validation is forward only, a third of a
    training step: two passes' worth of steps keep it under a fifth.
    """
    if asked:
        return max(1, round(float(asked) * steps_per_epoch))
    often = steps_per_epoch // min(_TIMES, max(1, steps_per_epoch // _LARGE))
    seldom = min(_FEW * steps_per_epoch, length // _SEEN)
    return max(1, 2 * val_batches, min(often, length // 10), seldom if steps_per_epoch < _LARGE else 1)


def patience_for(evaluations: int) -> int:
    """A third of the evaluations of a run, so that a bump does not end it."""
    return max(2, math.ceil(evaluations / 3))
