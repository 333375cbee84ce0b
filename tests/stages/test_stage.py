from __future__ import annotations

from pathlib import Path

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.report import TrialRow
from recipe.record.run_directory import RunDirectory
from recipe.record.trial import Change
from recipe.stages.stage import Stage, differing


def noted(tmp_path: Path, change: Change, beside: Change | None, note: str = "") -> str:
    stage = Stage("regularize", Ingredients(compose([])), tmp_path / "regularize", RunDirectory(tmp_path))
    row = TrialRow(id="t", hypothesis="h", change=change, seeds=(0,), metrics={}, verdict="kept", note=note)
    stage.row(row, beside=beside)
    return stage.rows[0].note


def test_settings_in_which_two_changes_differ_are_found_on_either_side() -> None:
    assert differing({"a": 1, "b": 2}, {"a": 1}) == ["b"]
    assert differing({"a": 1}, {"a": 2, "b": 2}) == ["a", "b"]
    assert differing({"a": None}, {}) == ["a"]
    assert differing({}, {}) == []


def test_more_than_one_thing_at_a_time_is_called_out(tmp_path: Path) -> None:
    told = noted(tmp_path, {"a": 1, "b": 2, "c": 3}, {"c": 3}, "gains 1 %")
    assert told == "gains 1 %; 2 settings at once (a, b): which of them acted is not told"


def test_one_thing_at_a_time_is_not(tmp_path: Path) -> None:
    assert noted(tmp_path, {"a": 1, "c": 3}, {"c": 3}, "gains 1 %") == "gains 1 %"
    assert noted(tmp_path, {"a": 1, "b": 2}, None) == ""
