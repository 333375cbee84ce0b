from __future__ import annotations

import math

import msgspec
import pytest

from recipe.intervals import wilson
from recipe.record.baseline import Attempt, OneBatch
from recipe.record.data import Item
from recipe.record.interval import Interval
from recipe.record.learning import Dynamics, Half, InVal, Part, SimpleToComplex
from recipe.record.overfit import LearningRateEdge, RateRun
from recipe.testing import run_check


def dynamics(steps=200, **given):
    late = {k: given.pop(k) for k in ("flips", "drift", "jitter") if k in given}
    half = {"flips": 0.02, "drift": 0.01, "jitter": 0.01, "loss": 0.5}
    usual = {
        "kind": "probability", "steps": (0, steps // 2, steps), "items": (Item(split="val", name="a"),),
        "truth": ((0.1, 0.5, 0.8),), "right": (0.1, 0.7, 0.9), "losses": (2.3, 1.0, 0.4), "first": Half(**half),
        "last": Half(**half | late), "learnt": 1.0, "forgotten": 0.2, "moved": 0.7, "path": 1.0, "progress": 0.6,
        "late_gain": 0.3, "rate": 3e-4,
    }  # fmt: skip
    return Dynamics(**usual | given)


def edge(rate, low=0.1, high=0.2):
    runs = tuple(RateRun(rate=r, seed=0, ratio=0.5, diverged=r > low) for r in (low, high))
    mean = math.sqrt(low * high)
    return LearningRateEdge(
        edge=Interval(mean, low, high, 2), rate=rate, start=low / 10, steps=40, optimizer="Adam", runs=runs
    )


# Numbers of the sweep: a net on digits, grey CIFAR-10 or houses at so many times the edge of its rate.
@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"jitter": 0.167, "moved": 0.77, "path": 8.1, "progress": 0.73, "late_gain": -2.1}, "rate-too-high"),
        ({"jitter": 0.23, "moved": 0.7, "path": 11.5, "progress": 0.7, "late_gain": 0.002}, "rate-too-high"),
        ({"jitter": 0.03, "moved": 0.08, "path": 2.2, "progress": 0.06, "late_gain": 0.01}, "rate-too-high"),
        ({"jitter": 0.0, "moved": 0.003, "path": 0.003, "progress": 0.007, "late_gain": 0.005}, "rate-too-low"),
        (
            {"jitter": 0.0, "moved": 0.007, "path": 0.065, "progress": 0.003, "late_gain": 0.0},
            "predictions-stand-still",
        ),
        ({"jitter": 0.17, "moved": 0.29, "path": 6.2, "progress": 0.82, "late_gain": 0.58}, ""),  # SGD 0.05, CIFAR-10
        ({"jitter": 0.19, "moved": 0.62, "path": 6.2, "progress": 0.73, "late_gain": 0.52}, ""),  # a small transformer
        ({"jitter": 0.12, "moved": 0.77, "path": 9.1, "progress": 0.91, "late_gain": 0.003}, ""),  # learnt long ago
        ({"jitter": 0.001, "moved": 0.07, "path": 0.08, "progress": 0.15, "late_gain": 0.09}, ""),  # Adam 3e-4, GRU
    ],
)
def test_dynamics_hint_at_the_rate(given, cause):
    finding = run_check("predictions-settle", dynamics=dynamics(**given))
    assert (finding.verdict, finding.cause) == ("warn" if cause else "pass", cause)


def test_a_rate_that_is_near_its_edge_is_not_called_too_low():
    creeping = dynamics(moved=0.003, path=0.003, progress=0.007)
    assert run_check("predictions-settle", dynamics=creeping, edge=edge(1e-6)).cause == "rate-too-low"
    assert run_check("predictions-settle", dynamics=creeping, edge=edge(0.05)).cause == "predictions-stand-still"


def test_a_few_steps_say_nothing_about_how_predictions_settle():
    assert run_check("predictions-settle", dynamics=dynamics(steps=40, progress=0.0)).verdict == "skipped"


def in_val(items, right, taken_for, share):
    return InVal(items=items, right=wilson(right * items, items), taken_for=taken_for, share=share)


