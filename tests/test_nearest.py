from __future__ import annotations

from recipe.nearest import did_you_mean, nearest

NAMES = ["adam", "adamw", "adagrad", "sgd", "inspect-data", "one_cycle", "optimizer.lr"]


def test_small_misspellings_and_beginnings() -> None:
    assert nearest("adm", NAMES)[0] == "adam"
    assert nearest("ada", NAMES)[0] == "adam"
    assert nearest("INSPECT_DATA", NAMES) == ["inspect-data"]
    assert nearest("onecycle", NAMES) == ["one_cycle"]
    assert nearest("zzz", NAMES) == []
    assert nearest("", NAMES) == []


def test_the_line_of_a_refusal() -> None:
    assert did_you_mean("sdg", NAMES) == "did you mean sgd?"
    assert did_you_mean("zzz", ["a", "b"]) == "one of a, b"
    assert did_you_mean("zzz", [str(i) for i in range(20)], most=2) == "one of 0, 1, … (20 in all)"
    assert did_you_mean("zzz", []) == ""
