"""Whether probabilities mean what they say, and whether a second look at each picture pays."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval
from recipe.record.saved_model import View


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of about the same confidence: its mean, and the share that is right with Wilson's interval."""

    confidence: float
    right: Interval


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """Confidence beside accuracy, in bins of equally many answers.

    ece: expected calibration error, mean |share right - confidence| over bins, with a bootstrap interval over answers.
    noise: what 95 % of perfectly calibrated nets with these confidences stay below. rms: root of the mean squared
    error, with the bins' own variance taken off (Kumar et al. 2019). excess: mean confidence minus accuracy.
    """

    bins: tuple[Bin, ...]
    ece: Interval
    noise: float
    rms: float
    excess: float
    answers: int


class Calibration(Evidence, frozen=True, kw_only=True):
    """Temperature scaling on validation. fitted: on all of it. temperature: what is taken home, 1 if it does not pay.

    gain: in loss on the half of validation that it was not fitted on, paired over items. before, after: there too.
    """

    fitted: float
    temperature: float
    gain: Interval
    because: str
    before: Reliability
    after: Reliability


class Confidence(Evidence, frozen=True, kw_only=True):
    """The same on the split that is reported: before and after the temperature that validation gave."""

    split: str
    temperature: float
    before: Reliability
    after: Reliability


class ViewTrial(Evidence, frozen=True, kw_only=True):
    """Test-time augmentation on validation. gain, headline_gain: of the mean over all views over the plain one, paired.

    adopted: whether it is better by more than noise; then every picture is looked at `len(views)` times.
    """

    views: tuple[View, ...]
    metric: str
    items: int
    gain: Interval
    headline_gain: Interval
    adopted: bool
    because: str