def part(name, learnt=0.8, at_last=0.8, step=0, **given):
    usual = {"items": 70, "chance": 2.3, "right": 0.9, "val": in_val(30, 0.9, name, 0.9)}
    return Part(name=name, step=step, learnt=learnt, at_last=at_last, **usual | given)


def parts(*found, unit="class"):
    return SimpleToComplex(unit=unit, steps=100, sizes=(2, len(found)), losses=(2.3, 1.0), parts=found)


def test_a_part_that_is_not_learnt_is_named():
    finding = run_check("simple-to-complex", simple_to_complex=parts(*map(part, "abcd"), part("e", 0.25, 0.11, step=1)))
    assert (finding.verdict, finding.cause, finding.where) == ("warn", "part-not-learnt", "class e")
    assert "added after 2 parts" in finding.message


def test_a_class_that_means_something_else_in_validation_is_named_with_what_it_is_taken_for():
    val = in_val(30, 0.03, taken_for="d", share=0.8)
    finding = run_check("simple-to-complex", simple_to_complex=parts(*map(part, "abcd"), part("e", val=val)))
    assert (finding.cause, finding.where) == ("part-differs-in-validation", "class e")
    assert "80% are taken for d" in finding.message


def test_a_class_that_is_only_memorised_is_not_learnt():
    val = in_val(30, 0.1, taken_for="b", share=0.2)
    finding = run_check("simple-to-complex", simple_to_complex=parts(*map(part, "abcd"), part("e", val=val)))
    assert (finding.cause, finding.where) == ("part-not-learnt", "class e")


@pytest.mark.parametrize(
    "found",
    [
        parts(*map(part, "abcd")),
        parts(*map(part, "abcd"), part("few", val=in_val(12, 0.5, taken_for="a", share=0.5))),
        parts(*map(part, "abcd"), part("shirt", 0.45, 0.33)),  # Fashion-MNIST
        parts(*(part(name, 0.1, 0.2) for name in "abcd"), part("cat", -0.1, -0.1)),  # nothing is learnt yet
        parts(*map(part, "abcd"), part("rare", 0.0, 0.0, items=6)),
        parts(part("0 to 0.4", 0.45, -0.9), part("to 0.7", 0.7, 0.8), part("to 3.6", 0.96, 0.96), unit="band"),
    ],
)
def test_slow_hard_and_rare_parts_are_left_alone(found):
    assert run_check("simple-to-complex", simple_to_complex=found).verdict == "pass"


def test_a_band_that_is_not_learnt_at_its_step_is_named():
    bands = (part("near", 0.3, -0.3), part("middle", 0.8, 0.2), part("far", 0.01, 0.01, step=1))
    assert run_check("simple-to-complex", simple_to_complex=parts(*bands, unit="band")).where == "far"


def one_batch(stopped):
    attempt = Attempt(
        name="yours", start=2.3, losses=(2.3,), final=2.2, correct=1, stopped=stopped, eval_loss=2.2, eval_correct=1
    )
    return OneBatch(items=8, classes=8, floor=0.0, blind=2.1, tolerance=0.02, clip_norm=None, attempts=(attempt,),
                    targets=(), predictions=(), indices=(), constants={}, headline="accuracy")  # fmt: skip


@pytest.mark.parametrize(
    ("record", "verdict", "cause"),
    [
        (edge(0.3), "fail", "rate-too-high"),
        (edge(0.07), "warn", "rate-too-high"),
        (edge(1e-6), "warn", "rate-too-low"),
        (edge(0.01), "pass", ""),
        (edge(1.0, low=0.0, high=1e-9), "fail", "uphill"),
        (edge(0.01, low=0.1, high=math.inf), "pass", ""),
    ],
)
def test_the_rate_is_judged_by_its_edge(record, verdict, cause):
    finding = run_check("rate-below-edge", edge=record, one_batch=one_batch("finished"))
    assert (finding.verdict, finding.cause) == (verdict, cause)


def test_adams_usual_rate_is_left_alone_where_a_batch_is_learnt_with_it():
    far = msgspec.structs.replace(edge(3e-4), edge=Interval(1.7, 1.2, 2.5, 2))
    assert run_check("rate-below-edge", edge=far, one_batch=one_batch("learnt")).verdict == "pass"
    assert run_check("rate-below-edge", edge=far).verdict == "pass"
