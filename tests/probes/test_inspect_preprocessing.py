"""Each feature before and after, every option tried, and targets as they are; on small data."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.cells import Cells
from recipe.data.digits import digits
from recipe.probes.inspect_preprocessing import measure_preprocessing
from recipe.probes.inspect_target_scale import measure_target_scale
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check

N = 1200


def made(mapping, *words):
    settings = compose(["data=digits", *words]).plain["data"]
    return assemble(mapping, settings, 0, "auto"), settings


def measured(mapping, *words, given=False):
    data, settings = made(mapping, *words)
    return measure_preprocessing(data, settings, given=given)


def people(seed=0):
    """A table: age, income (a tail), slip (one number far out), job (three texts)."""
    g = np.random.default_rng(seed)
    numbers = np.stack([g.normal(40, 9, N), g.lognormal(10, 1, N), np.r_[9e5, g.normal(5, 1, N - 1)]], axis=1)
    # The slip is to be in train, whichever rows are split off.
    numbers[:40, 2] = 9e5
    codes = g.integers(0, 3, (N, 1)).astype(np.int32)
    cells = Cells(numbers, codes, ("age", "income", "slip"), ("job",), (("baker", "cook", "smith"),))
    return {"train": (cells, (numbers[:, 0] > 40).astype(np.int64))}


def test_each_column_is_told_before_and_after_with_its_reason():
    found = measured(people())
    assert found.setting == {
        "default": "standardize", "columns": {"income": "log_standardize", "slip": "clip_standardize"},
    }  # fmt: skip
    by_name = {one.feature: one for one in found.features}
    assert by_name["income"].why.startswith("heavy tail: skewness")
    assert by_name["income"].before.skew > 2.5 > 1 > abs(by_name["income"].after.skew)
    assert by_name["slip"].option == "clip_standardize"
    assert by_name["job=cook"].flags
    assert by_name["job=cook"].before.edges == ()
    for name in ("age", "income", "slip"):
        assert sum(by_name[name].after.counts) == sum(by_name[name].before.counts) == found.items
    assert run_check("preprocessed-inputs", preprocessing=found).verdict == "pass"
    assert run_check("constant-features", preprocessing=found).verdict == "pass"


def test_every_option_is_tried_and_the_chosen_one_reaches_least_far():
    tried = {one.name: one for one in measured(people()).tried}
    assert next(iter(tried)) == "by_column"
    assert set(tried) == {
        "by_column", "none", "unit", "scale", "min_max", "standardize", "log_standardize", "clip_standardize",
        "decimal", "threshold",
    }  # fmt: skip
    assert tried["by_column"].farthest < 6 < tried["standardize"].farthest
    assert (tried["none"].farthest, tried["none"].at) == (pytest.approx(9e5), "slip")
    assert tried["unit"].narrowest < 1e-4 < tried["min_max"].narrowest
    assert (tried["scale"].low, tried["scale"].high) == pytest.approx((-1, 1))


def test_a_column_that_is_left_as_it_is_is_named():
    found = run_check("preprocessed-inputs", preprocessing=measured(people(), "data.preprocess=none", given=True))
    assert (found.cause, found.where, found.advice) == ("inputs-unscaled", "slip", "data.preprocess=auto")
    ruled = run_check(
        "preprocessed-inputs",
        preprocessing=measured(
            people(), "data.preprocess={default: standardize, columns: {income: min_max}}", given=True
        ),
    )
    assert ruled.verdict == "pass"


def test_one_slip_that_rules_a_z_score_is_told():
    g = np.random.default_rng(0)
    x = g.normal(40, 9, (N, 3)).astype(np.float32)
    x[:4, 1] = 1e6
    y = (x[:, 0] > 40).astype(np.int64)
    splits = {"train": (x, y), "val": (x[4:104], y[4:104])}
    found = run_check(
        "preprocessed-inputs", preprocessing=measured(splits, "data.preprocess=standardize", "data.test_fraction=0")
    )
    assert (found.verdict, found.cause, found.where) == ("warn", "outliers-rule-the-scale", "column 1")
    assert run_check("preprocessed-inputs", preprocessing=measured(splits, "data.test_fraction=0")).verdict == "pass"


def test_a_threshold_that_erases_columns_is_told():
    found = measured(people(), "data.preprocess=threshold", given=True)
    told = run_check("constant-features", preprocessing=found)
    assert (told.verdict, told.cause) == ("warn", "preprocessing-erases")


def test_pictures_are_told_by_channel():
    found = measured(digits())
    assert (found.name, [one.feature for one in found.features]) == ("per_channel", ["all values"])
    assert len(found.features[0].before.edges) == 41
    x = np.random.default_rng(0).integers(0, 256, (200, 3, 8, 8)).astype(np.uint8)
    x[:, 2] = 255
    found = measured({"train": (x, np.arange(200) % 2)})
    assert [one.feature for one in found.features] == ["channel 0", "channel 1", "channel 2"]
    told = run_check("constant-features", preprocessing=found)
    assert (told.cause, told.where) == ("constant-features", "channel 2")
    assert {"unit", "scale", "standardize", "per_channel", "threshold"} <= {one.name for one in found.tried}


def test_no_more_than_24_features_are_pictured_those_with_a_way_of_their_own_first():
    g = np.random.default_rng(0)
    x = g.normal(5, 2, (600, 40))
    x[:, 37] = g.lognormal(3, 1.5, 600)
    found = measured({"train": (x.astype(np.float32), (x[:, 0] > 5).astype(np.int64))})
    shown = [one.feature for one in found.features if one.before.edges]
    assert len(shown) == 24
    assert "column 37" in shown
    assert len(found.features) == 40


def targets(y, *words):
    data, _ = made({"train": (np.random.default_rng(0).normal(size=(len(y), 3)).astype(np.float32), y)}, *words)
    return measure_target_scale(data, prior_bias=False, given=False)


def test_the_size_of_targets_is_that_of_train():
    y = np.random.default_rng(1).normal(3000, 300, N).astype(np.float32)
    found = targets(y)
    assert (found.means[0], found.stds[0]) == pytest.approx((3000, 300), rel=0.05)
    assert found.saved == pytest.approx(0.99, abs=0.02)
    assert run_check("target-scale", target_scale=found).verdict == "pass"
    assert targets((y - 3000) / 300).saved < 0.05


def test_classes_have_no_size():
    with pytest.raises(CannotMeasure, match="classes"):
        targets(np.arange(300) % 3)
