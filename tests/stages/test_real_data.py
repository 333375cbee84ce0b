"""Real tables and texts, where they are at hand: known facts are in the findings. Only what tells them is measured."""

from __future__ import annotations

import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.table import table
from recipe.data.text import text
from recipe.ingredients import Ingredients
from recipe.judge import catalogue, judge
from recipe.record.evidence import Unmeasured
from recipe.record.run_directory import RunDirectory
from recipe.stages.inspect_data import tell
from recipe.stages.stage import Stage

NEEDED = {one.id: {need.name for need in one.needs} for one in catalogue("inspect-data")}


def told(mapping, folder, *checks):
    """Verdicts and messages of some checks, of which alone the evidence is measured."""
    composed = compose([f"run.dir={folder}"])
    data = assemble(mapping, composed.plain["data"], 0, composed.plain["task"])
    stage = Stage("inspect-data", Ingredients(composed, data=data), folder / "work", RunDirectory(folder))
    wanted = set().union(*(NEEDED[check] for check in checks))
    for name in set().union(*NEEDED.values()) - wanted:
        stage.shelf.put(name, Unmeasured(reason="not asked for"))
    tell(stage)
    found = {one.id: one for one in judge("inspect-data", stage.shelf)}
    return {check: (found[check].verdict, found[check].message) for check in checks}


def test_titanic_has_an_id_column_and_empty_cells(shared_data, tmp_path):
    path = shared_data("tabular") / "titanic" / "train.csv"
    found = told(table(str(path), "Survived"), tmp_path, "id-columns", "empty-cells", "columns-vary", "repeated-rows")
    verdict, message = found["id-columns"]
    assert verdict == "warn"
    assert "'PassengerId' is different in every row" in message
    assert found["empty-cells"][0] == "pass"
    for cells in ("'Age' in 177 rows", "'Cabin' in 687 rows", "'Embarked' in 2 rows"):
        assert cells in found["empty-cells"][1]
    assert "'Ticket' is no input" in found["columns-vary"][1]
    assert "0 of 891 rows repeat" in found["repeated-rows"][1]


def test_california_housing_is_capped_and_has_blank_cells(shared_data, tmp_path):
    path = shared_data("tabular") / "california_housing" / "housing.csv"
    checks = ("target-spikes", "empty-cells", "values-are-measurements", "cross-split-duplicates")
    found = told(table(str(path), "median_house_value"), tmp_path, *checks)
    assert "are 500001, the highest" in found["target-spikes"][1]
    assert "'total_bedrooms' in 207 rows" in found["empty-cells"][1]
    verdict, message = found["values-are-measurements"]
    assert verdict == "warn"
    assert "'housing_median_age' is 52 in 1,273 rows" in message
    assert "'median_income' is 15.0001 in 49 rows" in message
    assert found["cross-split-duplicates"][0] == "pass"


@pytest.mark.parametrize(("colour", "repeated", "rarest"), [("red", 240, "3"), ("white", 937, "9")])
def test_wines_repeat_and_their_ends_are_rare(colour, repeated, rarest, shared_data, tmp_path):
    path = shared_data("tabular") / "wine_quality" / f"winequality-{colour}.csv"
    checks = ("repeated-rows", "class-balance", "cross-split-duplicates", "conflicting-labels")
    found = told(table(str(path), -1), tmp_path, *checks)
    assert f"{repeated} of " in found["repeated-rows"][1]
    assert found["class-balance"][0] == "warn"
    assert f"rarest {rarest!r}" in found["class-balance"][1]
    assert found["cross-split-duplicates"][0] == "pass"
    assert "no input carries two labels" in found["conflicting-labels"][1]


def test_no_row_of_white_wine_is_in_a_run_of_wrong_labels(shared_data, tmp_path):
    path = shared_data("tabular") / "wine_quality" / "winequality-white.csv"
    assert told(table(str(path), -1), tmp_path, "label-noise-structure")["label-noise-structure"][0] == "pass"


def test_adult_spells_its_classes_twice_and_marks_what_is_missing(shared_data, tmp_path):
    top = shared_data("tabular") / "adult"
    mapping = table(str(top / "adult-train.csv"), -1, test_path=str(top / "adult-test.csv"))
    checks = ("class-names-agree", "empty-cells", "values-are-measurements", "repeated-rows")
    found = told(mapping, tmp_path, *checks)
    assert "'<=50K.' for '<=50K'" in found["class-names-agree"][1]
    for cells in ("'column 1' in 2,799 rows", "'column 6' in 2,809 rows", "'column 13' in 857 rows"):
        assert cells in found["empty-cells"][1]
    assert "'column 10' is 99999 in 244 rows" in found["values-are-measurements"][1]
    assert "52 of 48,842 rows repeat an earlier one" in found["repeated-rows"][1]


def test_ag_news_is_balanced_and_split_fairly(shared_data, tmp_path):
    path = shared_data("text") / "ag_news" / "test.csv"
    found = told(text(str(path)), tmp_path, "class-balance", "splits-told-apart", "cross-split-duplicates")
    assert {verdict for verdict, _ in found.values()} == {"pass"}
    assert "1,235 of 4,940: 1 of an even share" in found["class-balance"][1]


def test_rt_polarity_is_sorted_by_class_and_split_fairly(shared_data, tmp_path):
    path = shared_data("text") / "rt_polarity" / "rt-polarity.all"
    found = told(text(str(path)), tmp_path, "label-order", "splits-told-apart", "items-readable", "class-balance")
    assert {verdict for verdict, _ in found.values()} == {"pass"}
    assert "the source is sorted by class" in found["label-order"][1]
    assert "all 10,662 items were read" in found["items-readable"][1]
