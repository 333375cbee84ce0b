"""Runs the real baseline story on a planted fault, but measures only what is asked for."""

from __future__ import annotations

from pathlib import Path

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.judge import catalogue, judge
from recipe.record.evidence import Unmeasured
from recipe.record.report import Finding
from recipe.record.run_directory import RunDirectory
from recipe.stages import baseline
from recipe.stages.stage import Stage

QUICK = ["baseline.items=600", "baseline.val_items=250", "baseline.steps=150", "baseline.seeds=2"]


def baseline_findings(
    overrides: list[str], folder: Path, checks: set[str] | None = None, leave_out: set[str] = frozenset({"determinism"})
) -> dict[str, Finding]:
    """Findings by check. checks: only the evidence that these need is measured; leave_out: evidence that is not."""
    ingredients = Ingredients(compose([*QUICK, "trust=[zoo]", f"run.dir={folder}", *overrides]))
    stage = Stage("baseline", ingredients, folder / "baseline", RunDirectory(folder))
    needed = {need.name for one in catalogue("baseline") for need in one.needs if checks is None or one.id in checks}
    every = {need.name for one in catalogue("baseline") for need in one.needs}
    for name in every - (needed - (leave_out if checks is None else set())):
        stage.shelf.put(name, Unmeasured(reason="not asked for"))
    baseline.tell(stage)
    return {finding.id: finding for finding in judge("baseline", stage.shelf, ingredients.config["checks"])}
