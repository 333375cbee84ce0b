"""Runs on the scale of the task: what they came to, how far training and validation lie apart, what one gains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipe.intervals import paired
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.trial import Outcome
from recipe.trials.compare import compare, over_seeds
from recipe.trials.here import items_in

if TYPE_CHECKING:
    from recipe.stages.stage import Stage


class Scale:
    """The headline metric of the stage's task, on its data."""

    def __init__(self, stage: Stage) -> None:
        task = stage.ingredients.task
        self._metric, self._higher, self._data = task.headline, task.higher_is_better, stage.ingredients.data
        self._folder = stage.folder / "trials"

    def level(self, outcomes: Sequence[Outcome], split: str) -> Interval:
        """The headline on a split, over the seeds."""
        size = len(self._data.train if split == "train" else self._data.val)
        return over_seeds(outcomes, split, self._metric, size)

    def gap(self, outcomes: Sequence[Outcome]) -> Interval:
        """Training minus validation headline; with one seed what the items of both splits leave open."""
        train, val = self.level(outcomes, "train"), self.level(outcomes, "val")
        sound = [o for o in outcomes if o.status == "finished"]
        sign = 1 if self._higher else -1
        if len(sound) > 1 or not all(map(math.isfinite, (train.low, train.high, val.low, val.high))):
            both = [[sign * o.value(split, self._metric) for o in sound] for split in ("train", "val")]
            return paired(both[0], both[1])
        middle = sign * (train.mean - val.mean)
        half = math.hypot((train.high - train.low) / 2, (val.high - val.low) / 2)
        return Interval(middle, middle - half, middle + half, val.n)

    def gains(
        self, outcomes: Sequence[Outcome], reference: Sequence[Outcome], *, comparable: bool, split: str = "val"
    ) -> tuple[Gain, Gain | None]:
        """In the headline, and in the loss where the losses of both compare."""
        higher, metric = self._higher, self._metric
        items = items_in(self._folder) if split == "val" else None
        gain = compare(outcomes, reference, metric=metric, higher_is_better=higher, split=split, items=items)
        if not comparable:
            return gain, None
        return gain, compare(outcomes, reference, metric="loss", higher_is_better=False, split=split, items=items)
