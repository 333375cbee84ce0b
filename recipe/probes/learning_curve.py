"""Validation error against training-set size: a power law through subsets says what more data would bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recipe.intervals import t_interval
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval
from recipe.record.regularize import Forecast, LearningCurve, Subset

TIMES = (1.2, 2.0, 10.0)
_DRAWS = 400


class Point(NamedTuple):
    """Validation errors (one a seed) of nets trained on `examples`, and the mean error on these."""

    examples: int
    errors: Sequence[float]
    train_error: float


def fit_learning_curve(
    points: Sequence[Point], *, metric: str, val_examples: int, seed: int = 0, times: Sequence[float] = TIMES
) -> LearningCurve:
    """The law a·n^(-b) + c through the points, and its forecasts for `times` the data, each with a 95 % band.

    The band holds what the points leave open: the noise of each (seeds, and for shares of right answers the size of
    the validation split), and whether there is a floor c at all, for which a handful of points cannot tell.
    """
    usable = [point for point in points if all(np.isfinite(point.errors)) and point.errors]
    sizes = np.array([point.examples for point in usable], float)
    if len(usable) < 3:
        raise CannotMeasure(f"{len(usable)} sizes are too few for a curve: regularize.fractions=[0.125, 0.25, 0.5]")
    means = np.array([float(np.mean(point.errors)) for point in usable])
    if float(means.max()) <= 0:
        raise CannotMeasure("the validation error is zero already: more data have nothing to bring")
    noise = _noise(usable, means, metric, val_examples)
    law = fit_law(sizes, means, noise, floor=True)
    laws = _drawn_laws(sizes, means, noise, seed)
    whole = float(sizes.max())
    return LearningCurve(
        metric=metric,
        subsets=tuple(
            Subset(
                examples=point.examples,
                fraction=point.examples / whole,
                error=_interval(point.errors, float(noise[i])),
                train_error=point.train_error,
                seeds=len(point.errors),
            )
            for i, point in enumerate(usable)
        ),
        a=law[0],
        b=law[1],
        c=law[2],
        now=_band(law, laws, whole),
        forecasts=tuple(Forecast(times=k, error=_band(law, laws, k * whole)) for k in times),
    )


def fit_law(
    sizes: NDArray[np.float64], means: NDArray[np.float64], noise: NDArray[np.float64], *, floor: bool
) -> tuple[float, float, float]:
    """(a, b, c), all at least 0, by weighted least squares; c is 0 without a floor.

    For a given exponent the rest is linear: exponents are tried on a grid, which has no local minima to fall into.
    """
    from scipy.optimize import nnls

    weights = 1 / np.maximum(noise, 1e-9)
    best, found = np.inf, (float(means.mean()), 0.0, 0.0)
    for b in np.linspace(0.02, 1.5, 75):
        columns = [sizes ** (-b), np.ones_like(sizes)] if floor else [sizes ** (-b)]
        solution, residual = nnls(np.stack(columns, 1) * weights[:, None], means * weights)
        if residual < best:
            best, found = residual, (float(solution[0]), float(b), float(solution[1]) if floor else 0.0)
    return found


def _drawn_laws(
    sizes: NDArray[np.float64], means: NDArray[np.float64], noise: NDArray[np.float64], seed: int
) -> list[tuple[float, float, float]]:
    """Laws through points drawn anew within their noise, half of them with a floor and half without."""
    generator = np.random.default_rng(seed)
    drawn = [np.maximum(means + noise * generator.standard_normal(len(means)), 0) for _ in range(_DRAWS)]
    return [fit_law(sizes, points, noise, floor=bool(i % 2)) for i, points in enumerate(drawn)]


def _noise(points: Sequence[Point], means: NDArray[np.float64], metric: str, val_examples: int) -> NDArray[np.float64]:
    """Standard deviation of each point. Seeds share their estimate: with two or three of them one's own is a gamble."""
    spreads = [float(np.var(point.errors, ddof=1)) for point in points if len(point.errors) > 1]
    pooled = float(np.mean(spreads)) if spreads else 0.0
    seeds = np.array([pooled / len(point.errors) for point in points])
    items = np.zeros_like(means)
    if metric == "accuracy":
        # The same validation items for every size: most of their luck is common to all points; a part is not.
        items = 0.25 * means * (1 - np.clip(means, 0, 1)) / val_examples
    least = (0.02 * means) ** 2
    return np.sqrt(np.maximum(seeds + items, least))


def _interval(errors: Sequence[float], noise: float) -> Interval:
    if len(errors) > 2:
        return t_interval(errors)
    mean = float(np.mean(errors))
    return Interval(mean, mean - 1.96 * noise, mean + 1.96 * noise, len(errors))


def _band(law: tuple[float, float, float], laws: Sequence[tuple[float, float, float]], size: float) -> Interval:
    values = [at(one, size) for one in laws]
    low, high = np.quantile(values, [0.025, 0.975])
    mean = at(law, size)
    return Interval(mean, min(mean, float(low)), max(mean, float(high)), len(laws))


def at(law: tuple[float, float, float], size: float) -> float:
    """The law's error for `size` examples."""
    a, b, c = law
    return float(a * size ** (-b) + c)
