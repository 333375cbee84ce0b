from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import recipe.stages.ensemble as story
from recipe.config import compose
from recipe.record.ensemble import Choice, Errors, Members, Package, SizeCurve, TestResult
from recipe.record.evidence import Shelf
from recipe.record.plain import to_plain
from recipe.run import run_stage

SMALL = [
    "model=mlp", "model.width=16", "model.depth=1", "train.epochs=3", "gate=off", "engine.workers=1",
    "ensemble.members=3", "ensemble.top=1", "ensemble.hardest=6", "ensemble.snapshots=0",
]  # fmt: skip


def ensemble(folder: Path, *more: str) -> tuple[int, Shelf, dict[str, Any]]:
    code = run_stage("ensemble", compose([*SMALL, f"run.dir={folder}", *more]))
    return code, Shelf(folder / "ensemble" / "evidence"), json.loads((folder / "ensemble" / "report.json").read_text())


def openings(folder: Path) -> int:
    return len(json.loads((folder / "run.json").read_text())["test_opened"])


def finding(report: dict[str, Any], id: str) -> dict[str, Any]:
    return next(one for one in report["checks"] if one["id"] == id)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert ensemble(folder)[0] == 0
    return folder


def evidence(folder: Path) -> Shelf:
    return Shelf(folder / "ensemble" / "evidence")


class TestWhole:
    def test_the_test_split_was_opened_once(self, whole):
        assert openings(whole) == 1
        assert evidence(whole).get("test", TestResult).openings == 1

    def test_members_are_different_nets(self, whole):
        members = evidence(whole).get("members", Members)
        assert len(members.members) == 3
        assert members.twins == []

    def test_the_curve_falls_with_the_number_of_members(self, whole):
        curve = evidence(whole).get("size_curve", SizeCurve)
        losses = [size.loss.mean for size in curve.sizes]
        # The loss is convex in the probabilities: an average is never worse than its members are on average.
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] == pytest.approx(curve.loss)

    def test_errors_are_counted_and_drawn(self, whole):
        errors, test = evidence(whole).get("errors", Errors), evidence(whole).get("test", TestResult)
        assert sum(map(sum, errors.confusion)) == errors.items == test.items
        assert errors.wrong == round((1 - test.ensemble.mean) * test.items)
        assert len(errors.hardest) == 6
        assert (evidence(whole).folder / errors.sheet).read_bytes().startswith(b"\x89PNG")
        losses = [one.loss for one in errors.hardest]
        assert losses == sorted(losses, reverse=True)

    def test_what_is_taken_home_says_the_same(self, whole):
        assert evidence(whole).get("package", Package).difference == 0
        assert (whole / "ensemble" / "model" / "MODEL.md").read_text().startswith("# A model for digits")

    def test_figures_are_drawn(self, whole):
        figures = {file.name for file in (whole / "ensemble" / "figures").iterdir()}
        assert {"ensemble-size.svg", "confusion.svg", "final-numbers.svg", "hardest.png"} <= figures


def test_an_interrupted_stage_ends_the_same_and_counts_the_opening_once(whole, tmp_path, monkeypatch):
    analyse = story.analyse_errors

    def cut(*arguments: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(story, "analyse_errors", cut)
    with pytest.raises(KeyboardInterrupt):
        ensemble(tmp_path)
    monkeypatch.setattr(story, "analyse_errors", analyse)
    ensemble(tmp_path)
    assert openings(tmp_path) == 1
    kinds = {"members": Members, "size_curve": SizeCurve, "choice": Choice, "test": TestResult, "errors": Errors}
    for name, kind in kinds.items():
        assert to_plain(evidence(tmp_path).get(name, kind)) == to_plain(evidence(whole).get(name, kind))
    for file in (whole / "ensemble" / "model").glob("*.safetensors"):
        assert (tmp_path / "ensemble" / "model" / file.name).read_bytes() == file.read_bytes()


def test_a_second_opening_is_counted_and_told(whole, tmp_path):
    import shutil

    shutil.copytree(whole, tmp_path / "run")
    _, _, report = ensemble(tmp_path / "run", "ensemble.hardest=5")
    assert openings(tmp_path / "run") == 2
    assert finding(report, "test-opened-once")["cause"] == "test-opened-again"


def test_members_that_share_a_seed_close_the_gate(tmp_path):
    code, _, report = ensemble(tmp_path, "ensemble.seeds=[7,7,7]")
    assert (code, finding(report, "members-differ")["cause"]) == (1, "identical-members")


def test_reporting_on_validation_leaves_the_test_split_sealed(tmp_path):
    code, shelf, report = ensemble(tmp_path, "ensemble.report_on=val", "ensemble.members=1")
    assert (code, openings(tmp_path)) == (0, 0)
    assert shelf.get("test", TestResult).split == "val"
    assert "test" not in report["metrics"]


def test_other_configurations_of_the_search_join(tmp_path):
    tune = ["search.trials=3", "search.generation=3", "tune.seeds=2", "tune.finalists=1", "tune.schedules=[]"]
    run_stage("tune", compose([*SMALL, *tune, f"run.dir={tmp_path}"]))
    _, shelf, _ = ensemble(tmp_path, *tune)
    sources = [member.source for member in shelf.get("members", Members).members]
    assert sources == ["seed", "seed", "seed", "search"]


class TestNumbers:
    def test_a_table_with_numbers_as_targets_goes_through(self, tmp_path):
        from recipe.predict import predict

        rows = ["a,b,c,y", *(f"{i % 7},{i % 5},{'uv'[i % 2]},{2.0 * (i % 7) - (i % 5) + (i % 2)}" for i in range(300))]
        (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
        data = [
            "data=table",
            f"data.path={tmp_path / 'table.csv'}",
            "data.target=y",
            "train.epochs=20",
            "task=regression",
        ]
        code, shelf, _ = ensemble(tmp_path / "run", *data)
        assert code == 0
        errors = shelf.get("errors", Errors)
        assert errors.residuals
        assert not errors.confusion
        lines: list[str] = []
        assert predict(tmp_path / "run", [str(tmp_path / "table.csv")], json=True, out=lines.append) == 0
        assert len(lines) == 300
        assert isinstance(json.loads(lines[0])["prediction"], float)
