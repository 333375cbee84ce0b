from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import recipe.trials.here as here
from recipe.config import compose
from recipe.record.evidence import Shelf
from recipe.record.overfit import Cost
from recipe.record.plain import to_plain
from recipe.record.tune import Rerun, Searched, SearchPlan
from recipe.run import run_stage

SMALL = [
    "model=mlp", "model.width=16", "model.depth=1", "train.epochs=2", "gate=off", "engine.workers=1",
    "search.trials=6", "search.generation=3", "tune.seeds=2", "tune.finalists=1", "tune.schedules=[cosine]",
]  # fmt: skip


def tune(folder: Path, *more: str) -> tuple[int, Shelf, dict[str, Any]]:
    code = run_stage("tune", compose([*SMALL, f"run.dir={folder}", *more]))
    return code, Shelf(folder / "tune" / "evidence"), json.loads((folder / "tune" / "report.json").read_text())


def findings(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["id"]: finding for finding in report["checks"]}


def without_times(record: Any) -> Any:
    plain = to_plain(record)
    return {key: value for key, value in plain.items() if "seconds" not in key and key != "estimate"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Shelf, dict[str, Any]]:
    return tune(tmp_path_factory.mktemp("whole"))


def test_a_budget_without_room_for_a_search_leaves_the_recipe_as_it_is(tmp_path):
    code, shelf, report = tune(tmp_path, "train.epochs=3000", "budget=6")
    assert code == 0
    assert "Nothing was searched: the budget has room for runs of" in " ".join(report["notes"])
    assert shelf.get("searched", Searched) is None
    assert report["decisions"] == []
    assert report["next"]["command"].startswith("recipe ensemble")


def test_a_budget_without_room_for_a_search_may_have_room_for_a_schedule(tmp_path, monkeypatch):
    monkeypatch.setattr("recipe.stages.tune.measure_cost", lambda *_, **__: Cost(step=0.01, val=0.0, train=0.0))
    code, shelf, report = tune(tmp_path, "train.epochs=20", "budget=14")
    plan, rerun = shelf.get("search_plan", SearchPlan), shelf.get("schedules", Rerun)
    assert code == 0
    assert (plan.axes, plan.fine.trials, plan.left_out) == ((), 0, ("optimizer.lr", "train.batch_size"))
    assert 4.0 <= plan.epochs < 20
    assert "Only schedules were compared" in " ".join(report["notes"])
    assert [one.name for one in rerun.contenders] == ["schedule constant", "schedule cosine"]
    assert "room for schedules alone" in findings(report)["distinct-values"]["message"]


class TestWhole:
    def test_the_gate_is_open_and_the_recipe_goes_on(self, whole):
        code, _, report = whole
        assert code == 0
        assert report["next"]["command"].startswith("recipe ensemble")
        assert set(report["metrics"]["val"]) == {"accuracy", "loss"}

    def test_trial_0_is_the_recipe_so_far_and_all_have_one_seed(self, whole):
        _, shelf, report = whole
        found = shelf.get("searched", Searched)
        assert found.tried[0].change == {}
        assert len({row["seeds"][0] for row in report["trials"] if len(row["seeds"]) == 1}) == 1
        assert len(found.tried) >= 7

    def test_the_winner_was_run_on_seeds_the_search_never_saw(self, whole):
        _, shelf, _ = whole
        plan, rerun = shelf.get("search_plan", SearchPlan), shelf.get("rerun", Rerun)
        assert plan.seed not in rerun.seeds
        assert all(len(one.objective) == 2 for one in rerun.contenders)
        assert rerun.optimism is not None

    def test_what_is_decided_carries_its_evidence(self, whole):
        _, shelf, report = whole
        adopted = shelf.get("rerun", Rerun).adopted.change
        decided = {one["key"]: one for one in report["decisions"]}
        assert set(adopted) <= set(decided)
        assert all("fresh seeds" in one["because"] for one in decided.values())

    def test_every_axis_has_its_picture(self, whole):
        _, shelf, _ = whole
        figures = {file.name for file in (shelf.folder.parent / "figures").iterdir()}
        assert {"search.svg", "slice-optimizer-lr.svg", "fresh-challengers.svg"} <= figures


def test_where_the_user_fixed_everything_noise_and_schedules_are_left(tmp_path):
    code, shelf, report = tune(tmp_path, "optimizer.lr=1e-3", "train.batch_size=64")
    assert code == 0
    assert shelf.found("searched", Searched) is None
    assert len(shelf.get("rerun", Rerun).contenders) == 1
    assert findings(report)["distinct-values"]["verdict"] == "skipped"


