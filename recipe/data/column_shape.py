"""How the numbers of one column are spread, and which way of scaling suits that.

The rules, in this order; each number can be found in `ColumnShape`, and is told with the choice:

    constant                                        any: it reaches the net as nought
    0 and 1 only                                    left as they are; two other values: min_max, which makes 0 and 1
    never negative, skewness over SKEWED, of which  log_standardize: numbers that go over orders of magnitude
      a log leaves little, and nothing far out
    up to FEW of them beyond 3 quartile ranges,     clip_standardize: a few that would rule the scale of all others
      the farthest beyond FAR ranges
    skewness over SKEWED, of which a log leaves     log_standardize
      little, but some far out
    else                                            standardize

Calibrated on 100 seeds each of 300, 2,000 and 20,000 numbers; how often which is chosen, of 300:
    normal, uniform, gamma(2), Laplace, Poisson, years, 0 and 1     standardize 300 each; exponential 295
    lognormal(2), Pareto(1.5), Weibull(0.5)                         log 300 each
    lognormal(1); nine tenths 0, the rest lognormal                 log 292; 286 (the others have 300 numbers)
    one slip among normals; Cauchy                                  clip 300; 298
    1 % with 20 deviations; t(2)                                    clip 270; 248 (the others have 300 numbers)
    between both: lognormal(0.5), t(5)                              standardize 292, 278; Zipf(2): log 296
and on real columns: log for adult's capital gain, titanic's fares and siblings, california's
rooms, bedrooms, people and households, wine's sugar (red) and chlorides; standardize for the other 28. Of these adult's
capital loss (95 % are 0) has a heavy tail that a log would not draw in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SAMPLE = 20_000
"""Rows from which a column's shape is told; its ends are those of all rows."""
SKEWED, LEFT = 2.5, 0.55
"""Skewness from which a tail is heavy (an exponential's is 2), and what a log may leave of it at most."""
OUT = 8.0
"""Deviations within which a log has to bring all numbers."""
FAR, FENCE, FEW, RARE = 12.0, 3.0, 0.125, 0.05
"""Quartile ranges of the farthest number to clip, and of the fence (Tukey 1977, "far out"); shares beyond the fence: at
most, and from where a log is tried first."""
CENTRED, NARROW, WIDE = 2.0, 0.05, 3.0
"""Mean up to which, and deviations between which, numbers are centred and scaled already."""


class ColumnShape(NamedTuple):
    """Of the finite numbers of a column; all nought where there is none.

    farthest: of all numbers, in deviations from the mean; …_logged: after log1p of numbers / unit (None: some are
    negative). beyond: share outside FENCE quartile ranges; reach: how many of these ranges the farthest lies beyond.
    """

    low: float
    high: float
    different: int
    mean: float
    std: float
    skew: float
    farthest: float
    skew_logged: float | None
    farthest_logged: float | None
    unit: float
    beyond: float
    reach: float
    low_fence: float
    high_fence: float

    @property
    def constant(self) -> bool:
        """Whether all numbers are one."""
        return self.low == self.high

    @property
    def flags(self) -> bool:
        """Whether they are noughts and ones."""
        return self.different == 2 and (self.low, self.high) == (0, 1)

    @property
    def heavy(self) -> bool:
        """Whether a log draws in a heavy tail, and does so better than clipping a few numbers would."""
        if self.skew_logged is None or self.farthest_logged is None or self.skew <= SKEWED:
            return False
        # To cut off what is no longer rare would cut off what the column has to say.
        common = not self.ruled or self.beyond > RARE
        drawn_in = self.farthest_logged < OUT or (common and self.farthest_logged < LEFT * self.farthest)
        return abs(self.skew_logged) < LEFT * self.skew and drawn_in

    @property
    def ruled(self) -> bool:
        """Whether a few numbers far out would set the scale of all others."""
        return 0 < self.beyond <= FEW and self.reach > FAR

    @property
    def scaled(self) -> bool:
        """Whether the numbers lie as nets like them: around nought, with a deviation around one."""
        return self.constant or self.flags or (abs(self.mean) < CENTRED and NARROW < self.std < WIDE)


