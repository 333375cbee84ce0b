"""What a finished stage leaves behind: its pages, the run's own files, and what people and trackers are told."""

from __future__ import annotations

import sys
from pathlib import Path

from recipe.config import Composed
from recipe.record.evidence import Shelf
from recipe.record.files import write_json, write_text
from recipe.record.plain import from_json, to_plain
from recipe.record.report import Report
from recipe.record.run_directory import STAGES, RunDirectory, StageState
from recipe.record.trial import Outcome
from recipe.render.stage_report import illustrated, show_stage, write_run_report, write_stage_report
from recipe.track.tracker import track, trackers_of


def conclude(run: RunDirectory, report: Report, composed: Composed, *, show: bool) -> Report:
    """What is left to do once a stage's folder is in its place: the run's own files, what people and trackers see."""
    settle(run)
    folder = run.stage_folder(report.stage)
    outcomes = outcomes_in(folder)
    if show:
        show_stage(report, run.shelf(report.stage), outcomes)
    trackers = trackers_of(composed.plain["track"])
    for trouble in track(trackers, run.path, composed.plain["run"]["name"], report, outcomes):
        print(f"recipe: {trouble}", file=sys.stderr)
    run.settled(report.stage)
    return report


def outcomes_in(folder: Path) -> list[Outcome]:
    """The outcomes of a stage's trials, by name."""
    return [from_json(file.read_bytes(), Outcome) for file in sorted(folder.glob("trials/*/result.json"))]


def write_reports(folder: Path, report: Report) -> Report:
    """report.json and the same for people; the findings learn which figures speak of them."""
    shelf, outcomes = Shelf(folder / "evidence"), outcomes_in(folder)
    report = illustrated(report, shelf, outcomes)
    write_json(folder / "report.json", report)
    write_stage_report(folder, report, shelf, outcomes)
    return report


def settle(run: RunDirectory) -> None:
    """What follows from the finished stages: recipe.yaml, run.json and the run's page."""
    reports = [(report, run.stage_folder(s)) for s in STAGES if (report := run.report(s))]
    last, folder = reports[-1]
    recipe = (folder / "recipe.yaml").read_text()
    write_text(run.recipe_file, recipe)
    states = {
        report.stage: StageState(
            verdict=report.verdict, seconds=report.seconds, finished=report.started, metric=headline_of(report)
        )
        for report, _ in reports
    }
    run.update(stages=states, seed=last.seed, environment=last.environment)
    write_run_report(run.path, reports, recipe, to_plain(run.run))


def headline_of(report: Report) -> str:
    """The stage's leading number, for a table."""
    for split in ("test", "val", "train"):
        for name, value in report.metrics.get(split, {}).items():
            return f"{split} {name} {value}"
    return ""
