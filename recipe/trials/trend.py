"""Whether what an idea brings still rises when its run ends: augmentations and noise pay late, decay pays early."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from recipe.record.interval import Interval
from recipe.record.trial import Outcome

# The first part of a run is about how fast it begins. The rest is cut into parts: evaluations beside each other share
# what averaged weights remember, so that each by itself would count too often.
_BEGINNING, _PARTS = 0.2, 4


def trend_of(idea: Sequence[Outcome], reference: Sequence[Outcome]) -> Interval | None:
    """Gain in validation loss with each doubling of the length: a line through its means over parts of the run, against
    the logarithm of the step, with Student's interval.

    None where runs were not evaluated at the same steps, or at fewer than eight after the beginning.
    """
    others = {outcome.trial.seed: outcome for outcome in reference}
    pairs = [(one, others[one.trial.seed]) for one in idea if one.trial.seed in others]
    if not pairs or any(outcome.status != "finished" for pair in pairs for outcome in pair):
        return None
    series = [(one.history.series("val", "loss"), other.history.series("val", "loss")) for one, other in pairs]
    steps = [step for step, _ in series[0][0]]
    if any([step for step, _ in each] != steps for pair in series for each in pair) or not steps:
        return None
    gains = [fmean(pair[1][k][1] - pair[0][k][1] for pair in series) for k in range(len(steps))]
    late = [k for k, step in enumerate(steps) if step > _BEGINNING * steps[-1]]
    if len(late) < 2 * _PARTS or not all(math.isfinite(gains[k]) for k in late):
        return None
    parts = [late[i * len(late) // _PARTS : (i + 1) * len(late) // _PARTS] for i in range(_PARTS)]
    x = [fmean(math.log2(steps[k]) for k in part) for part in parts]
    return _slope(x, [fmean(gains[k] for k in part) for part in parts])


def _slope(x: Sequence[float], y: Sequence[float]) -> Interval:
    from scipy.special import stdtrit

    middle, level = fmean(x), fmean(y)
    spread = math.fsum((a - middle) ** 2 for a in x)
    slope = math.fsum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / spread
    left = math.fsum((b - level - slope * (a - middle)) ** 2 for a, b in zip(x, y, strict=True))
    half = float(stdtrit(len(x) - 2, 0.975)) * math.sqrt(left / (len(x) - 2) / spread)
    return Interval(slope, slope - half, slope + half, len(x))
