from __future__ import annotations

import pytest

from recipe.record.data import Item, Reading, Source, SplitReading
from recipe.testing import run_check

SOUND = {
    "items": 100, "shape": (1, 8, 8), "dtype": "float32", "low": 0.0, "high": 1.0, "mean": 0.3, "std": 0.3,
    "whole": False, "values": None, "contents": 100, "blank": 0, "non_finite": 0,
}  # fmt: skip


def reading(kind="image", items=None, val=None, **train):
    splits = SplitReading(split="train", **SOUND | train), SplitReading(split="val", **SOUND | (val or {}))
    return Reading(kind=kind, splits=splits, **(items or {}))


def verdict(id, record, **more):
    found = run_check(id, reading=record, **more)
    return found.verdict, found.cause


def broken(n, note="half a file"):
    return tuple(Item(split="train", name=f"cat/{k}.png", note=note) for k in range(n))


@pytest.mark.parametrize(
    "id",
    ["items-readable", "items-ordinary", "inputs-finite", "items-differ", "blank-items", "eval-repeats", "input-scale"],
)
def test_sound_items_pass(id):
    assert verdict(id, reading())[0] == "pass"


def test_unreadable_items_fail_beyond_what_is_allowed():
    assert verdict("items-readable", reading(items={"unreadable": broken(2)})) == ("fail", "unreadable-items")
    allowed = reading(items={"unreadable": broken(2), "max_unreadable": 2})
    assert verdict("items-readable", allowed)[0] == "warn"
    assert "cat/0.png (half a file)" in run_check("items-readable", reading=allowed).message


def test_items_read_with_a_caveat_want_a_look():
    assert verdict("items-ordinary", reading(items={"odd": broken(1, "mode CMYK")})) == ("warn", "odd-items")


def test_not_a_number_is_named():
    record = reading(non_finite=1, items={"non_finite": broken(1, "nan at (0, 3)")})
    assert verdict("inputs-finite", record) == ("fail", "non-finite-inputs")
    assert run_check("inputs-finite", reading=record).where == "cat/0.png"


def test_a_data_set_that_ignores_its_index_fails():
    assert verdict("items-differ", reading(contents=1)) == ("fail", "index-ignored")
    assert verdict("items-differ", reading("table", val={"contents": 1})) == ("fail", "index-ignored")
    assert verdict("items-differ", reading(contents=9)) == ("fail", "few-different-items")
    assert verdict("items-differ", reading("table", contents=9)) == ("warn", "few-different-items")


def test_numbers_in_0_to_1_that_were_cast_are_told_from_an_ignored_index():
    cast = {"dtype": "int64", "values": 2, "contents": 2, "blank": 99}
    assert verdict("items-differ", reading("array", **cast)) == ("fail", "cast-to-whole-numbers")
    assert verdict("items-differ", reading("array", **cast | {"dtype": "float32"}))[1] != "cast-to-whole-numbers"
    assert verdict("items-differ", reading("array", **cast | {"blank": 0}))[1] != "cast-to-whole-numbers"
    assert verdict("items-differ", reading("array", **cast | {"values": 200}))[1] != "cast-to-whole-numbers"


def test_an_oversampled_class_does_not():
    assert verdict("items-differ", reading(contents=30))[0] == "pass"


def test_blank_items_warn_and_many_fail():
    assert verdict("blank-items", reading(blank=3)) == ("warn", "blank-items")
    assert verdict("blank-items", reading(blank=20)) == ("fail", "blank-items")


def test_augmented_validation_fails_and_augmented_training_does_not():
    assert verdict("eval-repeats", reading(val={"repeats": False})) == ("fail", "augmented-evaluation")
    assert verdict("eval-repeats", reading(repeats=False))[0] == "pass"


@pytest.mark.parametrize(
    ("numbers", "cause"),
    [
        ({"high": 255.0, "mean": 80.0, "std": 90.0, "whole": True}, "inputs-unscaled"),
        ({"high": 0.004, "mean": 0.001, "std": 0.001}, "scaled-twice"),
        ({"whole": True, "values": 2}, "cast-to-whole-numbers"),
        ({"whole": True, "values": 2, "dtype": "int64"}, "cast-to-whole-numbers"),
    ],
)
def test_slips_in_scaling_are_told_apart(numbers, cause):
    assert verdict("input-scale", reading(**numbers)) == ("warn", cause)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("image", {"dtype": "uint8", "high": 255.0, "mean": 80.0, "std": 90.0, "whole": True}),
        ("image", {"low": -2.1, "high": 2.6, "mean": 0.0, "std": 1.0}),
        ("array", {"shape": (11,), "high": 289.0, "mean": 20.0, "std": 40.0}),
        ("table", {"shape": (11,), "high": 1e6, "mean": 1e4, "std": 1e5}),
    ],
)
def test_bytes_standard_scores_and_units_are_usual(kind, numbers):
    assert verdict("input-scale", reading(kind, **numbers))[0] == "pass"


def test_data_that_differ_between_loads_fail():
    assert run_check("source-repeats", source=Source(target="my.load", first="a", second="a")).verdict == "pass"
    found = run_check("source-repeats", source=Source(target="my.load", first="a", second="b"))
    assert (found.verdict, found.cause, found.where) == ("fail", "data-not-repeatable", "my.load")


def test_pictures_of_a_few_pixels_warn():
    assert verdict("picture-size", reading())[0] == "pass"
    assert verdict("picture-size", reading(shape=(1, 2, 2))) == ("warn", "pictures-too-small")
    assert verdict("picture-size", reading("array", shape=(4,)))[0] == "skipped"
