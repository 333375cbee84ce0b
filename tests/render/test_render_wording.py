"""Numbers, times and text as people read them."""

from __future__ import annotations

import pytest

from recipe.record.interval import Interval
from recipe.render.wording import cell, duration, interval, number, one_line, slug, visible


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1797, "1797"),
        (118_282, "118,282"),
        (0.98148, "0.9815"),
        (0.5, "0.5"),
        (1024.0, "1024"),
        (0.0000321, "3.21e-5"),
        (3e-4, "3e-4"),
        (1e12, "1e12"),
        (-0.25, "-0.25"),
        (0.0, "0"),
        (float("nan"), "nan"),
        (float("-inf"), "-∞"),
        (None, "–"),
        (True, "yes"),
    ],
)
def test_number(value, words) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("mean", "low", "high", "words"),
    [
        (0.98148, 0.97222, 0.98889, "0.981 [0.972, 0.989]"),
        (2.31, 1.2, 3.4, "2.3 [1.2, 3.4]"),
        (120.4, 80.2, 160.0, "120 [80, 160]"),
        (0.5, 0.5, 0.5, "0.5"),
        (0.5, float("nan"), float("nan"), "0.5"),
        (float("nan"), 0.0, 1.0, "nan"),
    ],
)
def test_interval_has_the_digits_its_width_bears_out(mean, low, high, words) -> None:
    assert interval(Interval(mean, low, high)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (4.25, "4.2 s"), (59.6, "1 min 00 s"), (133.4, "2 min 13 s"), (3900, "1 h 05 min"), (-1, "–")],
)
def test_duration(seconds, words) -> None:
    assert duration(seconds) == words


def test_cell_of_anything() -> None:
    assert cell({"mean": 0.5, "low": 0.4, "high": 0.6}) == "0.50 [0.40, 0.60]"
    assert cell({"a": [1, None]}) == "a 1, –"
    assert cell(list(range(20))).endswith("… (20 in all)")


def test_hidden_characters_are_shown() -> None:
    assert visible("a\x1b[0m\u202eb\ud800\U000e0041") == "a\\x1b[0m\\u202eb\\ud800\\U000e0041"
    assert visible("naïve 日本 👩\u200d🔬") == "naïve 日本 👩\u200d🔬"
    assert one_line("two\n lines\t\x85x") == "two lines x"
    assert one_line("abcdef", 4) == "abc…"


def test_slug_is_safe_everywhere() -> None:
    assert slug("../A b/<c>") == "a-b-c"
    assert slug("日本") == ""
