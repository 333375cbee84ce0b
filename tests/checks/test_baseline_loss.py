from __future__ import annotations

import math

from recipe.record.skeleton import LossProof
from recipe.testing import run_check

MARGINS = (-100.0, -10.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 10.0, 100.0)
VALUES = (102.0, 12.0, 6.0, 4.0, 3.0, 2.3, 1.5, 0.8, 0.15, 4e-4, 0.0)


def loss(**given):
    sound = {
        "name": "CrossEntropyLoss",
        "family": "cross-entropy",
        "form": "scores",
        "items": 64,
        "floor": 0.0,
        "margins": MARGINS,
        "values": VALUES,
        "by_class": {"0": (4.0, 0.8), "1": (4.0, 0.8)},
        "doubled": 1.0,
        "mixed": 1.8,
        "singles": 1.8,
        "pairs": 2.4,
        "weighted": False,
        "zero_gradient": 0.0,
        "differentiable": True,
    }
    return LossProof(**(sound | given))


def test_a_sound_loss_passes_all():
    for check in (
        "loss-falls-with-quality",
        "loss-is-a-mean",
        "loss-is-finite",
        "loss-teaches-every-item",
        "loss-has-a-floor",
    ):
        assert run_check(check, loss=loss()).verdict == "pass"


def test_the_wrong_sign_is_named():
    finding = run_check("loss-falls-with-quality", loss=loss(values=tuple(-v for v in VALUES)))
    assert (finding.verdict, finding.cause) == ("fail", "loss-wrong-sign")


def test_label_smoothing_may_turn_up_again_for_sure_outputs():
    smoothed = (*VALUES[:8], 0.6, 1.2, 9.0)
    assert run_check("loss-falls-with-quality", loss=loss(values=smoothed)).verdict == "pass"
    assert run_check("loss-has-a-floor", loss=loss(values=smoothed, floor=0.5)).verdict == "pass"


def test_broadcasting_is_told_from_a_mean():
    finding = run_check("loss-falls-with-quality", loss=loss(mixed=2.4))
    assert (finding.verdict, finding.cause) == ("fail", "loss-broadcasts")
    assert run_check("loss-falls-with-quality", loss=loss(mixed=2.4, weighted=True)).verdict == "pass"


def test_a_class_that_the_loss_does_not_see():
    assert run_check("loss-falls-with-quality", loss=loss(ignored=("3",))).cause == "class-ignored"
    blind = run_check("loss-falls-with-quality", loss=loss(by_class={"0": (4.0, 0.8), "1": (2.0, 2.0)}))
    assert (blind.verdict, blind.cause) == ("fail", "loss-blind-to-class")


def test_a_sum_doubles():
    finding = run_check("loss-is-a-mean", loss=loss(doubled=2.0))
    assert (finding.verdict, finding.cause, finding.advice) == ("fail", "loss-is-a-sum", "loss.reduction=mean")
    assert run_check("loss-is-a-mean", loss=loss(doubled=1.3)).cause == "loss-depends-on-batch"
    assert run_check("loss-is-a-mean", loss=loss(doubled=math.nan)).verdict == "skipped"


def test_an_overflow_names_the_margin():
    finding = run_check("loss-is-finite", loss=loss(values=(math.nan, *VALUES[1:])))
    assert (finding.verdict, finding.cause) == ("fail", "loss-overflows")
    assert "margin of 100" in finding.message


def test_items_without_gradient():
    assert run_check("loss-teaches-every-item", loss=loss(zero_gradient=0.4)).cause == "loss-clipped"
    detached = loss(differentiable=False, zero_gradient=math.nan)
    assert run_check("loss-teaches-every-item", loss=detached).cause == "loss-not-differentiable"


def test_a_loss_without_end():
    endless = loss(values=(*VALUES[:9], -10.0, -100.0), family="nll")
    finding = run_check("loss-has-a-floor", loss=endless)
    assert (finding.verdict, finding.cause) == ("fail", "nll-of-raw-scores")
