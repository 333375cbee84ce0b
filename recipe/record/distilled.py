"""What the ensemble taught one net, and what became of the run that was left training."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.gain import Gain
from recipe.record.interval import Interval
from recipe.record.trial import Change


class Pupil(msgspec.Struct, frozen=True, kw_only=True):
    """One seed: the net that was taught and the same net alone, by their headline on validation."""

    seed: int
    taught: float
    alone: float


class Distilled(Evidence, frozen=True, kw_only=True):
    """One net taught by the ensemble, beside the same net alone: same seeds, same steps.

    gain: of the taught ones over those alone, on validation. best: the seed that is taken home, by validation loss.
    teacher, taught, alone: headline on validation of the ensemble and of the best of each. behind: by how much the best
    taught net falls behind the ensemble there, paired over items. share: of the ensemble's parameters that it has.
    """

    change: Change
    temperature: float
    hard: float
    steps: int
    metric: str
    higher_is_better: bool
    pupils: tuple[Pupil, ...]
    gain: Gain
    loss_gain: Gain
    best: int
    teacher: Interval
    taught: Interval
    alone: Interval
    behind: Interval
    parameters: int
    share: float
    lost: tuple[str, ...] = ()


class DistilledTest(Evidence, frozen=True, kw_only=True):
    """The taught net on the split that is reported, beside the ensemble and the net alone, paired over items.

    behind: the ensemble minus the taught net. ahead: the taught net minus the net alone; both in the headline where
    that is a mean over items, else in squared error; positive means that the first is better.
    """

    split: str
    metric: str
    items: int
    ensemble: Interval
    taught: Interval
    alone: Interval
    behind: Interval
    ahead: Interval


class LeftPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One look at validation on the way."""

    step: int
    loss: float
    headline: float


class Left(Evidence, frozen=True, kw_only=True):
    """The best run, gone on with. points: validation on the way, thinned for drawing.

    trend: change of the validation loss over a thousand further steps, by a straight line through the last half, with
    an interval that knows that neighbouring evaluations are alike; negative: it still improves. verdict: improving,
    flat or worsening. gain: of the best weights over where it began, in loss, paired over items. stopped: "finished"
    or "told to stop".
    """

    member: str
    rate: float
    steps: int
    planned: int
    epochs: float
    evaluations: int
    points: tuple[LeftPoint, ...]
    trend: Interval
    verdict: str
    metric: str
    start_loss: float
    best_loss: float
    best_step: int
    gain: Interval
    stopped: str
    seconds: float = 0.0
