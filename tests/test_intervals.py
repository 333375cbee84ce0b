"""Intervals against known values and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recipe.intervals import bootstrap, of_items, paired, t_interval, wilson


def test_wilson_matches_the_published_example():
    interval = wilson(8, 10)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("successes", [0, 20])
def test_wilson_stays_inside_and_is_open_at_the_ends(successes):
    interval = wilson(successes, 20)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1
    assert interval.low < interval.high


def test_of_nothing_nothing_is_known():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert t_interval([]).n == 0


def test_student_with_two_seeds_is_wide():
    interval = t_interval([1.0, 2.0])
    assert interval.high - interval.mean == pytest.approx(12.706 * math.sqrt(0.5) / math.sqrt(2), rel=1e-3)


def test_one_seed_proves_nothing():
    interval = t_interval([1.0])
    assert (interval.mean, interval.low, interval.high) == (1.0, -math.inf, math.inf)


def test_a_diverged_run_makes_the_interval_infinite():
    assert not t_interval([1.0, math.nan]).excludes(0)


def test_paired_differences_ignore_what_pairs_share():
    a, b = [10.1, 20.1, 30.1], [10.0, 20.0, 30.0]
    assert paired(a, b).low > 0
    with pytest.raises(ValueError, match="equally long"):
        paired([1.0], [1.0, 2.0])


def test_bootstrap_is_repeatable_and_covers():
    values = np.random.default_rng(0).normal(5, 2, 400)
    first = bootstrap(values, lambda rows: float(rows.mean()), draws=400)
    assert first == bootstrap(values, lambda rows: float(rows.mean()), draws=400)
    assert first.low < 5 < first.high


def test_items_of_zero_and_one_get_wilsons():
    assert of_items([1.0] * 10).high <= 1
    assert of_items([0.2, 0.4, 0.9]).mean == pytest.approx(0.5)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_wilson_covers_what_it_claims(share):
    rng = np.random.default_rng(1)
    hits = rng.binomial(50, share, 2000)
    covered = np.mean([not wilson(int(k), 50).excludes(share) for k in hits])
    assert covered > 0.92
