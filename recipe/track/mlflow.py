"""MLflow: an experiment for the run directory, a run for each stage, and below it one for each training.

They go to the server that MLFLOW_TRACKING_URI names, else into RUN/tracked/mlflow/mlflow.db:
`mlflow ui --backend-store-uri sqlite:///RUN/tracked/mlflow/mlflow.db`.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recipe.track.tracker import TrackedStage

MOST = 900
"""Metrics in one call, of the thousand that MLflow takes; so many parameters are a hundred."""
PARAMETERS = 100
LONGEST = 500
"""Characters of a parameter's value."""


def write(told: TrackedStage, folder: Path) -> None:
    """Those of an earlier run of the stage are marked as deleted."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    from mlflow.tracking import MlflowClient

    own = f"sqlite:///{(folder / 'mlflow.db').resolve()}"
    client = MlflowClient(tracking_uri=os.environ.get("MLFLOW_TRACKING_URI") or own)
    experiment = client.get_experiment_by_name(told.project)
    place = (folder / "artifacts").resolve().as_uri()
    where = experiment.experiment_id if experiment else client.create_experiment(told.project, artifact_location=place)
    mark = {"recipe.stage": told.stage, "recipe.folder": str(told.folder.resolve())}
    asked = " and ".join(f"tags.`{key}` = '{value}'" for key, value in mark.items())
    for old in client.search_runs([where], filter_string=asked, max_results=10_000):
        client.delete_run(old.info.run_id)
    parent = client.create_run(where, run_name=told.stage, tags={**mark, "mlflow.note.content": told.text[:5000]})
    _log(client, parent.info.run_id, told.settings, {tag: [(0, value)] for tag, value in told.results.items()})
    client.set_terminated(parent.info.run_id)
    for run in told.runs:
        tags = {**mark, "mlflow.parentRunId": parent.info.run_id, "recipe.status": run.status}
        made = client.create_run(where, run_name=run.name, tags=tags)
        last = {tag: [(0, value)] for tag, value in run.results.items() if tag not in run.series}
        _log(client, made.info.run_id, run.settings, {**run.series, **last})
        client.set_terminated(made.info.run_id, status="FINISHED" if run.status != "failed" else "FAILED")


def _log(client: Any, run: str, settings: Mapping[str, Any], series: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(key, str(value)[:LONGEST]) for key, value in settings.items()]
    for part in _parts(params, PARAMETERS):
        client.log_batch(run, params=part)
    metrics = [Metric(tag, value, now, step) for tag, values in series.items() for step, value in values]
    for part in _parts(metrics, MOST):
        client.log_batch(run, metrics=part)


def _parts(values: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
