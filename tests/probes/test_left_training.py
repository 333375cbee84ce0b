from __future__ import annotations

import numpy as np

from recipe.probes.left_training import trend_of

STEPS = list(range(100, 6100, 100))


def noise(seed, along=0.7):
    """Evaluations whose noise lasts: each is much like the one before."""
    generator = np.random.default_rng(seed)
    values = [0.0]
    for _ in STEPS:
        values.append(along * values[-1] + 0.01 * generator.normal())
    return np.array(values[1:])


def test_a_loss_that_falls_is_seen_to_fall():
    found = [trend_of(STEPS, 0.5 - 0.02 * np.array(STEPS) / 1000 + noise(seed)) for seed in range(20)]
    assert sum(one.high < 0 for one in found) >= 18


def test_a_loss_that_only_wanders_is_rarely_called_a_trend():
    found = [trend_of(STEPS, 0.5 + noise(seed)) for seed in range(200)]
    assert sum(one.low > 0 or one.high < 0 for one in found) <= 30


def test_few_evaluations_tell_nothing():
    found = trend_of(STEPS[:5], [0.5] * 5)
    assert found.low == -np.inf
