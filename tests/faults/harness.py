"""Runs the real baseline story on a planted fault, but measures only what is asked for."""

from __future__ import annotations

from pathlib import Path

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.judge import catalogue, judge
from recipe.record.report import Finding
from recipe.record.run_directory import RunDirectory
from recipe.stages import baseline
from recipe.stages.stage import Stage

QUICK = ["baseline.items=600", "baseline.val_items=250", "baseline.steps=150", "baseline.seeds=2"]


EVERY = {need.name for one in catalogue("baseline") for need in one.needs}


def baseline_stage(overrides: list[str], folder: Path, evidence: set[str], budget: float | None = None) -> Stage:
    """The stage, ready to be told, without all other evidence."""
    ingredients = Ingredients(compose([*QUICK, "trust=[zoo]", f"run.dir={folder}", *overrides]))
    run = RunDirectory(folder)
    return Stage("baseline", ingredients, folder / "baseline", run, budget=budget, without=EVERY - evidence)


def baseline_findings(overrides: list[str], folder: Path, checks: set[str] | None = None) -> dict[str, Finding]:
    """Findings by check. checks: only their evidence is measured; None: all but what needs a new process."""
    needed = {need.name for one in catalogue("baseline") for need in one.needs if checks is None or one.id in checks}
    stage = baseline_stage(overrides, folder, needed if checks else needed - {"determinism"})
    baseline.tell(stage)
    return {finding.id: finding for finding in judge("baseline", stage.shelf, stage.ingredients.config["checks"])}
