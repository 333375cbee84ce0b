"""What reaches the net, feature by feature, and the size of what is to be predicted."""

from __future__ import annotations

import math

import pytest

from recipe.record.preprocessing import Prepared, Preprocessing, Side, TargetScale
from recipe.testing import run_check

NORMAL = Side(low=-4.0, high=4.2, mean=0.0, std=1.0, farthest=4.2, middle=1.35)


def feature(name="age", after=NORMAL, before=None, **more):
    before = before or Side(low=17, high=90, mean=38, std=13, farthest=90, middle=20)
    return Prepared(feature=name, option="standardize", before=before, after=after, **more)


def said(check, *features, **more):
    fields = {"name": "standardize", "proposed": "auto", "because": "", "given": True, "kind": "table"} | more
    whole = {"low": -4.0, "high": 4.0, "mean": 0.0, "std": 1.0}
    return run_check(check, preprocessing=Preprocessing(features=features, **whole, **fields))


def side(low, high, mean, std, middle=None):
    return Side(
        low=low,
        high=high,
        mean=mean,
        std=std,
        farthest=max(-low, high),
        middle=1.35 * std if middle is None else middle,
    )


class TestInputs:
    def test_features_of_the_order_of_one_pass(self):
        rare = feature("sex=x", side(0, 1, 0.001, 0.03, 0), side(0, 1, 0.001, 0.03, 0), flags=True)
        tail = feature("gain", side(-0.1, 48, 0, 1, 0.0))
        assert said("preprocessed-inputs", feature(), rare, tail).verdict == "pass"

    def test_the_feature_that_is_far_from_one_is_named(self):
        found = said("preprocessed-inputs", feature(), feature("income", side(0, 9e5, 5e4, 4e4)))
        assert (found.verdict, found.cause, found.where) == ("warn", "inputs-unscaled", "income")
        assert "'income' (0 to 9e+05" in found.message
        assert found.advice == "data.preprocess=auto"

    def test_a_feature_next_to_nothing_is_named_unless_columns_are_pixels(self):
        found = said("preprocessed-inputs", feature("tiny", side(0, 0.01, 0.001, 0.001)))
        assert (found.verdict, found.cause, found.where) == ("warn", "inputs-vanish", "tiny")
        assert said("preprocessed-inputs", feature("p3", side(0, 0.3, 0.001, 0.01)), alike=True).verdict == "pass"

    def test_a_scale_that_one_number_sets_is_told(self):
        found = said("preprocessed-inputs", feature("age", side(-0.03, 140, 0, 1, 0.002)))
        assert (found.verdict, found.cause, found.where) == ("warn", "outliers-rule-the-scale", "age")
        assert said("preprocessed-inputs", feature("age", side(-1, 12, 0, 1, 0.9))).verdict == "pass"

    def test_what_becomes_infinite_fails_and_what_was_is_left_to_another_check(self):
        found = said("preprocessed-inputs", feature("x", side(0, math.inf, 0, 1)))
        assert (found.verdict, found.cause, found.where) == ("fail", "preprocessing-not-finite", "x")
        both = side(0, math.inf, 0, 1)
        assert said("preprocessed-inputs", feature("x", both, both)).verdict == "pass"


class TestConstant:
    def test_a_constant_column_or_channel_is_named(self):
        flat = feature("channel 3", side(0, 0, 0, 0), side(255, 255, 255, 0))
        found = said("constant-features", feature(), flat, kind="image")
        assert (found.verdict, found.cause, found.where) == ("warn", "constant-features", "channel 3")

    def test_a_column_that_preprocessing_cuts_to_one_value_is_named(self):
        found = said("constant-features", feature("age", side(0, 0, 0, 0)), name="threshold")
        assert (found.verdict, found.cause, found.where) == ("warn", "preprocessing-erases", "age")

    def test_rare_texts_and_borders_of_pictures_are_silent(self):
        flat = side(0, 0, 0, 0)
        assert said("constant-features", feature(), feature("job other", flat, flat, flags=True)).verdict == "pass"
        assert said("constant-features", feature(), feature("p0", flat, flat), alike=True).verdict == "pass"


def target(mean, std, **more):
    fields = {"prior_bias": False, "given": False, "saved": 1 - std**2 / (mean**2 + std**2)} | more
    record = TargetScale(means=(mean,), stds=(std,), steps=(2.0**-23 * abs(mean),), **fields)
    return run_check("target-scale", target_scale=record)


@pytest.mark.parametrize(("mean", "std"), [(0, 1), (5.9, 2.2), (0.2, 0.1), (-1, 30)])
def test_targets_within_reach_pass(mean, std):
    assert "unscaled" not in target(mean, std).message
    assert target(mean, std, given=True).verdict == "pass"


@pytest.mark.parametrize(("mean", "std"), [(3000, 300), (2e5, 1e5), (150, 1)])
def test_unscaled_targets_are_named_with_what_will_be_done(mean, std):
    """P15: it is a fault where nothing is done about it."""
    found = target(mean, std)
    assert (found.verdict, "unscaled" in found.message, "init.prior_bias" in found.message) == ("pass", True, True)
    assert target(mean, std, prior_bias=True, given=True).verdict == "pass"
    refused = target(mean, std, given=True)
    assert (refused.verdict, refused.cause, refused.advice) == ("warn", "target-unscaled", "init.prior_bias=true")


def test_large_targets_around_nought_are_what_baseline_would_not_see():
    found = target(10, 5000)
    assert (found.verdict, found.cause) == ("warn", "target-unscaled")
    assert "near nought" in found.message


def test_targets_whose_digits_are_lost_are_told():
    found = target(1.7e9, 500)
    assert (found.verdict, found.cause) == ("warn", "target-lost-in-rounding")
