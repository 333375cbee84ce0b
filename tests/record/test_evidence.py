import math

import pytest

from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.record.history import History, Point
from recipe.record.plain import from_json, to_json


class Reading(Evidence, frozen=True, kw_only=True):
    values: tuple[float, ...]
    worst: dict[str, float]


def test_records_come_back_with_non_finite_numbers(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("reading", Reading(values=(1.5, math.inf, -math.inf), worst={"a": math.nan}), seconds=0.25)
    found = shelf.get("reading", Reading)
    assert found.values == (1.5, math.inf, -math.inf)
    assert math.isnan(found.worst["a"])
    assert shelf.entry("reading").seconds == 0.25
    assert b"NaN" not in (tmp_path / "reading.json").read_bytes()


def test_what_was_not_measured_says_why(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("reading", Unmeasured(reason="no targets"))
    assert shelf.get("reading", Reading) == Unmeasured(reason="no targets")
    assert shelf.get("other", Reading) is None


def test_side_files_stay_in_the_folder(tmp_path):
    with pytest.raises(ValueError, match="no folder part"):
        Shelf(tmp_path).side("../escape.png")


def test_history_series_leaves_out_points_without_the_metric():
    history = History(
        losses=(1.0, 0.5),
        points=(
            Point(step=1, epoch=0.5, metrics={"val": {"loss": 1.0}}),
            Point(step=2, epoch=1.0, metrics={"train": {"loss": 0.5}}),
        ),
    )
    assert history.series("val", "loss") == [(1, 1.0)]
    assert from_json(to_json(history), History) == history
