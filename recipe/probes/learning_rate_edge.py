"""The largest constant rate that does not diverge, as an interval over seeds.

Short runs of one length, each from the same weights and the same batches: a ladder brackets the edge, bisection
narrows it. No optimum is read off a curve of losses: that is what makes the published finders jump from run to run.
Weights are a function of the seed, so that nothing has to be restored and no file is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval
from recipe.record.overfit import LearningRateEdge, RateRun
from recipe.record.progress import Bar, Progress, Silent
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

# From the rate in use the ladder goes up by this factor until a run diverges.
_STRIDE = 4.0
_HIGHEST = 1e4
_NONE = 1e-15
_LOWEST = 1e-9


def measure_edge(
    ingredients: Ingredients,
    *,
    seeds: Sequence[int],
    steps: int = 60,
    precision: float = 1.3,
    progress: Progress | None = None,
) -> LearningRateEdge:
    """The edge without clipping, schedule and regularizers. precision: high / low at which the search stops."""
    rate = ingredients.config["optimizer"].get("lr")
    if not isinstance(rate, (int, float)) or rate <= 0:
        raise CannotMeasure("this optimizer has no rate to look for (optimizer.lr)")
    bar = (progress or Silent()).bar("learning-rate edge", 8 * len(seeds))
    plain = ingredients.changed({"schedule": "constant", "train.clip_norm": None})
    runs: list[RateRun] = []
    brackets: list[tuple[float, float]] = []
    for seed in seeds:
        trace = _Trace(plain, seed, steps, bar)
        # Later seeds look where the first one found it.
        start, stride = (brackets[0][0] or brackets[0][1], 2.0) if brackets else (float(rate), _STRIDE)
        brackets.append(bracket(trace.run, start, stride, precision))
        runs += trace.runs
    bar.done()
    low, high = min(low for low, _ in brackets), max(high for _, high in brackets)
    ends = [math.sqrt(max(a, _LOWEST) * b) if math.isfinite(b) else a for a, b in brackets]
    middle = math.exp(fmean(math.log(max(end, _LOWEST)) for end in ends))
    return LearningRateEdge(
        edge=Interval(middle, low, high, len(brackets)),
        rate=float(rate),
        start=rounded(low / 10),
        steps=steps,
        optimizer=str(ingredients.config["optimizer"]["_target_"]).rpartition(".")[2],
        runs=tuple(runs),
    )


def bracket(run: Callable[[float], bool], start: float, stride: float, precision: float) -> tuple[float, float]:
    """(largest rate that held or 0, smallest that diverged or infinity). run: whether a rate diverges."""
    low, high = 0.0, math.inf
    rate = start
    while not (low > 0 and math.isfinite(high)):
        if run(rate):
            high, rate = rate, rate / stride
        else:
            low, rate = rate, rate * stride
        if (low and rate > _HIGHEST) or (not low and rate < _LOWEST):
            break
    while low > 0 and math.isfinite(high) and high / low > precision:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if run(middle) else (middle, high)
    return low, high


def diverged(losses: Sequence[float], still: Sequence[float], steps: int, learns: bool) -> tuple[bool, float, str]:
    """(whether, ratio over the second half, why). still: losses of the untrained net on the same batches.

    learns: whether a smaller rate lowered the loss clearly on these batches.
    """
    if len(losses) < steps or not all(map(math.isfinite, losses)):
        return True, math.inf, "not finite"
    half = steps // 2
    ratio = _relative(fmean(losses[half:]), fmean(still[half:]))
    first, best, smooth = still[0], math.inf, 0.0
    for count, loss in enumerate(losses, 1):
        smooth = 0.9 * smooth + 0.1 * loss
        level = smooth / (1 - 0.9**count)
        best = min(best, level)
        if level > max(first, 4 * best) and count > 5:
            return True, ratio, "the smoothed loss rose to four times its lowest"
    if ratio >= 1:
        return True, ratio, "the loss is above that of the untrained net"
    if ratio > 0.97 and learns:
        return True, ratio, "the loss stays where it started, though smaller rates lower it"
    return False, ratio, ""


def rounded(rate: float) -> float:
    """To two digits: a rate is not known better."""
    return float(f"{rate:.1e}")


class _Trace:
    """All runs of one seed: the same weights and batches each time."""

    def __init__(self, ingredients: Ingredients, seed: int, steps: int, bar: Bar) -> None:
        self._ingredients, self._seed, self._steps, self._bar = ingredients, seed, steps, bar
        self._feed = ingredients.feed("train", seed=seed, plain=True)
        # At next to no rate nothing is learnt: the untrained net's loss on exactly these batches.
        self._still = self._losses(_NONE)
        self.runs: list[RateRun] = []

    def run(self, rate: float) -> bool:
        """Whether the rate diverges."""
        learns = any(run.ratio < 0.9 for run in self.runs if not run.diverged and run.rate < rate)
        bad, ratio, why = diverged(self._losses(rate), self._still, self._steps, learns)
        self.runs.append(RateRun(rate=rate, seed=self._seed, ratio=ratio, diverged=bad, why=why))
        self._bar.advance(1, f"rate {rate:.2g} {'diverges' if bad else 'holds'}")
        return bad

    def _losses(self, rate: float) -> Sequence[float]:
        changed = self._ingredients.changed({"optimizer.lr": rate})
        learner = changed.learner(self._seed, plain=True)
        seed = derive(self._seed, "edge")
        return fit(learner, self._feed, steps=self._steps, seed=seed, sample_every=0).losses


def _relative(value: float, reference: float) -> float:
    """Losses may be negative (a likelihood): then the distance counts, not the ratio."""
    return value / reference if reference > 0 else 1 + value - reference
