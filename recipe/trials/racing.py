"""A race: which ideas are worth another seed. One that will hardly be kept whatever comes is given no more.

An idea is kept when the interval of its mean gain over all S seeds lies above zero: when the mean exceeds t·d/√S, with
d the deviation over its seeds. After s seeds with mean m the mean over all S is Normal(m, σ²(S − s)/(sS)) to whoever
knew nothing before, and d²/σ² is χ² with S − 1 degrees over S − 1. The probability that the mean ends above is the
predictive power of Spiegelhalter, Freedman and Blackburn 1986; below a chance that is set beforehand the race is over
for the idea, as in the races of Maron and Moore 1994. σ is pooled over all ideas: two seeds of one tell too little.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from recipe.record.trial import Outcome
    from recipe.tasks.task import Task
    from recipe.trials.ideas.proposal import Proposal

NORMAL = NormalDist()
# Fewest that have a deviation worth the name.
SEEDS = 3
QUANTILES = 20


class Standing(NamedTuple):
    """An idea's paired gains so far, a seed each: in the headline, and in the validation loss where it compares."""

    headline: Sequence[float]
    loss: Sequence[float] | None = None


class Noise(NamedTuple):
    """Standard deviation of one seed's paired gain: in the headline, and in the validation loss."""

    headline: float
    loss: float


def chance_of_winning(gains: Sequence[float], noise: float, seeds: int) -> float:
    """That the interval over all `seeds` will lie above zero, given those so far. A run that failed cannot win."""
    if not all(map(math.isfinite, gains)):
        return 0.0
    done, mean = len(gains), fmean(gains)
    if seeds < SEEDS:
        # Of one or two seeds no deviation can be told; one that has lost will not win by the other.
        return float(mean > 0)
    bars = [bar * noise / math.sqrt(seeds) for bar in _bars(seeds)]
    if done >= seeds or noise == 0:
        return float(mean > fmean(bars))
    spread = noise * math.sqrt((seeds - done) / (done * seeds))
    return fmean(1 - NORMAL.cdf((bar - mean) / spread) for bar in bars)


def chance_of_being_kept(standing: Standing, noise: Noise, seeds: int) -> float:
    """By the headline, or by the loss with a headline that is not worse: the larger of the two chances."""
    by_headline = chance_of_winning(standing.headline, noise.headline, seeds)
    if standing.loss is None or not all(map(math.isfinite, [*standing.headline, *standing.loss])):
        return by_headline
    done = len(standing.headline)
    not_worse = (
        1.0
        if noise.headline == 0
        else NORMAL.cdf(fmean(standing.headline) / (noise.headline * math.sqrt(max(1, seeds - done) / (done * seeds))))
    )
    return max(by_headline, min(chance_of_winning(standing.loss, noise.loss, seeds), not_worse))


def pooled_noise(standings: Sequence[Standing], start: Noise) -> Noise:
    """From the ideas that have two seeds or more; `start` where there are none."""
    headline = _pooled([s.headline for s in standings])
    loss = _pooled([s.loss for s in standings if s.loss is not None])
    return Noise(
        start.headline if headline is None else headline,
        start.loss if loss is None else loss,
    )


def standing_of(outcomes: Sequence[Outcome], reference: Sequence[Outcome], task: Task, idea: Proposal) -> Standing:
    """The idea's runs beside the reference's on the same seeds."""
    others = {one.trial.seed: one for one in reference}
    pairs = [(one, others[one.trial.seed]) for one in outcomes]
    sign = 1 if task.higher_is_better else -1
    if any(one.status != "finished" for one, _ in pairs):
        return Standing([-math.inf] * len(pairs))
    loss = [b.value("val", "loss") - a.value("val", "loss") for a, b in pairs] if idea.comparable else None
    return Standing([sign * (a.value("val", task.headline) - b.value("val", task.headline)) for a, b in pairs], loss)


def noise_of_reference(reference: Sequence[Outcome], task: Task) -> Noise:
    """Of a difference of two runs, as if they had nothing in common: before ideas have two seeds there is no other."""

    def noise(metric: str) -> float:
        values = [v for one in reference if math.isfinite(v := one.value("val", metric))]
        return math.sqrt(2 * variance(values)) if len(values) > 1 else 0.0

    return Noise(noise(task.headline), noise("loss"))


def _pooled(groups: Sequence[Sequence[float]]) -> float | None:
    sound = [g for g in groups if len(g) > 1 and all(map(math.isfinite, g))]
    freedom = sum(len(g) - 1 for g in sound)
    return math.sqrt(sum(variance(g) * (len(g) - 1) for g in sound) / freedom) if freedom else None


def _bars(seeds: int) -> list[float]:
    """How many pooled standard errors from zero the mean has to lie: at equally likely deviations of its own seeds."""
    from scipy.special import chdtri, stdtrit

    critical, degrees = float(stdtrit(seeds - 1, 0.975)), seeds - 1
    tails = [(k + 0.5) / QUANTILES for k in range(QUANTILES)]
    return [critical * math.sqrt(float(chdtri(degrees, tail)) / degrees) for tail in tails]
