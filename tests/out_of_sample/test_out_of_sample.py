"""The parts of out-of-sample predictions against exact answers, other implementations and planted truths."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.out_of_sample.floor import fit_floor, rate_interval, rate_of
from recipe.out_of_sample.folds import folds_of
from recipe.out_of_sample.kernel import fit_waves
from recipe.out_of_sample.lapses import find_lapses, find_runs
from recipe.out_of_sample.patches import fit_patches
from recipe.out_of_sample.residuals import judge_residuals
from recipe.out_of_sample.ridge import cross_validate


def test_ridge_in_folds_is_ridge_without_the_fold():
    from sklearn.linear_model import Ridge

    generator = np.random.default_rng(0)
    x = generator.normal(3, 2, (60, 5)).astype(np.float32)
    y = (x @ generator.normal(size=(5, 2)) + generator.normal(size=(60, 2))).astype(np.float32)
    found = cross_validate(torch.from_numpy(x), torch.from_numpy(y), [20, 40, 60])
    rest, fold = x[20:], x[:20]
    mean, scale = rest.mean(axis=0), rest.std(axis=0) + 1e-4
    other = Ridge(found.penalty * 40).fit((rest - mean) / scale, y[20:])
    assert found.own[:20].numpy() == pytest.approx(other.predict((fold - mean) / scale), abs=1e-3)


def test_folds_hold_copies_together_and_classes_evenly():
    labels = np.arange(100) % 4
    together = np.arange(100)
    together[4] = together[0]
    folds = folds_of(labels, together, 5, seed=0)
    assert folds[4] == folds[0]
    assert np.bincount(folds).min() >= 18
    assert all(np.bincount(labels[folds == k], minlength=4).min() >= 3 for k in range(5))


def test_features_have_the_width_that_they_say():
    pictures = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
    for shape in (pictures, pictures.repeat(3, axis=1), np.kron(pictures, np.ones((3, 3), np.uint8))):
        see = fit_patches(shape, seed=0)
        assert see(shape[:7]).shape == (7, see.width)
    rows = pictures.reshape(40, 64).astype(np.float32)
    see = fit_waves(rows, seed=0)
    assert see(rows[:7]).shape == (7, see.width)


def simulated(n, rate, *, sharpness=1.0, classes=5, seed=0):
    """Scores that are calibrated once multiplied by 2 / sharpness, and labels drawn from them, `rate` of them anew."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 4, (n, classes))
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (q.cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
    wrong = generator.random(n) < rate
    labels = np.where(wrong, (truth + generator.integers(1, classes, n)) % classes, truth)
    return torch.from_numpy(logits * sharpness / 2), torch.from_numpy(labels), truth


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2])
def test_the_floor_tells_wrong_labels_from_ambiguous_ones(rate):
    scores, labels, truth = simulated(6000, rate)
    floor = fit_floor([scores], labels)
    found = rate_interval([scores], labels, floor)
    assert found.mean == pytest.approx(rate, abs=0.01)
    assert found.low <= rate <= found.high
    q = floor.probabilities([scores])
    assert rate_of(floor, q, labels).mean == pytest.approx(rate, abs=0.015)
    if rate:
        after = floor.posterior(q, labels)
        wrong = 1 - after[torch.arange(len(labels)), labels].numpy()
        assert wrong.mean() == pytest.approx((labels.numpy() != truth).mean(), abs=0.01)


def test_the_better_of_two_models_has_the_weight():
    scores, labels, _ = simulated(3000, 0.1)
    noise = torch.from_numpy(np.random.default_rng(1).normal(size=scores.shape))
    floor = fit_floor([scores, noise], labels)
    assert floor.weights[0] > 20 * floor.weights[1]


def test_a_pair_is_found_where_labels_were_changed_and_not_where_classes_are_alike():
    scores, labels, truth = simulated(8000, 0.0)
    floor = fit_floor([scores], labels)
    q = floor.probabilities([scores]).numpy()
    assert find_lapses(q, labels.numpy(), floor.rate) == []
    changed = labels.numpy().copy()
    ones = np.flatnonzero(truth == 1)
    changed[ones[::4]] = 3
    (pair,) = find_lapses(q, changed, floor.rate)
    assert (pair.k, pair.j) == (1, 3)
    assert pair.share == pytest.approx(0.25, abs=0.05)


def test_a_run_is_found_where_it_is_and_chance_makes_none():
    generator = np.random.default_rng(0)
    # Nats for "wrong half of the time" of items that are right, and of some that are not.
    nats = np.full(5000, np.log(0.5 / 0.99))
    nats[generator.permutation(5000)[:50]] = np.log(0.5 / 0.01)
    assert find_runs(nats) == []
    nats[1000:1030] = np.log(0.5 / 0.01)
    (run,) = find_runs(nats)
    assert 990 <= run.first <= 1000
    assert 1029 <= run.last <= 1040
    # Thirty copies of one row say no more than one of them.
    assert find_runs(nats, [0 if 1000 <= k < 1030 else k + 1 for k in range(5000)]) == []


@pytest.mark.parametrize("tail", [3.0, 30.0])
def test_heavy_tails_are_not_wrong_targets_and_foreign_ones_are(tail):
    generator = np.random.default_rng(0)
    said = generator.normal(0, 3, 4000)
    targets = said + 0.3 * generator.standard_t(tail, 4000)
    assert judge_residuals(said, targets).rate.low == 0
    foreign = generator.permutation(4000)[:400]
    mixed = targets.copy()
    mixed[foreign] = targets[generator.permutation(foreign)]
    assert judge_residuals(said, mixed).rate.mean == pytest.approx(0.1, abs=0.03)
