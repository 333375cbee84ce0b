"""Change, Trial, Outcome: the only things that travel to another process or machine, and what comes back."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.history import History, Point
from recipe.record.plain import to_plain

Change = dict[str, Any]
"""A flat mapping of dotted config key (or config group) → value: what differs from the stage's configuration."""


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """Bars on the learning curve: (epoch, value) pairs that a trial has to keep up with, or it is stopped.

    what: what a bar is among earlier trials ("the median").
    """

    split: str
    metric: str
    higher_is_better: bool
    bars: tuple[tuple[float, float], ...]
    what: str = "the median"

    def __call__(self, point: Point) -> str | None:
        """Why the run should stop at this evaluation ("pruned: …"), or None: what `fit` asks as `stop_when`."""
        value = point.metrics.get(self.split, {}).get(self.metric)
        # The last bar at or before the point counts; a value that is not a number is the loop's to end, not ours.
        bar = next((bar for epoch, bar in reversed(self.bars) if epoch <= point.epoch + 1e-9), None)
        if value is None or bar is None or value == bar or (value > bar) == self.higher_is_better:
            return None
        return (
            f"pruned: {self.split} {self.metric} {value:.4g} after {point.epoch:.3g} epochs, {self.what} is {bar:.4g}"
        )


class Teaching(msgspec.Struct, frozen=True, kw_only=True):
    """A trained model whose answers are learnt beside the labels (distillation).

    model: its folder, as seen from the folder of the trials. temperature: by which answers are softened. hard: share
    of the labels in the loss.
    """

    model: str
    temperature: float
    hard: float


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One training: what it changes, its seed, its budget in optimizer steps, and the hypothesis it tests.

    name is what people read ("dropout 0.25"); steps None means the configuration's own length of run.
    until: the run may end once its training error is at or below this. limit: training examples it may see.
    averages: averages of the weights are kept beside the last ones. snapshots: so are the weights at the end of each
    of so many equal parts of the run. teaching: whose answers it learns.
    """

    name: str
    change: Change
    seed: int
    steps: int | None = None
    hypothesis: str = ""
    until: float | None = None
    limit: int | None = None
    pruning: Pruning | None = None
    averages: bool = False
    snapshots: int = 0
    teaching: Teaching | None = None

    @property
    def id(self) -> str:
        """Stable and short: the same change, seed and budget are the same trial."""
        terms = [
            self.change,
            self.seed,
            self.steps,
            *([self.until, self.limit] if self.until is not None or self.limit else []),
            *([self.snapshots] if self.snapshots else []),
            *([self.teaching] if self.teaching else []),
        ]
        identity = msgspec.json.encode(to_plain(terms), order="sorted")
        slug = "".join(c if c.isalnum() else "-" for c in self.name.lower())[:40].strip("-")
        return f"{slug}-s{self.seed}-{hashlib.blake2b(identity, digest_size=4).hexdigest()}"


class Outcome(Evidence, frozen=True, kw_only=True):
    """What a trial came to. status: finished, pruned, diverged or failed; each of them is a result.

    metrics: {"train"|"val": {name: value}} of the weights that were kept (the best ones under early stopping).
    weights: name of the weights file in the trial's folder, or None when none were kept.
    """

    trial: Trial
    status: str
    metrics: dict[str, dict[str, float]]
    history: History
    steps: int
    seconds: float = 0.0
    parameters: int = 0
    weights: str | None = None
    note: str = ""

    def value(self, split: str, metric: str) -> float:
        """One metric; not-a-number where the trial has none."""
        return self.metrics.get(split, {}).get(metric, float("nan"))
