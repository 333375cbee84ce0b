from __future__ import annotations

import time
from typing import Any

import pytest

from recipe.config.interpolation import resolve
from recipe.record.refusal import Refusal


def test_references_of_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECIPE_TEST_NUMBER", "5")
    tree = {
        "a": {"b": 3, "c": "${.b}", "d": "${..top}/x"},
        "top": "t",
        "list": ["${a.b}", "${list[0]}"],
        "env": "${oc.decode:${oc.env:RECIPE_TEST_NUMBER}}",
        "other": "${oc.select:nope,7}",
        "whole": "${a}",
        "inside": "${a.${name}}",
        "name": "b",
        "text": "a\\${b}",
    }
    plain, masked = resolve(tree)
    assert plain["a"] == plain["whole"] == {"b": 3, "c": 3, "d": "t/x"}
    assert (plain["list"], plain["env"], plain["other"], plain["inside"]) == ([3, 3], 5, 7, 3)
    assert masked["env"] != 5


@pytest.mark.parametrize(
    ("tree", "where", "said"),
    [
        ({"a": "${a}"}, "a", "a → a"),
        ({"a": "${b}", "b": "${c}", "c": "x${a}"}, "c", "a → b → c → a"),
        ({"a": {"b": "${a}"}}, "a.b", "comes back"),
        ({"a": ["${a}"]}, "a[0]", "comes back"),
        ({"a": "${oc.select:b}", "b": "${oc.select:a}"}, "b", "comes back"),
        ({"a": "${nope}"}, "a", "nope"),
        ({"a": "${oc.env:RECIPE_TEST_NOT_SET}"}, "a", "RECIPE_TEST_NOT_SET"),
        ({"a": "${oc.create:b}"}, "a", "oc.env"),
        ({"a": "${"}, "a", "resolved"),
        ({"a": "${..b}", "b": 1}, "a", "resolved"),
    ],
)
def test_references_that_do_not_work(tree: Any, where: str, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        resolve(tree)
    assert caught.value.where == where
    assert said in " ".join(caught.value.lines())


GROWING = {
    "text": lambda i: f"${{a{i + 1}}}${{a{i + 1}}}",
    "mapping": lambda i: {"x": f"${{a{i + 1}}}", "y": f"${{a{i + 1}}}"},
    "list": lambda i: [f"${{a{i + 1}}}"] * 2,
    "select": lambda i: f"${{oc.select:a{i + 1}}}${{oc.select:a{i + 1}}}",
    "nested": lambda i: f"${{${{n{i}}}}}${{${{n{i}}}}}",
}


@pytest.mark.parametrize("kind", GROWING)
def test_what_would_grow_without_end_is_refused_at_once(kind: str) -> None:
    tree: dict[str, Any] = {f"a{i}": GROWING[kind](i) for i in range(60)}
    tree |= {f"n{i}": f"a{i + 1}" for i in range(60)} | {"a60": "xx"}
    started = time.monotonic()
    with pytest.raises(Refusal):
        resolve(tree)
    assert time.monotonic() - started < 5
