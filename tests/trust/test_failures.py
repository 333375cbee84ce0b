"""Trainings that find no memory are marked as failed, and the search goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recipe.record.evidence import Shelf
from recipe.record.tune import Searched
from tests.trust.fleet import Ended, Fleet
from tests.trust.inputs import own

TRIALS = 8
WAYS = ("cpu", "cuda", "python")
TUNE = (
    "tune", f"search.trials={TRIALS}", "search.generation=4", "search.coarse=0", "search.widen=false",
    "tune.schedules=[]", "tune.seeds=2",
    "train.epochs=1", "model=linear", "gate=off", "device=cpu", "run.dir=run", "engine.workers=1",
)  # fmt: skip


def tuned(fleet: Fleet, folder: Path, failing: dict[int, str]) -> tuple[Ended, Searched, list[str]]:
    """The command's end, its search and the notes of its report; failing: trials that find no memory, and how."""
    words = own(folder, "def data(): return {'train': (x, y)}")
    plant = {"no_memory": {"trials": {f"trial {k}": way for k, way in failing.items()}}}
    ended = fleet.run(folder, *TUNE, *words, plant=plant)
    assert ended.code in (0, 1), ended.err
    assert "Traceback" not in ended.err
    found = Shelf(folder / "run/tune/evidence").found("searched", Searched)
    assert found is not None
    return ended, found, report(folder)["notes"]


def report(folder: Path) -> dict[str, Any]:
    """As it is written."""
    found: dict[str, Any] = json.loads((folder / "run/tune/report.json").read_text())
    return found


@pytest.mark.parametrize("first", range(5))
def test_trials_that_find_no_memory_are_marked_and_the_search_goes_on(fleet: Fleet, tmp_path: Path, first: int) -> None:
    """Four of eight a run, so twenty in all, in each of three ways."""
    failing = {1 + (first + 2 * k) % TRIALS: WAYS[(first + k) % 3] for k in range(4)}
    ended, found, notes = tuned(fleet, tmp_path, failing)
    told = {t.number: (t.status, t.note.startswith("out of memory")) for t in found.tried}
    assert told == {k: ("failed", True) if k in failing else ("finished", False) for k in range(1 + TRIALS)}
    assert {t.number for t in found.ranked} == told.keys() - failing.keys()
    assert "4 failed of 9" in ended.out
    assert notes == []


def test_where_the_recipe_so_far_finds_none_it_stays_as_it_is(fleet: Fleet, tmp_path: Path) -> None:
    ended, found, _ = tuned(fleet, tmp_path, {0: "cpu"})
    assert len(found.ranked) == TRIALS
    assert "1 failed of 9" in ended.out
    assert report(tmp_path)["decisions"] == []


def test_where_no_trial_finds_any_the_gate_is_closed(fleet: Fleet, tmp_path: Path) -> None:
    ended, found, notes = tuned(fleet, tmp_path, dict.fromkeys(range(1 + TRIALS), "cuda"))
    assert (ended.code, found.best) == (1, None)
    assert "no trial of 9 finished (9 failed)" in ended.out
    assert notes == ["No trial came to a usable number: the recipe stays as it is."]
