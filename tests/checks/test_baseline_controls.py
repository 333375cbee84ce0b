from __future__ import annotations

import math

import msgspec
import pytest

from recipe.record.baseline import Arm, DumbBaselines, InputControls, Rival
from recipe.record.history import History
from recipe.record.interval import Interval
from recipe.record.skeleton import Dependencies
from recipe.testing import run_check

USED = Dependencies(
    items=1, gradient=((1.0,),), forward=((1.0,),), influence=(), silent_share=0.0, silent_leaves=(), norms=()
)


def arm(name, val, train=2.0):
    return Arm(
        name=name, curve=(2.3, train), first=(2.3, 2.3), train_loss=(train, train), val_loss=val, headline=(0.5, 0.5)
    )


def controls(real, blank=(2.30, 2.31), shuffled=(2.31, 2.32), train=2.0):
    gap = Interval(0.0, 0.0, 0.0, 2)
    return InputControls(
        metric="accuracy",
        higher_is_better=True,
        seeds=(0, 1),
        steps=60,
        items=1000,
        arms=(arm("real inputs", real, train), arm("blank inputs", blank, 2.29), arm("shuffled pairs", shuffled)),
        gain_over_blank=gap,
        gain_over_shuffled=gap,
        prior=2.3,
    )


def test_real_inputs_that_win_pass():
    assert run_check("real-inputs-win", controls=controls((1.1, 1.2))).verdict == "pass"


@pytest.mark.parametrize(
    ("record", "given", "verdict", "cause"),
    [
        (controls((2.30, 2.31)), {}, "fail", "inputs-ignored"),
        (controls((2.302, 2.312), train=2.29), {}, "warn", "not-learning"),
        (controls((2.33, 2.34)), {"dependencies": USED}, "fail", "inputs-unrelated-to-targets"),
        (controls((2.33, 2.34)), {}, "fail", "inputs-ignored"),
        (controls((2.287, 2.295), train=2.2), {"dependencies": USED}, "warn", "not-learnt-yet"),
        (controls((2.287, 2.295), train=1.9), {"dependencies": USED}, "fail", "inputs-unrelated-to-targets"),
        (controls((2.287, 2.315), train=2.2), {"dependencies": USED}, "fail", "inputs-unrelated-to-targets"),
        (controls((9.0, 7.0)), {}, "fail", "diverges"),
        (controls((math.nan, 2.0)), {}, "fail", "diverges"),
    ],
)
def test_real_inputs_that_do_not_win(record, given, verdict, cause):
    finding = run_check("real-inputs-win", controls=record, **given)
    assert (finding.verdict, finding.cause) == (verdict, cause)


def near(mean, half=0.02):
    return Interval(mean, mean - half, mean + half, 270)


def baselines(net=0.9, knn=0.92, lead=0.0, lead_over_blind=0.8, **given):
    return DumbBaselines(
        metric="accuracy",
        higher_is_better=True,
        train_items=1000,
        val_items=270,
        rivals=(
            Rival(name="majority class", score=near(0.1), learns=False, seconds=0.0),
            Rival(name="nearest neighbours (5)", score=near(knn), learns=True, seconds=0.1),
        ),
        net=near(net),
        lead=near(lead),
        lead_over_blind=near(lead_over_blind),
        best="nearest neighbours (5)" if knn > 0.12 else "majority class",
        best_blind="majority class",
        **({
            "by_class": {str(k): 0.9 for k in range(10)},
            "seen_by_class": {str(k): 1.0 for k in range(10)},
            "shares": {str(k): 0.1 for k in range(10)},
            "history": History(losses=(2.3, 1.0)),
            "train_headline": 0.99,
            "still_falling": 0.0,
        } | given),
    )  # fmt: skip


def test_a_net_that_beats_guessing_passes():
    assert run_check("beats-guessing", baselines=baselines()).verdict == "pass"


def test_a_net_at_chance_where_others_learn():
    record = baselines(net=0.1, lead_over_blind=0.0)
    assert run_check("beats-guessing", baselines=record).cause == "no-better-than-guessing"
    falling = msgspec.structs.replace(record, still_falling=0.2)
    finding = run_check("beats-guessing", baselines=falling)
    assert (finding.verdict, finding.cause) == ("warn", "not-learnt-yet")


def test_nobody_learns_when_inputs_and_targets_do_not_belong_together():
    finding = run_check("beats-guessing", baselines=baselines(net=0.1, knn=0.11, lead_over_blind=0.0))
    assert (finding.verdict, finding.cause) == ("fail", "inputs-unrelated-to-targets")


def test_a_net_behind_simple_models():
    assert run_check("beats-simple-models", baselines=baselines(lead=-0.03)).verdict == "pass"
    finding = run_check("beats-simple-models", baselines=baselines(net=0.6, lead=-0.32))
    assert (finding.verdict, finding.cause) == ("warn", "worse-than-simple-model")
    unfitted = baselines(net=0.6, lead=-0.32, train_headline=0.62)
    assert run_check("beats-simple-models", baselines=unfitted).verdict == "pass"
    assert run_check("beats-simple-models", baselines=baselines(knn=0.11)).verdict == "skipped"


def test_a_class_that_is_lost():
    assert run_check("every-class-is-learnt", baselines=baselines()).verdict == "pass"
    lost = {str(k): 0.0 if k in (3, 8) else 0.9 for k in range(10)}
    finding = run_check("every-class-is-learnt", baselines=baselines(by_class=lost))
    assert (finding.verdict, finding.cause, finding.where) == ("warn", "class-not-learnt", "class 3")
    rare = {str(k): 0.01 if k in (3, 8) else 0.12 for k in range(10)}
    assert run_check("every-class-is-learnt", baselines=baselines(by_class=lost, shares=rare)).verdict == "pass"
    assert run_check("every-class-is-learnt", baselines=baselines(by_class=lost, seen_by_class=lost)).verdict == "pass"
    absent = {str(k): 0.12 for k in range(10) if k not in (3, 8)}
    record = baselines(by_class=lost, seen_by_class=absent, shares=absent)
    assert run_check("every-class-is-learnt", baselines=record).cause == "class-not-learnt"
    assert run_check("every-class-is-learnt", baselines=baselines(by_class={})).verdict == "skipped"
