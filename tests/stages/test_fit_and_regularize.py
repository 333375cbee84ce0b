"""overfit and regularize on digits, with small nets and short runs: the stages themselves, through `recipe.run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recipe.config import compose
from recipe.record.evidence import Shelf
from recipe.record.overfit import CapacityLadder, LearningRateEdge, OverfitPlan, RateChoice, UnitHealth
from recipe.record.plain import to_plain
from recipe.record.regularize import Combination, LearningCurve, Reference, Regularizers
from recipe.record.setup import Setup
from recipe.run import run_stage
from recipe.trials import here

RUNGS = (
    "overfit.rungs=[{name: linear, change: {model: linear}, expects: fall short},"
    " {name: small, change: {model: mlp, model.width: 64, model.depth: 1}, expects: fit}]"
)
IDEAS = (
    "regularize.ideas=[{name: dropout, change: {regularizers.dropout: 0.5}},"
    " {name: smoothing, change: {regularizers.label_smoothing: 0.1}}]"
)
OVERFIT = [
    RUNGS,
    "overfit.epochs=40",
    "overfit.edge_steps=20",
    "overfit.seeds=1",
    "overfit.tolerance=0.05",
    "overfit.shares=[0.1]",
]
REGULARIZE = [IDEAS, "regularize.seeds=3", "regularize.fresh=1", "regularize.fractions=[0.25, 0.5]", "train.epochs=4"]
SMALL = ["model=mlp", "model.width=32", "model.depth=1"]
COMMON = ["gate=off", "engine.workers=1"]


def run(stage: str, folder: Path, *words: str) -> tuple[int, Shelf, dict[str, Any]]:
    code = run_stage(stage, compose([*COMMON, *words, f"run.dir={folder}"]))
    return code, Shelf(folder / stage / "evidence"), json.loads((folder / stage / "report.json").read_text())


def evidence(shelf: Shelf) -> dict[str, Any]:
    """All that was measured, without times."""
    return {name: without_times(shelf.entry(name).data) for name in shelf.names() if name != "plan"}  # type: ignore[union-attr]


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key != "seconds"}
    return [without_times(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Shelf, dict[str, Any]]:
    return run("overfit", tmp_path_factory.mktemp("overfit"), *OVERFIT)


@pytest.fixture(scope="module")
def regularized(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Shelf, dict[str, Any]]:
    return run("regularize", tmp_path_factory.mktemp("regularize"), *SMALL, *REGULARIZE, "optimizer.lr=0.01")


class TestOverfit:
    def test_the_gate_is_open_and_the_next_command_is_told(self, fitted):
        code, _, report = fitted
        assert code == 0
        assert report["next"]["command"].startswith("recipe regularize")

    def test_the_smallest_rung_that_fits_goes_into_the_recipe(self, fitted):
        _, shelf, report = fitted
        ladder = shelf.get("capacity_ladder", CapacityLadder)
        assert [(rung.name, rung.fits) for rung in ladder.rungs] == [("linear", False), ("small", True)]
        decided = {line["key"]: line["value"] for line in report["decisions"]}
        assert (decided["model"], decided["model.width"]) == ("mlp", 64)
        assert decided["train.epochs"] >= 2
        assert all(line["because"] for line in report["decisions"])

    def test_what_was_measured_can_be_read_again(self, fitted):
        _, shelf, _ = fitted
        edge = shelf.get("learning_rate_edge", LearningRateEdge)
        assert 0 < edge.edge.low < edge.edge.high
        assert edge.edge.n == 2
        assert shelf.get("rate_choice", RateChoice).seeds == 1
        assert shelf.get("unit_health", UnitHealth).layers
        assert shelf.get("setup", Setup).optimizer == "Adam"
        assert shelf.get("plan", OverfitPlan).budget is None

    def test_the_report_has_rows_and_figures(self, fitted):
        _, shelf, report = fitted
        assert [row["verdict"] for row in report["trials"]] == ["too small", "chosen"]
        assert "at once" not in report["trials"][0]["note"]
        assert "3 settings at once (model, model.width, model.depth)" in report["trials"][1]["note"]
        figures = {path.name for path in (shelf.folder.parent / "figures").glob("*.svg")}
        assert {"capacity-ladder.svg", "learning-rate-edge.svg", "run.svg", "effective-rate.svg"} <= figures
        assert (shelf.folder.parent / "figures" / "first-filters.png").exists()
        assert "could not be drawn" not in (shelf.folder.parent / "report.html").read_text()

    def test_every_check_of_the_stage_is_in_the_report(self, fitted):
        _, _, report = fitted
        assert not [finding for finding in report["checks"] if finding["verdict"] in ("warn", "fail")]
        assert len(report["checks"]) >= 10

    def test_a_kill_in_the_middle_changes_nothing(self, fitted, tmp_path, monkeypatch):
        _, shelf, _ = fitted
        whole, count = here.run_one, []

        def killed(*args: Any, **kwargs: Any) -> Any:
            count.append(args[0])
            if len(count) == 2:
                raise KeyboardInterrupt
            return whole(*args, **kwargs)

        monkeypatch.setattr(here, "run_one", killed)
        with pytest.raises(KeyboardInterrupt):
            run("overfit", tmp_path, *OVERFIT)
        _, again, _ = run("overfit", tmp_path, *OVERFIT)
        assert len({trial.id for trial in count}) == len(count) - 1
        assert evidence(again) == evidence(shelf)

    def test_a_budget_is_a_plan_that_is_kept(self, tmp_path):
        code, shelf, report = run("overfit", tmp_path, RUNGS, "overfit.edge_steps=20", "overfit.seeds=1", "budget=15")
        plan, ladder = shelf.get("plan", OverfitPlan), shelf.get("capacity_ladder", CapacityLadder)
        assert code == 0
        assert (plan.budget, ladder.short) == (15, True)
        assert {rung.name: rung.steps for rung in ladder.rungs}.items() <= {
            **plan.steps,
            **{r.name: r.steps for r in ladder.rungs if r.fits},
        }.items()
        assert report["seconds"] < 60

    def test_a_model_the_user_named_is_not_exchanged(self, tmp_path):
        _, shelf, report = run(
            "overfit", tmp_path, "model=linear", "train.epochs=2", "overfit.edge_steps=20", "optimizer.lr=1e-3"
        )
        ladder = shelf.get("capacity_ladder", CapacityLadder)
        assert (ladder.own, ladder.best.name) == (True, "your linear")
        assert not {"model", "optimizer.lr", "train.epochs"} & {line["key"] for line in report["decisions"]}
        found = next(finding for finding in report["checks"] if finding["id"] == "training-set-fits")
        assert (found["verdict"], found["cause"]) == ("warn", "too-short")

    def test_filters_that_are_constant_leave_the_page_whole(self, tmp_path):
        words = ["model=linear", "init.scheme=zeros", "optimizer.lr=1e-12", "train.epochs=1", "overfit.edge_steps=0"]
        run("overfit", tmp_path, *words, "overfit.remedies=0", "overfit.plug=0")
        page = (tmp_path / "overfit" / "report.html").read_text()
        assert "could not be drawn" not in page
        assert "unknown (constant filters) before training" in page

    def test_what_a_narrow_code_can_keep_is_not_claimed(self, tmp_path):
        words = ["task=autoencoder", "model=autoencoder", "model.code=4", "train.epochs=1", "overfit.edge_steps=20"]
        _, shelf, report = run("overfit", tmp_path, *words, "overfit.remedies=0")
        assert "4 numbers" in shelf.get("capacity_ladder", CapacityLadder).unknown
        found = next(finding for finding in report["checks"] if finding["id"] == "training-set-fits")
        assert "what 4 numbers in the middle can keep of an input is not known" in found["message"]

    def test_a_net_that_diverges_closes_the_gate_and_is_reported(self, tmp_path):
        words = [*SMALL, "optimizer=sgd", "optimizer.lr=1e9", "train.epochs=3", "overfit.edge_steps=20"]
        code, shelf, report = run("overfit", tmp_path, *words)
        found = {finding["id"]: finding for finding in report["checks"]}
        assert code == 1
        assert found["training-set-fits"]["cause"] == "diverged"
        assert (found["learning-rate-edge"]["verdict"], found["learning-rate-edge"]["cause"]) == (
            "fail",
            "rate-too-high",
        )
        assert shelf.get("learning_rate_edge", LearningRateEdge).start < 10


@pytest.fixture(scope="module")
def averaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Shelf, dict[str, Any]]:
    """A rate at which the last weights are noise, so that their average is the first thing to help."""
    ideas = IDEAS.replace("[{", "[{name: averaged, change: {regularizers.ema: 0.97}}, {", 1)
    words = [*SMALL, *REGULARIZE, ideas, "optimizer.lr=0.03", "regularize.race=0", "train.epochs=8"]
    return run("regularize", tmp_path_factory.mktemp("averaged"), *words)


class TestAveragedWeights:
    """Where they help, they are the ground on which every other idea is compared."""

    def test_they_are_judged_by_themselves_and_named(self, averaged):
        _, shelf, report = averaged
        found = shelf.get("regularizers", Regularizers)
        assert [idea.name for idea in found.ideas] == ["early stopping", "averaged", "dropout", "smoothing"]
        assert (found.ground, found.ideas[1].verdict) == ("averaged", "kept")
        assert any(note.startswith("averaged: helps") for note in report["notes"])

    def test_the_others_have_them_on_both_sides(self, averaged):
        _, shelf, report = averaged
        found, rows = shelf.get("regularizers", Regularizers), {row["id"]: row for row in report["trials"]}
        assert rows["averaged"]["change"] == {"regularizers.ema": 0.97}
        assert rows["dropout"]["change"] == {"regularizers.ema": 0.97, "regularizers.dropout": 0.5}
        ground, dropout = found.ideas[1], found.ideas[2]
        assert dropout.gain.difference.mean == pytest.approx(dropout.val.mean - ground.val.mean)

    def test_one_setting_on_top_of_them_is_one_thing(self, averaged):
        assert not [row["id"] for row in averaged[2]["trials"] if "at once" in row["note"]]

    def test_they_are_the_first_to_be_kept(self, averaged):
        _, shelf, report = averaged
        combination = shelf.get("combination", Combination)
        assert combination.added[0].name == "averaged"
        assert {line["key"]: line["value"] for line in report["decisions"]}["regularizers.ema"] == 0.97

    def test_the_learning_curve_ends_where_they_are(self, averaged):
        _, shelf, _ = averaged
        curve, ground = shelf.get("learning_curve", LearningCurve), shelf.get("regularizers", Regularizers).ideas[1]
        assert curve.subsets[-1].error.mean == pytest.approx(1 - ground.val.mean)


class TestRegularize:
    def test_every_idea_is_in_the_table_with_its_verdict(self, regularized):
        code, shelf, report = regularized
        ideas = shelf.get("regularizers", Regularizers).ideas
        assert code == 0
        assert [idea.name for idea in ideas] == ["early stopping", "dropout", "smoothing"]
        assert report["trials"][0]["verdict"] == "reference"
        assert {idea.verdict for idea in ideas} <= {"kept", "dropped", "harmful"}

    def test_what_was_kept_is_decided_with_its_gain(self, regularized):
        _, shelf, report = regularized
        combination = shelf.get("combination", Combination)
        assert {line["key"]: line["value"] for line in report["decisions"]} == to_plain(combination.change)
        assert report["metrics"]["val"]["accuracy"]["mean"] == combination.val.mean

    def test_the_reference_has_no_regularizer_and_a_gap(self, regularized):
        _, shelf, _ = regularized
        reference = shelf.get("reference", Reference)
        assert reference.seeds == (0, 1, 2)
        assert reference.gap.mean == pytest.approx(reference.train.mean - reference.val.mean)

    def test_more_data_stand_beside_the_ideas(self, regularized):
        _, shelf, _ = regularized
        curve = shelf.get("learning_curve", LearningCurve)
        assert [subset.fraction for subset in curve.subsets] == pytest.approx([0.25, 0.5, 1.0], abs=0.01)
        assert [forecast.times for forecast in curve.forecasts] == [1.2, 2.0, 10.0]
        table = (shelf.folder.parent / "figures" / "regularizers.csv").read_text()
        assert "twice the data" in table

    def test_going_on_from_finished_trials_gives_the_same(self, regularized, tmp_path, monkeypatch):
        _, shelf, _ = regularized
        whole, count = here.run_one, []

        def killed(*args: Any, **kwargs: Any) -> Any:
            count.append(args[0])
            if len(count) == 5:
                raise KeyboardInterrupt
            return whole(*args, **kwargs)

        words = (*SMALL, *REGULARIZE, "optimizer.lr=0.01")
        monkeypatch.setattr(here, "run_one", killed)
        with pytest.raises(KeyboardInterrupt):
            run("regularize", tmp_path, *words)
        _, again, _ = run("regularize", tmp_path, *words)
        assert len({trial.id for trial in count}) == len(count) - 1
        assert evidence(again) == evidence(shelf)

    def test_a_net_that_diverges_on_every_seed_closes_the_gate(self, tmp_path):
        words = [*SMALL, "optimizer=sgd", "optimizer.lr=1e9", "train.epochs=2", IDEAS, "regularize.seeds=2"]
        code, _, report = run("regularize", tmp_path, *words)
        assert code == 1
        assert [f["cause"] for f in report["checks"] if f["verdict"] == "fail"] == ["diverged"]

    def test_the_worst_weights_kept_close_the_gate(self, tmp_path):
        words = [*SMALL, "regularize.ideas=[]", "regularize.seeds=2", "regularize.fractions=[]", "train.epochs=4"]
        code, _, report = run("regularize", tmp_path, *words, "early_stopping.patience=50", "early_stopping.mode=max")
        assert code == 1
        assert [f["cause"] for f in report["checks"] if f["verdict"] == "fail"] == ["wrong-direction"]

    def test_too_much_dropout_of_the_users_is_told(self, tmp_path):
        words = [*SMALL, "regularizers.dropout=0.95", "regularize.seeds=3", "regularize.fractions=[]", "train.epochs=4"]
        _, _, report = run(
            "regularize", tmp_path, *words, "regularize.race=0", "regularize.ideas=null", "optimizer.lr=0.01"
        )
        found = {finding["id"]: finding for finding in report["checks"]}
        assert found["configured-regularizers-help"]["verdict"] == "warn"
        assert found["configured-regularizers-help"]["where"] == "regularizers.dropout"
