"""Duplicates, outliers, drift, columns, preprocessing."""

from __future__ import annotations

import pytest

from recipe.record.data import Across, Ceiling, Duplicates, Groups, Item, SharedGroups, Twins
from recipe.record.drift import AttributeDrift, Drift
from recipe.record.features import ColumnFact, Columns, Layout, Outliers
from recipe.record.preprocessing import Preprocessing
from recipe.testing import run_check

TWINS = (Twins(items=(Item(split="train", name="a", label="cat"), Item(split="val", name="b", label="dog"))),)


def said(id, **evidence):
    found = run_check(id, **evidence)
    return found.verdict, found.cause


def duplicates(kind="image", across=0, conflicting=0, repeated=0.0, n=1000):
    return Duplicates(
        kind=kind,
        items={"train": n, "val": n},
        repeated={"train": repeated, "val": 0.0},
        extra={"train": int(repeated * n / 2), "val": 0},
        across=(Across(split="val", other="train", items=across, share=across / n),),
        conflicting={"train": conflicting, "val": 0},
        across_twins=TWINS if across else (),
        conflict_twins=TWINS if conflicting else (),
    )


def test_no_duplicates_pass():
    assert said("cross-split-duplicates", duplicates=duplicates(repeated=0.2))[0] == "pass"
    assert said("conflicting-labels", duplicates=duplicates())[0] == "pass"


def test_one_picture_in_two_splits_fails_and_is_named():
    found = run_check("cross-split-duplicates", duplicates=duplicates(across=1))
    assert (found.verdict, found.cause) == ("fail", "cross-split-duplicates")
    assert "a (cat) = b (dog)" in found.message


def test_rows_of_a_table_may_repeat_across_splits_as_often_as_within_train():
    assert said("cross-split-duplicates", duplicates=duplicates("table", across=14, repeated=0.0015))[0] == "fail"
    assert said("cross-split-duplicates", duplicates=duplicates("table", across=2, repeated=0.0015))[0] == "pass"
    assert said("cross-split-duplicates", duplicates=duplicates("table", across=300, repeated=0.01))[0] == "fail"


def test_conflicting_labels_of_pictures_warn_and_many_fail():
    assert said("conflicting-labels", duplicates=duplicates(conflicting=4)) == ("warn", "conflicting-labels")
    found = run_check(
        "conflicting-labels", duplicates=duplicates(conflicting=200), ceiling=Ceiling(items=200, accuracy=0.95)
    )
    assert found.verdict == "fail"
    assert "cannot exceed 0.95" in found.message


def test_tables_may_lack_the_column_that_tells_rows_apart():
    assert said("conflicting-labels", duplicates=duplicates("table", conflicting=4))[0] == "pass"
    assert said("conflicting-labels", duplicates=duplicates("table", conflicting=400))[0] == "warn"


def test_groups_on_both_sides_fail():
    apart = Groups(groups={"train": 9, "val": 3})
    assert said("groups-apart", groups=apart)[0] == "pass"
    shared = (SharedGroups(split="val", other="train", groups=2, items=7, examples=("anna",)),)
    assert said("groups-apart", groups=Groups(groups={"train": 9, "val": 3}, shared=shared)) == (
        "fail",
        "groups-straddle",
    )


def test_extreme_outliers_warn_and_a_tail_does_not():
    def outliers(extreme, **more):
        return Outliers(
            fences=(), items={"train": 100}, limit=2.0, far={"train": 5}, extreme={"train": extreme},
            farthest=(Item(split="train", name="row 7", note="distance 30"),), **more,
        )  # fmt: skip

    assert said("outliers", outliers=outliers(0, neighbours=10))[0] == "pass"
    assert said("outliers", outliers=outliers(1, neighbours=10)) == ("warn", "extreme-outliers")
    assert said("outliers", outliers=outliers(0))[0] == "skipped"


def drift(distance, critical=0.03, varies=False):
    one = AttributeDrift(
        attribute="brightness", edges=(0, 1), shares={"train": (1.0,), "val": (1.0,)}, mean={"train": 0.1, "val": 0.9},
        distance={"val": distance}, critical={"val": critical},
    )  # fmt: skip
    return Drift(attributes=(one,), varies=varies)


