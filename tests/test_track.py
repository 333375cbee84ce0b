"""Trackers are told what the run directory says; one that fails costs nothing else; one that is absent is refused."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from recipe.conclusion import outcomes_in
from recipe.config import compose
from recipe.record.plain import from_json
from recipe.record.refusal import Refusal
from recipe.record.report import Report
from recipe.run import run_stage
from recipe.track import tracker

FEW = [
    "model=mlp", "model.width=16", "model.depth=1", "train.epochs=3", "gate=off", "engine.workers=1",
    "optimizer.lr=0.01", "ensemble.members=2", "ensemble.snapshots=0", "ensemble.averages=false",
]  # fmt: skip


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was told to all trackers that are installed here."""
    run = tmp_path_factory.mktemp("tracked") / "run"
    names = [name for name, package in tracker.PACKAGES.items() if importlib.util.find_spec(package)]
    assert run_stage("ensemble", compose([*FEW, f"run.dir={run}", f"track=[{','.join(names)}]"])) == 0
    return run


def outcomes(run: Path):
    return outcomes_in(run / "ensemble")


def headline(run: Path) -> float:
    report = from_json((run / "ensemble" / "report.json").read_bytes(), Report)
    return report.metrics["test"]["accuracy"].mean


def test_tensorboard_reads_every_loss_and_the_table_of_settings(tracked: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for outcome in outcomes(tracked):
        events = EventAccumulator(
            str(tracked / "tracked/tensorboard/ensemble" / outcome.trial.id), size_guidance={"scalars": 0}
        )
        events.Reload()
        losses = [one.value for one in events.Scalars("train/batch_loss")]
        assert losses == pytest.approx(list(outcome.history.losses), rel=1e-6)
        assert [one.step for one in events.Scalars("val/loss")][:-1] == [p.step for p in outcome.history.points]
        assert "_hparams_/session_start_info" in events.summary_metadata
    stage = EventAccumulator(str(tracked / "tracked/tensorboard/ensemble"))
    stage.Reload()
    assert stage.Scalars("test/accuracy")[0].value == pytest.approx(headline(tracked))


def test_mlflow_has_a_run_for_the_stage_and_one_for_each_training(tracked: Path) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{tracked / 'tracked/mlflow/mlflow.db'}")
    experiment = client.get_experiment_by_name("digits")
    assert experiment is not None
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {"ensemble", *(outcome.trial.id for outcome in outcomes(tracked))}
    assert runs["ensemble"].data.metrics["test/accuracy"] == pytest.approx(headline(tracked))
    assert runs["ensemble"].data.params["optimizer.lr"] == "0.01"
    for outcome in outcomes(tracked):
        told = runs[outcome.trial.id]
        assert told.data.tags["mlflow.parentRunId"] == runs["ensemble"].info.run_id
        history = client.get_metric_history(told.info.run_id, "train/batch_loss")
        assert [one.value for one in history] == pytest.approx(list(outcome.history.losses))


def test_weights_and_biases_keeps_offline_runs_to_be_sent(tracked: Path) -> None:
    pytest.importorskip("wandb")
    kept = list((tracked / "tracked/wandb/ensemble/wandb").glob("offline-run-*/*.wandb"))
    assert len(kept) == 1 + len(outcomes(tracked))
    written = b"".join(file.read_bytes() for file in kept)
    assert all(outcome.trial.id.encode() in written for outcome in outcomes(tracked))


def test_a_stage_that_is_run_again_stands_once(tracked: Path) -> None:
    pytest.importorskip("mlflow")
    from mlflow.tracking import MlflowClient

    report = from_json((tracked / "ensemble" / "report.json").read_bytes(), Report)
    names = [name for name in ("tensorboard", "mlflow") if importlib.util.find_spec(name)]
    assert list(tracker.track(names, tracked, "digits", report, outcomes(tracked))) == []
    client = MlflowClient(tracking_uri=f"sqlite:///{tracked / 'tracked/mlflow/mlflow.db'}")
    found = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert len(found) == 1 + len(outcomes(tracked))
    events = list((tracked / "tracked/tensorboard/ensemble").glob("events.*"))
    assert len(events) == 1


def test_what_is_written_changes_nothing_of_the_stage(tracked: Path, tmp_path: Path) -> None:
    assert run_stage("ensemble", compose([*FEW, f"run.dir={tmp_path / 'run'}"])) == 0
    assert not (tmp_path / "run" / "tracked").exists()
    for name in ("identity", "recipe.yaml"):
        assert (tmp_path / "run/ensemble" / name).read_bytes() == (tracked / "ensemble" / name).read_bytes()


def test_a_tracker_that_fails_is_told_and_the_stage_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")

    def refuse(*_: object) -> None:
        raise ConnectionError("nobody is there\nat all")

    monkeypatch.setattr("recipe.track.tensorboard.write", refuse)
    words = ["baseline.checks=[output-width]", "gate=off", "track=tensorboard", f"run.dir={tmp_path / 'run'}"]
    assert run_stage("baseline", compose(words)) == 0
    assert "tensorboard could not be told of baseline (nobody is there); all of it is in" in capsys.readouterr().err
    assert json.loads((tmp_path / "run/baseline/report.json").read_text())["verdict"] == "pass"


def test_one_that_is_not_installed_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else there(name))
    with pytest.raises(Refusal, match="needs wandb, which is not installed") as refused:
        run_stage("baseline", compose(["track=wandb", "gate=off", f"run.dir={tmp_path / 'run'}"]))
    assert refused.value.fix == "pip install 'recipe[wandb]'"
    assert not list(tmp_path.rglob("report.json"))


def test_others_are_refused_by_name() -> None:
    with pytest.raises(Refusal, match="tensorboard, mlflow, wandb"):
        compose(["track=neptune"])
