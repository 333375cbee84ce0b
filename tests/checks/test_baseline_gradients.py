from __future__ import annotations

import pytest

from recipe.record.equivalence import Equivalence, Pair, Pairs, Way
from recipe.record.gradient_check import GradientCheck, GradientOf
from recipe.record.speed_ups import SpeedUp, SpeedUps
from recipe.testing import run_check


def gradient(name, error=1e-10):
    return GradientOf(name=name, error=error, backward=1.0 - error, difference=1.0, tried=4)


def checked(error=1e-10, loss=1e-12, **given):
    parameters = (gradient("body.weight", error), gradient("head.weight"))
    return GradientCheck(
        items=4, burn_in=10, mode="train", loss=gradient("the loss", loss), parameters=parameters, **given
    )


@pytest.mark.parametrize(
    ("record", "verdict", "cause", "where"),
    [
        (checked(0.5, modules=(gradient("body.square", 0.5),)), "fail", "gradient-wrong", "body.square"),
        (checked(0.5, modules=(gradient("forward", 0.5),)), "fail", "gradient-wrong", "model"),
        (checked(0.5), "fail", "gradient-wrong", "body.weight"),
        (checked(1e-3), "warn", "gradient-wrong", "body.weight"),
        (checked(0.5, right_in_evaluation=True), "warn", "gradient-wrong-in-training", "body.weight"),
        (checked(0.5, loss=0.7), "fail", "loss-gradient-wrong", "loss"),
        (checked(6e-8), "pass", "", ""),
    ],
)
def test_a_wrong_gradient_is_named(record, verdict, cause, where):
    finding = run_check("gradient-is-right", gradient_check=record)
    assert (finding.verdict, finding.cause, finding.where) == (verdict, cause, where)


def way(name="one by one", difference=1e-6, kind="exact", **given):
    return Way(name=name, kind=kind, difference=difference, largest=difference, agree=1.0, **given)


def ways(*others):
    return Equivalence(items=16, ways=(way("again", 0.0), *others))


@pytest.mark.parametrize(
    ("check", "one", "verdict", "cause"),
    [
        ("batches-equal-singles", way(), "pass", ""),
        ("batches-equal-singles", way(difference=0.3), "fail", "batch-dependence"),
        ("batches-equal-singles", way(error="ValueError: (10,)"), "fail", "breaks-on-small-batches"),
        ("speed-ups-agree", way("bf16", 0.05, "reduced", gradient=0.999), "pass", ""),
        ("speed-ups-agree", way("bf16", 0.3, "reduced", gradient=0.99), "fail", "speed-up-changes-numbers"),
        ("speed-ups-agree", way("fp16", 0.01, "reduced", gradient=0.5), "fail", "speed-up-changes-numbers"),
        ("speed-ups-agree", way("fp16", 0.01, "reduced", finite=False), "fail", "overflow"),
        ("speed-ups-agree", way("channels last", 0.05), "fail", "speed-up-changes-numbers"),
        ("speed-ups-agree", way("compiled", error="no compiler"), "warn", "speed-up-fails"),
        ("speed-ups-agree", way(), "skipped", ""),
    ],
)
def test_other_ways_to_the_outputs(check, one, verdict, cause):
    finding = run_check(check, equivalence=ways(one))
    assert (finding.verdict, finding.cause) == (verdict, cause)
    assert verdict in ("pass", "skipped") or finding.advice


@pytest.mark.parametrize(("seconds", "verdict"), [((0.05, 0.1), "pass"), ((0.12, 0.1), "pass"), ((0.9, 0.1), "warn")])
def test_a_switch_that_makes_a_step_slower_is_named(seconds, verdict):
    one = SpeedUp(setting="train.precision=bf16", plain="train.precision=float32", step=seconds[0], without=seconds[1])
    finding = run_check("speed-ups-pay", speed_ups=SpeedUps(device="cpu", switches=(one,)))
    assert finding.verdict == verdict
    if verdict == "warn":
        assert (finding.cause, finding.where, finding.advice) == (
            "speed-up-slows", "train.precision", "train.precision=float32",
        )  # fmt: skip
        assert finding.measured["train.precision=bf16"] == pytest.approx(9)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"difference": 1e-7}, ""),
        ({"difference": 0.1}, "fast-differs-from-slow"),
        ({"difference": float("inf"), "error": "a batch of 1: IndexError"}, "fast-differs-from-slow"),
        ({"difference": 1e-7, "gradient": 0.3}, "fast-has-another-gradient"),
    ],
)
def test_a_fast_function_beside_its_slow_twin(given, cause):
    pair = Pair(fast="mine.fast", slow="mine.slow", on="inputs", sizes=(1, 3), size=1, **given)
    finding = run_check("fast-equals-slow", pairs=Pairs(pairs=(pair,)))
    assert (finding.verdict, finding.cause) == ("fail" if cause else "pass", cause)
