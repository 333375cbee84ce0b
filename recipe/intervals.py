"""95 % intervals: for shares, means over seeds or items, paired differences, areas under curves, and by bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist, fmean, stdev
from typing import Any

from recipe.record.interval import Interval

LEVEL = 0.95


def wilson(successes: float, n: int, level: float = LEVEL) -> Interval:
    """A share with Wilson's interval (Wilson 1927), which stays inside [0, 1] and honest near its ends."""
    if n == 0:
        return Interval(math.nan, 0.0, 1.0, 0)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)), n)


def t_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean with Student's interval. One value, or a value that is not finite, has an infinite one."""
    numbers = [float(value) for value in values]
    n = len(numbers)
    if n == 0:
        return Interval(math.nan, -math.inf, math.inf, 0)
    mean = fmean(numbers)
    if n == 1 or not math.isfinite(mean):
        return Interval(mean, -math.inf, math.inf, n)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + level) / 2)) * stdev(numbers) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def paired(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean of a - b over pairs (same seed, or same item), with Student's interval."""
    if len(a) != len(b):
        raise ValueError(f"pairs need two equally long sequences, got {len(a)} and {len(b)}")
    return t_interval([x - y for x, y in zip(a, b, strict=True)], level)


def bootstrap(
    items: Any, statistic: Callable[[Any], float], *, seed: int = 0, draws: int = 1000, level: float = LEVEL
) -> Interval:
    """Percentile interval of `statistic` over rows drawn with replacement. items: array-like (n, ...)."""
    import numpy

    rows = numpy.asarray(items)
    generator = numpy.random.default_rng(seed)
    drawn = [float(statistic(rows[generator.integers(0, len(rows), len(rows))])) for _ in range(draws)]
    low, high = numpy.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(rows)), float(low), float(high), len(rows))


def of_items(values: Sequence[float], level: float = LEVEL) -> Interval:
    """The mean of one number an item: Wilson's interval where all are 0 or 1, Student's otherwise."""
    numbers = [float(value) for value in values]
    if set(numbers) <= {0.0, 1.0}:
        return wilson(sum(numbers), len(numbers), level)
    return t_interval(numbers, level)


def area_under_curve(positive: Any, negative: Any) -> Interval:
    """Chance that a score of the first kind lies above one of the second (ties count half), with DeLong's interval."""
    import numpy

    a, b = numpy.asarray(positive, dtype=float), numpy.asarray(negative, dtype=float)
    low, high = numpy.sort(a), numpy.sort(b)
    below = (numpy.searchsorted(high, a, "left") + numpy.searchsorted(high, a, "right")) / (2 * len(b))
    above = 1 - (numpy.searchsorted(low, b, "left") + numpy.searchsorted(low, b, "right")) / (2 * len(a))
    area = float(below.mean())
    # Two of each kind are the least of which a variance can be told.
    if min(len(a), len(b)) < 2:
        return Interval(area, 0.0, 1.0, len(a) + len(b))
    half = 1.96 * math.sqrt(float(below.var(ddof=1)) / len(a) + float(above.var(ddof=1)) / len(b))
    # Where all are told apart the variance is 0: then by the rule of three, as for a share of which none failed.
    half = max(half, 1.5 / min(len(a), len(b)))
    return Interval(area, max(0.0, area - half), min(1.0, area + half), len(a) + len(b))