def test_drift_is_judged_by_size_and_by_what_chance_allows():
    assert said("split-drift", drift=drift(0.05))[0] == "pass"
    assert said("split-drift", drift=drift(0.3)) == ("warn", "distribution-drift")
    assert said("split-drift", drift=drift(0.9)) == ("fail", "distribution-drift")
    assert said("split-drift", drift=drift(0.3, critical=0.44))[0] == "pass"
    assert said("split-drift", drift=Drift(attributes=()))[0] == "skipped"


def test_augmented_training_data_may_differ_some():
    assert said("split-drift", drift=drift(0.3, varies=True))[0] == "pass"
    assert said("split-drift", drift=drift(0.8, varies=True)) == ("warn", "strong-augmentation")


def columns(*facts, named=True):
    return Columns(columns=facts, rows=1000, named=named)


def fact(name="a", kind="number", different=400, **more):
    return ColumnFact(name=name, kind=kind, different=different, **({"empty": {"train": 0.0, "val": 0.0}} | more))


@pytest.mark.parametrize("id", ["columns-vary", "id-columns", "empty-cells"])
def test_sound_columns_pass(id):
    assert said(id, columns=columns(fact(gain=0.4), fact("b", gain=0.3)))[0] == "pass"


def test_constant_columns_warn_in_tables_and_not_in_arrays():
    assert said("columns-vary", columns=columns(fact(different=1))) == ("warn", "constant-columns")
    assert said("columns-vary", columns=columns(fact(different=1), named=False))[0] == "pass"
    assert said("columns-vary", columns=columns(fact(different=1, empty={"train": 0.5})))[0] == "pass"


def test_row_numbers_warn_and_fail_where_they_tell_the_target():
    assert said("id-columns", columns=columns(fact(different=1000, order=1.0, gain=0.1))) == ("warn", "id-column")
    leak = fact(different=1000, order=-1.0, gain=0.98)
    assert said("id-columns", columns=columns(leak)) == ("fail", "row-number-predicts")
    assert said("id-columns", columns=columns(fact(different=1000, order=0.2)))[0] == "pass"


def test_hollow_and_uneven_columns_warn():
    assert said("empty-cells", columns=columns(fact(empty={"train": 0.8, "val": 0.8}))) == ("warn", "mostly-empty")
    assert said("empty-cells", columns=columns(fact(empty={"train": 0.1, "val": 0.3}))) == ("warn", "unevenly-empty")
    assert said("empty-cells", columns=columns(fact(empty={"train": 0.8, "val": 0.8}, left_out="text")))[0] == "pass"


def preprocessing(low, high, mean, std):
    return Preprocessing(
        name="none", proposed="standardize", because="", given=True, low=low, high=high, mean=mean, std=std
    )


@pytest.mark.parametrize("numbers", [(-2.1, 2.6, 0, 1), (0, 1, 0.1, 0.3), (-4, 70, 0, 1)])
def test_inputs_of_the_order_of_one_pass(numbers):
    assert said("preprocessed-inputs", preprocessing=preprocessing(*numbers))[0] == "pass"


def test_inputs_that_stay_large_small_or_broken_do_not():
    large = run_check("preprocessed-inputs", preprocessing=preprocessing(0, 255, 73, 90))
    assert (large.verdict, large.cause, large.advice) == ("warn", "inputs-unscaled", "data.preprocess=standardize")
    assert said("preprocessed-inputs", preprocessing=preprocessing(0, 0.004, 0.001, 0.001)) == ("warn", "inputs-vanish")
    assert said("preprocessed-inputs", preprocessing=preprocessing(0, float("inf"), 1, 1))[0] == "fail"


def layout(vertical, across, vertical_undone, across_undone):
    return Layout(
        shape=(3, 32, 32),
        vertical=vertical,
        across=across,
        vertical_undone=vertical_undone,
        across_undone=across_undone,
    )


def test_pictures_that_are_smoother_read_back_were_reshaped():
    assert said("picture-layout", layout=layout(0.93, 0.92, 0.6, 0.3))[0] == "pass"
    assert said("picture-layout", layout=layout(0.6, 0.3, 0.93, 0.92)) == ("warn", "reshaped-not-transposed")
    assert said("picture-layout", layout=layout(0.05, 0.0, 0.05, 0.01))[0] == "pass"
