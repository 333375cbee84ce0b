from __future__ import annotations

import numpy as np
import pytest

from recipe.data.tails import tail_limits

FAMILIES = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "log-normal": lambda rng, n: rng.lognormal(0, 2, n),
    "Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "counts": lambda rng, n: rng.poisson(0.1, n),
    "mostly zero": lambda rng, n: rng.lognormal(8, 1, n) * (rng.random(n) < 0.1),
}


def outside(values):
    low, high = tail_limits(values)
    return int(((values < low) | (values > high)).sum())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n", [100, 2000])
def test_sound_tails_are_left_alone_however_heavy(family, n):
    samples = [FAMILIES[family](np.random.default_rng([seed, n]), n) for seed in range(40)]
    assert sum(outside(sample) > 0 for sample in samples) <= 2


@pytest.mark.parametrize("family", ["normal", "uniform"])
@pytest.mark.parametrize(("slips", "n"), [(1, 100), (1, 2000), (9, 2000)])
def test_a_few_slips_are_found_beyond_light_tails(family, slips, n):
    values = FAMILIES[family](np.random.default_rng(0), n)
    values[:slips] = 60 + np.arange(slips)
    assert outside(values) == slips
    assert tail_limits(-values)[0] == -tail_limits(values)[1]


def test_a_unit_gone_wrong_is_found_among_log_normal_amounts():
    values = np.random.default_rng(0).lognormal(3, 0.5, 3000)
    values[7] *= 10_000
    assert outside(values) == 1


def test_too_few_or_equal_values_set_no_limits():
    for values in (np.zeros(100), np.arange(5.0), np.full(30, np.nan)):
        assert tail_limits(values) == (-np.inf, np.inf)
