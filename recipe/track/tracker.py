"""What trackers are told of a stage, and who tells them: after it is finished, from what lies in its folder.

A tracker that fails costs its own files and nothing else. All of them write below `tracked` in the run directory,
unless MLFLOW_TRACKING_URI names a server.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipe.record.files import make_folder
from recipe.record.refusal import Refusal
from recipe.record.report import Report
from recipe.record.secret import hidden
from recipe.record.trial import Outcome

PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
"""What `track` may name: the package each needs, which is the extra of that name."""
FOLDER = "tracked"


@dataclass(frozen=True)
class TrackedRun:
    """One training. series: {tag: [(step, value)]}; results: its last metrics; settings: what it changes, flat."""

    name: str
    settings: Mapping[str, Any]
    series: Mapping[str, Sequence[tuple[int, float]]]
    results: Mapping[str, float]
    status: str


@dataclass(frozen=True)
class TrackedStage:
    """One stage. folder: the stage's own, as it is finished; results: its headlines; text: its report in Markdown."""

    project: str
    stage: str
    folder: Path
    settings: Mapping[str, Any]
    results: Mapping[str, float]
    text: str
    runs: Sequence[TrackedRun] = field(default_factory=tuple)


def trackers_of(named: str | Sequence[str] | None) -> list[str]:
    """The trackers that the config names. Raises Refusal for one whose package is not there, before anything runs."""
    names = [named] if isinstance(named, str) else list(named or ())
    for name in names:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise Refusal(
                f"needs {PACKAGES[name]}, which is not installed",
                where=f"track={name}",
                fix=f"pip install 'recipe[{name}]'",
            )
    return names


def track(names: Sequence[str], run: Path, project: str, report: Report, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Tells each tracker of a finished stage; yields a sentence about every one that could not be told."""
    told = stage_of(run / report.stage, project, report, outcomes)
    for name in names:
        try:
            # What a tracker's own dependencies have to say is not for our users.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                importlib.import_module(f"recipe.track.{name}").write(told, make_folder(run / FOLDER / name))
        except Exception as error:  # theirs, of any kind: the stage is finished and stands
            reason = hidden((str(error).strip() or type(error).__name__).splitlines()[0])[:200]
            yield f"{name} could not be told of {report.stage} ({reason}); all of it is in {run}"


def stage_of(folder: Path, project: str, report: Report, outcomes: Sequence[Outcome]) -> TrackedStage:
    """A stage as trackers see it."""
    results = {f"{split}/{name}": value.mean for split, some in report.metrics.items() for name, value in some.items()}
    verdicts = [finding.verdict for finding in report.checks]
    counts = {f"checks/{level}": float(verdicts.count(level)) for level in ("pass", "warn", "fail", "skipped")}
    page = folder / "report.md"
    return TrackedStage(
        project=project,
        stage=report.stage,
        folder=folder,
        settings=dict(_flat(report.config)),
        results=_finite(results) | counts,
        text=page.read_text(encoding="utf-8") if page.exists() else "",
        runs=tuple(_run_of(outcome) for outcome in outcomes),
    )


def _run_of(outcome: Outcome) -> TrackedRun:
    history, trial = outcome.history, outcome.trial
    series: dict[str, list[tuple[int, float]]] = {
        "train/batch_loss": list(enumerate(history.losses, 1)),
        "rate": list(enumerate(history.rates, 1)),
    }
    for point in history.points:
        for split, metrics in point.metrics.items():
            for name, value in metrics.items():
                series.setdefault(f"{split}/{name}", []).append((point.step, value))
    results = {f"{split}/{name}": value for split, some in outcome.metrics.items() for name, value in some.items()}
    return TrackedRun(
        name=trial.id,
        settings={**dict(_flat(trial.change)), "seed": trial.seed},
        series={tag: [(step, v) for step, v in values if math.isfinite(v)] for tag, values in series.items() if values},
        results=_finite(results),
        status=outcome.status,
    )


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and plain values; lists as text."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(one, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, value if isinstance(value, (bool, int, float, str)) else str(value)


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}
