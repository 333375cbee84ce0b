"""The promises of a walk, through the real command: all six stages, the same bytes again, and after kills."""

from __future__ import annotations

import json
import shutil

from jsonschema import Draft202012Validator

from recipe.record.schema import schema

from .conftest import SMALL, STAGES, Project


def test_a_users_own_data_and_model_go_through_all_six_stages(walked: Project) -> None:
    for stage in STAGES:
        report = json.loads((walked.run / stage / "report.json").read_text())
        Draft202012Validator(schema()).validate(report)
        assert report["verdict"] in ("pass", "warn")
        assert report["next"]["command"].startswith("recipe ")
        assert (walked.run / stage / "report.html").exists()
    run = json.loads((walked.run / "run.json").read_text())
    assert len(run["test_opened"]) == 1
    assert list(run["stages"]) == list(STAGES)
    assert not list(walked.run.rglob(".~*"))


def test_the_same_command_again_in_another_place_gives_the_same_but_for_times(walked: Project, tmp_path) -> None:
    again = Project(tmp_path)
    assert again("walk", *SMALL).returncode == 0
    assert again.result() == walked.result()


def test_killed_in_every_stage_it_goes_on_to_the_same(walked: Project, tmp_path) -> None:
    project = Project(tmp_path)
    killed = [
        project.killed_in(stage, records, "walk", *SMALL)
        for stage, records in zip(STAGES, (2, 5, 4, 6, 5, 2), strict=True)
    ]
    assert all(killed), "a kill that came too late proves nothing"
    assert project("walk", *SMALL).returncode == 0
    assert project.result() == walked.result()
    assert not list(project.run.rglob(".~*"))


def test_a_finished_walk_is_not_walked_again(walked: Project) -> None:
    before = {p: p.stat().st_mtime_ns for p in walked.run.glob("*/report.json")}
    done = walked("walk", *SMALL)
    assert done.returncode == 0
    assert done.stdout.count("done already") == len(STAGES)
    assert {p: p.stat().st_mtime_ns for p in walked.run.glob("*/report.json")} == before


def test_other_thresholds_are_judged_without_measuring_again(walked: Project, tmp_path) -> None:
    project = Project(tmp_path)
    shutil.copytree(walked.run, project.run)
    before = {p: p.stat().st_mtime_ns for p in project.run.glob("*/evidence/*.json")}
    done = project("walk", *SMALL, "checks.init-loss.skip='as known'", "--json")
    assert done.returncode == 0
    baseline = json.loads(done.stdout)[1]
    assert next(c for c in baseline["checks"] if c["id"] == "init-loss")["verdict"] == "skipped"
    assert {p: p.stat().st_mtime_ns for p in project.run.glob("*/evidence/*.json")} == before


def test_a_stage_alone_gives_what_it_gave_in_the_walk(walked: Project, tmp_path) -> None:
    alone = Project(tmp_path)
    for stage in STAGES[:2]:
        assert alone(stage, *SMALL).returncode == 0
        mine = json.loads((alone.run / stage / "report.json").read_text())
        its = json.loads((walked.run / stage / "report.json").read_text())
        assert mine["checks"]
        assert [c["message"] for c in mine["checks"]] == [c["message"] for c in its["checks"]]


def test_a_stage_is_refused_before_the_gate_before_it_is_open(tmp_path) -> None:
    done = Project(tmp_path)("overfit", *SMALL)
    assert done.returncode == 2
    assert "inspect-data" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


def test_another_data_set_is_refused_in_the_same_run_directory(walked: Project) -> None:
    done = walked("inspect-data", "data=digits", f"run.dir={walked.run}")
    assert done.returncode == 2
    assert "another data set" in done.stderr
    assert (walked.run / "ensemble" / "report.json").exists()


def test_rejudging_needs_no_torch_and_takes_other_thresholds(walked: Project) -> None:
    done = walked("judge", str(walked.run), "--json")
    assert done.returncode == 0, done.stderr
    assert [r["stage"] for r in json.loads(done.stdout)] == list(STAGES)
