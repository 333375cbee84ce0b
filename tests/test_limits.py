from __future__ import annotations

import math
from typing import Any

import pytest

from recipe.limits import RULES, check_values, number, seconds, whole
from recipe.record.refusal import Refusal


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "1", None, [1]])
def test_numbers_are_finite_and_no_words(value: Any) -> None:
    assert not number().holds(value)


def test_ends_of_ranges() -> None:
    assert number(0, 1).holds(0)
    assert not number(0, 1).holds(1)
    assert not number(0, above=True).holds(0)
    assert whole(1).holds(1)
    assert not whole(1).holds(1.0)
    assert not whole(0).holds(False)


def test_ranges_are_told_in_words() -> None:
    assert number(0, above=True).told == "a number above 0"
    assert number(0, 1).told == "a number of at least 0 and below 1"
    assert number(high=3, below=False).told == "a number up to 3"
    assert RULES["task"].told.startswith("one of auto, classification")


def test_the_kind_of_a_key_without_a_rule_is_that_of_its_shipped_value() -> None:
    shipped = {"stage": {"seeds": 3, "share": 0.5, "quick": True, "mode": "x", "steps": [1], "any": None, "free": {}}}
    good = {"stage": {"seeds": 4, "share": 1, "quick": False, "mode": "y", "steps": [], "any": "z", "free": {"a": 1}}}
    check_values(good, shipped)
    for key, value in {"seeds": 1.5, "share": "x", "quick": 1, "mode": None, "steps": 3}.items():
        with pytest.raises(Refusal) as caught:
            check_values({"stage": {**good["stage"], key: value}}, shipped)
        assert caught.value.where == f"stage.{key}"


@pytest.mark.parametrize(
    ("value", "wanted"), [(90, 90), (None, None), ("1.5m", 90), ("2 h", 7200), ("1d", 86400), ("3", 3)]
)
def test_times(value: Any, wanted: Any) -> None:
    assert seconds("budget", value) == wanted


@pytest.mark.parametrize("value", ["m", "1w", "-3m", "5 minutes", [1]])
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(Refusal, match="15m"):
        seconds("budget", value)