def shape_of(values: np.ndarray) -> ColumnShape:
    """values: (N,), not-a-number where a cell is empty."""
    known = values[np.isfinite(values)].astype(np.float64)
    if not len(known):
        return ColumnShape(0, 0, 0, 0, 0, 0, 0, None, None, 1, 0, 0, 0, 0)
    low, high = float(known.min()), float(known.max())
    if (low, high) == (0, 1) and bool(((known == 0) | (known == 1)).all()):
        mean = float(known.mean())
        std = (mean * (1 - mean)) ** 0.5
        skew, farthest = (1 - 2 * mean) / std, max(mean, 1 - mean) / std
        return ColumnShape(0, 1, 2, mean, std, skew, farthest, None, None, 1, 0, 0, 0, 1)
    x = known[:: max(1, len(known) // SAMPLE)]
    # The ends belong to it, whichever rows the sample has.
    x = np.append(x, [low, high]) if len(x) < len(known) else x
    mean, std, skew, farthest = _moments(x)
    unit, skew_logged, farthest_logged = 1.0, None, None
    if low >= 0 and high > low:
        unit = log_unit(x)
        _, _, skew_logged, farthest_logged = _moments(np.log1p(x / unit))
    first, third = np.quantile(x, [0.25, 0.75]).tolist()
    fences = (first - FENCE * (third - first), third + FENCE * (third - first))
    outside = max(first - low, high - third)
    return ColumnShape(
        low=low,
        high=high,
        different=len(np.unique(x)),
        mean=mean,
        std=std,
        skew=skew,
        farthest=farthest,
        skew_logged=skew_logged,
        farthest_logged=farthest_logged,
        unit=unit,
        # Where half of all numbers are one, there is no range to measure with.
        beyond=float(((x < fences[0]) | (x > fences[1])).mean()) if third > first else 0.0,
        reach=outside / (third - first) if third > first else 0.0,
        low_fence=fences[0] if third > first else low,
        high_fence=fences[1] if third > first else high,
    )


def log_unit(x: np.ndarray) -> float:
    """What a column is divided by before log1p: the 1 % point of its positive numbers, so that no unit matters."""
    positive = x[x > 0]
    return float(np.quantile(positive, 0.01)) if len(positive) else 1.0


def choose(shape: ColumnShape) -> tuple[str, str]:
    """(option, why with the numbers that decided) for one column."""
    one = shape
    if one.constant:
        return "standardize", f"always {one.low:g}: nothing to learn from, it reaches the net as 0"
    if one.flags:
        return "standardize", "0 and 1 only: left as they are"
    if one.different == 2:
        return "min_max", f"two values, {one.low:g} and {one.high:g}: they become 0 and 1"
    if one.heavy:
        return "log_standardize", (
            f"heavy tail: skewness {one.skew:.3g}, after a log {one.skew_logged:.2g}; the farthest number lies "
            f"{one.farthest:.3g} deviations out, after it {one.farthest_logged:.2g}"
        )
    if one.ruled:
        return "clip_standardize", (
            f"outliers: {100 * one.beyond:.2g} % lie beyond {FENCE:g} quartile ranges, the farthest {one.reach:.3g} of "
            "them; they would set the scale of all others"
        )
    told = f"skewness {one.skew:.2g}, the farthest number {one.farthest:.2g} deviations out"
    if one.skew > SKEWED and one.skew_logged is not None:
        return "standardize", f"{told}; a log would leave skewness {one.skew_logged:.2g}"
    return "standardize", f"no heavy tail and no outliers that rule it: {told}"


def _moments(x: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, deviation, skewness, and the farthest number in deviations."""
    mean = float(x.mean())
    away = x - mean
    std = float(np.sqrt((away * away).mean()))
    if std <= 1e-12 * max(1.0, abs(mean)):
        return mean, 0.0, 0.0, 0.0
    scaled = away / std
    return mean, std, float((scaled**3).mean()), float(np.abs(scaled).max())
