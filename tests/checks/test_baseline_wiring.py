from __future__ import annotations

import math

import pytest

from recipe.record.skeleton import Parameter, Wiring
from recipe.testing import run_check

CHECKS = (
    "gradients-reach-every-layer",
    "parameters-are-registered",
    "optimizer-holds-all",
    "frozen-on-purpose",
    "evaluation-mode-reached",
    "evaluation-repeats",
    "first-step-descends",
    "zero-grad-clears",
    "norm-statistics-move",
)


def parameter(name="body.weight", **given):
    sound = {"size": 90, "trainable": True, "held": True, "moved": True, "gradient": "there"}
    return Parameter(name=name, **(sound | given))


FROZEN = parameter(trainable=False, held=False, moved=False, gradient="none")
HEAD = parameter("head.weight", size=10)


def wiring(*parameters, **given):
    sound = {
        "unregistered": (),
        "stuck_in_train": (),
        "stuck_in_eval": (),
        "eval_repeats": True,
        "descent": 0.6,
        "update_ratio": 4e-3,
        "zero_grad": True,
        "idle_statistics": (),
        "unused": (),
        "batch_norms": (),
        "batch_size": 64,
        "steps": 5,
    }
    return Wiring(parameters=parameters or (parameter(), HEAD), **(sound | given))


@pytest.mark.parametrize("check", CHECKS)
def test_sound_wiring_passes(check):
    assert run_check(check, wiring=wiring()).verdict == "pass"


@pytest.mark.parametrize(
    ("check", "record", "verdict", "cause"),
    [
        (CHECKS[0], wiring(parameter(gradient="none", moved=False)), "fail", "gradient-cut"),
        (CHECKS[0], wiring(parameter(gradient="zero", moved=False)), "fail", "gradient-zero"),
        (CHECKS[0], wiring(parameter(gradient="not finite")), "fail", "gradient-not-finite"),
        (CHECKS[1], wiring(unregistered=("(64, 64)",)), "fail", "parameters-not-registered"),
        (CHECKS[2], wiring(parameter(held=False, moved=False), HEAD), "fail", "not-in-optimizer"),
        (CHECKS[2], wiring(parameter(moved=False), HEAD), "fail", "parameters-do-not-move"),
        (CHECKS[3], wiring(FROZEN, HEAD), "warn", "frozen-not-declared"),
        (CHECKS[3], wiring(parameter(trainable=False)), "fail", "frozen-moves"),
        (CHECKS[4], wiring(stuck_in_train=("body.1",)), "fail", "eval-mode-not-reached"),
        (CHECKS[5], wiring(eval_repeats=False), "fail", "random-in-evaluation"),
        (CHECKS[6], wiring(descent=-0.6), "fail", "gradient-ascent"),
        (CHECKS[6], wiring(update_ratio=30.0), "warn", "rate-too-high"),
        (CHECKS[6], wiring(update_ratio=1e-8), "warn", "rate-too-low"),
        (CHECKS[7], wiring(zero_grad=False), "fail", "zero-grad-does-nothing"),
        (CHECKS[8], wiring(batch_norms=("n",), idle_statistics=("n",)), "fail", "norm-statistics-never-updated"),
        (CHECKS[8], wiring(batch_norms=("n",), batch_size=2), "warn", "batch-norm-small-batch"),
    ],
)
def test_broken_wiring_is_named(check, record, verdict, cause):
    finding = run_check(check, wiring=record)
    assert (finding.verdict, finding.cause) == (verdict, cause)


def test_a_layer_that_is_never_called_is_told_and_passes():
    record = wiring(parameter("spare.weight", gradient="none", moved=False), HEAD, unused=("spare",))
    finding = run_check("gradients-reach-every-layer", wiring=record)
    assert finding.verdict == "pass"
    assert "never called: spare" in finding.message


def test_a_declared_freeze_passes():
    assert run_check("frozen-on-purpose", wiring=wiring(FROZEN, HEAD), declared=["body.*"]).verdict == "pass"


def test_a_first_step_that_could_not_be_taken_is_skipped():
    assert run_check("first-step-descends", wiring=wiring(update_ratio=math.nan)).verdict == "skipped"


def test_the_advice_names_the_frozen_layer():
    assert "body*" in run_check("frozen-on-purpose", wiring=wiring(FROZEN, HEAD)).advice


def test_a_gradient_that_is_but_rounding_moves_nothing():
    still = parameter("body.bias", moved=False)
    assert run_check("optimizer-holds-all", wiring=wiring(still, HEAD)).cause == "parameters-do-not-move"
    rounded = parameter("body.bias", moved=False, gradient="rounding")
    assert run_check("optimizer-holds-all", wiring=wiring(rounded, HEAD)).verdict == "pass"
