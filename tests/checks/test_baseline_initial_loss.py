from __future__ import annotations

import math

import pytest

from recipe.record.baseline import InitialLoss, PriorBias
from recipe.record.interval import Interval
from recipe.testing import run_check

LN10 = math.log(10)


def initial_loss(measured=LN10, **given):
    sound = {
        "family": "cross-entropy",
        "task": "classification",
        "items": 512,
        "batch_size": 512,
        "seeds": (0, 1),
        "measured": (measured, measured),
        "train_mode": (measured, measured),
        "with_penalty": (),
        "output_std": (0.1, 0.1),
        "output_offset": 0.01,
        "expected": LN10,
        "expected_prior": 1.9,
        "lowest": 0.0,
        "derivation": "from the definition",
        "constants": {"other-width": LN10, "sum-over-batch": 512 * LN10, "other-sign": -LN10},
        "width": 10,
        "classes": 10,
        "input_low": -1.0,
        "input_high": 1.0,
        "input_mean": 0.0,
        "input_std": 0.5,
    }
    return InitialLoss(**(sound | given))


@pytest.mark.parametrize("measured", [LN10, 1.9, LN10 * 1.2])
def test_the_expected_loss_and_the_priors_pass(measured):
    assert run_check("init-loss", initial_loss=initial_loss(measured)).verdict == "pass"


@pytest.mark.parametrize(
    ("record", "verdict", "cause"),
    [
        (initial_loss(512 * LN10), "fail", "loss-is-a-sum"),
        (initial_loss(-LN10), "fail", "loss-wrong-sign"),
        (initial_loss(-0.02, family="nll"), "fail", "nll-of-raw-scores"),
        (initial_loss(6.9, width=1000, constants={"other-width": math.log(1000)}), "fail", "output-width"),
        (initial_loss(8.44, input_high=255.0, input_std=80.0), "fail", "inputs-not-scaled"),
        (initial_loss(21000.0, output_std=(900.0, 900.0)), "fail", "weights-too-large"),
        (initial_loss(3.1, output_std=(1.2, 1.2)), "warn", "weights-too-large"),
        (initial_loss(3.1, output_std=(0.1, 0.1), output_offset=1.0), "warn", "output-offset"),
        (initial_loss(1.0), "warn", "init-loss-too-low"),
        (initial_loss(0.2), "fail", "init-loss-too-low"),
        (initial_loss(math.nan), "fail", "init-loss-not-finite"),
    ],
)
def test_another_loss_is_diagnosed_by_its_value(record, verdict, cause):
    finding = run_check("init-loss", initial_loss=record)
    assert (finding.verdict, finding.cause) == (verdict, cause)


def test_what_cannot_be_derived_is_skipped():
    record = initial_loss(expected=None, expected_prior=None)
    assert run_check("init-loss", initial_loss=record).verdict == "skipped"


def test_a_penalty_of_ones_own():
    assert run_check("init-penalty", initial_loss=initial_loss()).verdict == "pass"
    assert run_check("init-penalty", initial_loss=initial_loss(with_penalty=(2.4, 2.4))).verdict == "pass"
    finding = run_check("init-penalty", initial_loss=initial_loss(with_penalty=(90.0, 90.0)))
    assert (finding.verdict, finding.cause) == ("warn", "penalty-dominates")


def test_targets_far_from_the_start():
    assert run_check("init-target-scale", initial_loss=initial_loss()).verdict == "skipped"
    near = initial_loss(1.1, task="regression", constants={"mean-only": 1.0})
    assert run_check("init-target-scale", initial_loss=near).verdict == "pass"
    far = initial_loss(9e6, task="regression", constants={"mean-only": 9e4})
    finding = run_check("init-target-scale", initial_loss=far)
    assert (finding.verdict, finding.cause) == ("warn", "target-not-scaled")


def prior(before, after, expected_drop, expected_after):
    return PriorBias(
        seeds=(0, 1),
        before=(before, before),
        after=(after, after),
        drop=Interval(before - after, before - after, before - after, 2),
        expected_drop=expected_drop,
        expected_after=expected_after,
        plain=(),
        prior=(),
        already=False,
    )


def test_the_prior_saves_what_it_should():
    assert run_check("init-prior", prior_bias=prior(0.69, 0.33, 0.37, 0.325)).verdict == "pass"
    assert run_check("init-prior", prior_bias=prior(2.30, 2.30, 0.0001, 2.30)).verdict == "pass"
    finding = run_check("init-prior", prior_bias=prior(0.69, 0.68, 0.37, 0.325))
    assert (finding.verdict, finding.cause) == ("warn", "prior-bias-without-effect")


def test_a_model_that_starts_at_the_prior_by_itself_passes():
    assert run_check("init-prior", prior_bias=prior(1.0, 1.0, 22500.0, 1.0)).verdict == "pass"
