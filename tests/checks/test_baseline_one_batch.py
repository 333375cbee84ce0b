from __future__ import annotations

import math

import msgspec
import pytest

from recipe.record.baseline import Attempt, OneBatch
from recipe.testing import run_check


def attempt(final, correct=8, name="your optimizer", losses=None, **given):
    path = losses or tuple(2.3 + (final - 2.3) * min(1.0, k / 100) for k in range(300))
    sound = {"start": 2.3, "eval_loss": final, "eval_correct": correct, "stopped": "finished"}
    return Attempt(name=name, losses=path, final=final, correct=correct, **(sound | given))


def one_batch(*attempts, floor=0.0):
    return OneBatch(
        items=8,
        classes=8,
        floor=floor,
        blind=2.08,
        tolerance=0.02,
        clip_norm=None,
        attempts=attempts,
        targets=("a",) * 8,
        predictions=("a",) * 8,
        indices=tuple(range(8)),
        constants={"uniform-guess": math.log(10), "prior-only": math.log(8), "softmax-twice": 1.461},
        headline="accuracy",
    )


ADAM = attempt(0.01, name="Adam at 0.001")
STEADY = tuple(2.3 - 0.7 * k / 300 for k in range(300))


def test_a_batch_that_is_learnt_passes():
    assert run_check("overfit-one-batch", one_batch=one_batch(attempt(0.03))).verdict == "pass"
    assert run_check("overfit-one-batch", one_batch=one_batch(attempt(0.51), floor=0.5)).verdict == "pass"


@pytest.mark.parametrize(("final", "verdict"), [(0.15, "pass"), (0.4, "fail")])
def test_of_many_targets_an_item_the_last_may_still_be_wrong(final, verdict):
    record = msgspec.structs.replace(one_batch(attempt(final, 0)), each=48)
    assert run_check("overfit-one-batch", one_batch=record).verdict == verdict
    assert run_check("overfit-one-batch", one_batch=one_batch(attempt(final, 0))).verdict == "fail"


def test_slow_but_steady_passes():
    assert run_check("overfit-one-batch", one_batch=one_batch(attempt(0.15))).verdict == "pass"
    slow = attempt(1.6, losses=STEADY)
    assert run_check("overfit-one-batch", one_batch=one_batch(slow, ADAM)).verdict == "pass"


@pytest.mark.parametrize(
    ("record", "verdict", "cause"),
    [
        (one_batch(attempt(1.48), attempt(1.465)), "fail", "softmax-before-cross-entropy"),
        (one_batch(attempt(2.302, 1)), "fail", "stuck-at-uniform"),
        (one_batch(attempt(2.08, 1)), "fail", "stuck-at-prior"),
        (one_batch(attempt(0.7, 6)), "fail", "cannot-memorise"),
        (one_batch(attempt(2.29, 1), ADAM), "warn", "rate-too-low"),
        (one_batch(attempt(1.0, 6), attempt(0.01, name="ten times the rate")), "warn", "rate-too-low"),
        (one_batch(attempt(2.29, 1), attempt(0.01, name="no clipping")), "warn", "clipping-too-tight"),
        (one_batch(attempt(1.3, 3, losses=(2.3, 40.0, 1.3)), ADAM), "warn", "rate-too-high"),
        (one_batch(attempt(1.0, 6), ADAM), "warn", "optimizer-settings"),
        (one_batch(attempt(-900.0, 2)), "fail", "loss-below-its-floor"),
        (one_batch(attempt(math.nan, 0, stopped="diverged: loss nan at step 3")), "fail", "diverges"),
    ],
)
def test_a_batch_that_is_not_learnt(record, verdict, cause):
    finding = run_check("overfit-one-batch", one_batch=record)
    assert (finding.verdict, finding.cause) == (verdict, cause)


def test_without_a_floor_nothing_is_judged():
    assert run_check("overfit-one-batch", one_batch=one_batch(attempt(0.0), floor=None)).verdict == "skipped"


def test_what_is_known_in_train_mode_is_known_in_evaluation():
    assert run_check("train-eval-agree", one_batch=one_batch(attempt(0.01, eval_loss=0.2))).verdict == "pass"
    finding = run_check("train-eval-agree", one_batch=one_batch(attempt(0.01, eval_loss=1.8, eval_correct=4)))
    assert (finding.verdict, finding.cause) == ("fail", "train-eval-gap")
    assert run_check("train-eval-agree", one_batch=one_batch(attempt(2.0, 2))).verdict == "skipped"
