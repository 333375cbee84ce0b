"""Weights & Biases, offline: `wandb sync RUN/tracked/wandb/STAGE/wandb/offline-run-*` sends what you want to send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recipe.record.files import make_folder, remove
from recipe.track.tracker import TrackedStage


def write(told: TrackedStage, folder: Path) -> None:
    """A run for the stage and one for each training, grouped by the stage; those of an earlier run of it go."""
    place = folder / told.stage
    remove(place)
    make_folder(place)
    results = {tag: [(0, value)] for tag, value in told.results.items()}
    _write(told, place, told.stage, told.settings, results, told.results, notes=told.text)
    for run in told.runs:
        _write(told, place, run.name, {**run.settings, "status": run.status}, run.series, run.results)


def _write(
    told: TrackedStage,
    place: Path,
    name: str,
    settings: Mapping[str, Any],
    series: Mapping[str, Any],
    results: Mapping[str, float],
    *,
    notes: str = "",
) -> None:
    import wandb

    quiet = wandb.Settings(
        silent=True, console="off", disable_git=True, save_code=False, disable_code=True, x_disable_stats=True,
        x_disable_meta=True,
    )  # fmt: skip
    run = wandb.init(
        project=told.project, group=told.stage, name=name, notes=notes or None, config=dict(settings), dir=str(place),
        mode="offline", settings=quiet, reinit="finish_previous",
    )  # fmt: skip
    try:
        steps: dict[int, dict[str, float]] = {}
        for tag, values in series.items():
            for step, value in values:
                steps.setdefault(step, {})[tag] = value
        for step in sorted(steps):
            run.log(steps[step], step=step)
        run.summary.update(dict(results))
    finally:
        run.finish()