def test_few_passes_over_wide_ranges_come_first_and_more_where_the_best_of_them_lie(tmp_path):
    code, shelf, report = tune(
        tmp_path, "search.trials=12", "train.epochs=12", "search.pruner=hyperband", "tune.schedules=[]"
    )
    found, plan = shelf.get("searched", Searched), shelf.get("search_plan", SearchPlan)
    assert code == 0
    assert (plan.coarse.trials, plan.coarse.epochs, plan.fine.trials) == (6, plan.trial_epochs / 4, 6)
    assert [t.short for t in found.tried[:13]] == [False, *[True] * 6, *[False] * 6]
    assert all(t.epochs == pytest.approx(plan.coarse.epochs, rel=0.1) for t in found.tried if t.short)
    rate = next(axis for axis in found.axes if axis.key == "optimizer.lr")
    low, high = rate.wide
    assert low <= rate.low < rate.high
    assert math.log(rate.narrow[1] / rate.narrow[0] if rate.narrow else rate.high / rate.low) < math.log(high / low)
    figures = shelf.folder.parent / "figures"
    assert (figures / "pair.svg").exists()
    names = [axis.name for axis in found.axes] + ["rank"]
    drawn = ElementTree.fromstring((figures / "parallel-coordinates.svg").read_text())
    assert [e.text for e in drawn.iter() if e.tag.endswith("text") and e.text in names] == names
    with (figures / "parallel-coordinates.csv").open() as file:
        assert [row["axis"] for row in csv.DictReader(file)][: len(names)] == names
    assert sum(row["note"] == "short" for row in report["trials"]) >= 5


class TestInterrupted:
    @pytest.mark.parametrize("at", [2, 6, 9])
    def test_a_search_that_was_cut_goes_on_and_ends_the_same(self, whole, tmp_path, monkeypatch, at):
        run_one, ran = here.run_one, []

        def cut(trial, *arguments, **named):
            if len(ran) == at:
                raise KeyboardInterrupt
            ran.append(trial.id)
            return run_one(trial, *arguments, **named)

        monkeypatch.setattr(here, "run_one", cut)
        with pytest.raises(KeyboardInterrupt):
            tune(tmp_path)
        monkeypatch.setattr(here, "run_one", run_one)
        _, shelf, _ = tune(tmp_path)
        for name, kind in (("searched", Searched), ("rerun", Rerun), ("schedules", Rerun)):
            assert without_times(shelf.get(name, kind)) == without_times(whole[1].get(name, kind))


class TestFaults:
    def test_a_search_in_the_wrong_direction_is_not_begun(self, tmp_path):
        code, shelf, report = tune(tmp_path, "search.direction=maximize")
        assert code == 1
        assert findings(report)["search-direction"]["cause"] == "wrong-direction"
        assert shelf.get("searched", Searched) is None

    def test_tuning_on_training_data_fails(self, tmp_path):
        code, _, report = tune(tmp_path, "search.objective=train.loss")
        assert (code, findings(report)["search-on-validation"]["cause"]) == (1, "tuned-on-train")

    def test_a_range_far_below_the_optimum_is_found_out(self, tmp_path):
        _, _, report = tune(tmp_path, "search.space.optimizer.lr={log:[1e-6,1e-5]}", "tune.schedules=[]")
        finding = findings(report)["best-inside-range"]
        assert (finding["verdict"], finding["where"]) == ("warn", "optimizer.lr")

    def test_a_tiny_validation_set_and_one_seed_are_found_out(self, tmp_path):
        _, _, report = tune(tmp_path, "data.val_fraction=0.015", "tune.seeds=1", "tune.schedules=[]")
        found = findings(report)
        assert found["validation-tells-trials-apart"]["cause"] == "validation-too-small"
        assert found["winner-beats-noise"]["cause"] == "noise-unknown"

    def test_diverged_trials_are_results(self, tmp_path):
        space = "search.space.optimizer.lr={choices:[1e-3,1e30,2e-3,3e-3]}"
        _, shelf, _ = tune(tmp_path, space, "optimizer=sgd", "optimizer.momentum=0", "tune.schedules=[]")
        found = {t.change.get("optimizer.lr"): t for t in shelf.get("searched", Searched).tried}
        assert found[1e30].status == "diverged"
        assert math.isnan(found[1e30].value)
        assert found[2e-3].status != "diverged"

    def test_an_unknown_key_in_the_space_is_refused(self, tmp_path):
        from recipe.record.refusal import Refusal

        with pytest.raises(Refusal, match="no such key"):
            tune(tmp_path, "search.space.optimizer.lrr={log:[1e-3,1e-2]}")
