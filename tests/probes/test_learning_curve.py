from __future__ import annotations

import numpy as np
import pytest

from recipe.probes.learning_curve import Point, at, fit_learning_curve
from recipe.record.evidence import CannotMeasure
from recipe.record.plain import from_json, to_json
from recipe.record.regularize import LearningCurve


def curve(a: float, b: float, c: float, seed: int = 0, noise: float = 0.003) -> LearningCurve:
    generator = np.random.default_rng(seed)
    sizes = [125, 250, 500, 1000]
    points = [Point(n, [at((a, b, c), n) + noise * generator.standard_normal() for _ in range(3)], 0.0) for n in sizes]
    return fit_learning_curve(points, metric="accuracy", val_examples=2000)


@pytest.mark.parametrize("law", [(1.5, 0.4, 0.0), (3.0, 0.5, 0.05), (0.5, 0.1, 0.0)])
def test_the_band_holds_what_more_data_really_bring(law: tuple[float, float, float]) -> None:
    held = 0
    for seed in range(10):
        for forecast in curve(*law, seed=seed).forecasts:
            held += forecast.error.low <= at(law, forecast.times * 1000) <= forecast.error.high
    assert held >= 27


def test_the_law_goes_through_clean_points() -> None:
    found = curve(1.5, 0.4, 0.0, noise=0.0)
    assert found.now.mean == pytest.approx(at((1.5, 0.4, 0.0), 1000), rel=0.02)
    assert [subset.fraction for subset in found.subsets] == [0.125, 0.25, 0.5, 1.0]


def test_forecasts_fall_and_widen_with_more_data() -> None:
    errors = [forecast.error for forecast in curve(1.5, 0.4, 0.0).forecasts]
    assert errors[0].mean > errors[1].mean > errors[2].mean
    assert all(0 <= error.low <= error.mean <= error.high for error in errors)


def test_the_same_points_give_the_same_band() -> None:
    assert curve(1.5, 0.4, 0.0) == curve(1.5, 0.4, 0.0)


def test_two_sizes_are_no_curve() -> None:
    with pytest.raises(CannotMeasure, match="too few"):
        fit_learning_curve([Point(100, [0.3], 0.0), Point(200, [0.2], 0.0)], metric="accuracy", val_examples=100)


def test_without_errors_there_is_nothing_to_forecast() -> None:
    points = [Point(n, [0.0, 0.0], 0.0) for n in (100, 200, 400)]
    with pytest.raises(CannotMeasure, match="zero already"):
        fit_learning_curve(points, metric="accuracy", val_examples=100)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_seeds_make_a_record_of_plain_numbers(seeds: int) -> None:
    points = [Point(n, [0.5 / n**0.3 + 0.001 * s for s in range(seeds)], 0.0) for n in (100, 200, 400)]
    found = fit_learning_curve(points, metric="r2", val_examples=100)
    assert from_json(to_json(found), LearningCurve) == found
