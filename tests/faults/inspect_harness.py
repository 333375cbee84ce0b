"""Runs the real story of inspect-data on planted faults, measuring only what is asked for."""

from __future__ import annotations

from pathlib import Path

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.judge import catalogue, judge
from recipe.record.evidence import Unmeasured
from recipe.record.report import Finding
from recipe.record.run_directory import RunDirectory
from recipe.stages import inspect_data
from recipe.stages.stage import Stage

NEEDED = {one.id: {need.name for need in one.needs} for one in catalogue("inspect-data")}


def inspect_findings(overrides: list[str], folder: Path, check: str | None = None) -> dict[str, Finding]:
    """Findings by check. check: only its evidence is measured, which is enough for it; None: all."""
    ingredients = Ingredients(compose(["trust=[zoo]", f"run.dir={folder}", *overrides]))
    stage = Stage("inspect-data", ingredients, folder / "inspect-data", RunDirectory(folder))
    if check is not None:
        for name in set().union(*NEEDED.values()) - NEEDED[check]:
            stage.shelf.put(name, Unmeasured(reason="not asked for"))
    inspect_data.tell(stage)
    return {finding.id: finding for finding in judge("inspect-data", stage.shelf, ingredients.config["checks"])}
