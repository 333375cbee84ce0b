"""The whole walk on a GPU, for each kind of task, and trials as one recorded program; skipped where there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from recipe.config import compose
from recipe.run import run_stage
from recipe.training import replay
from recipe.tree import Tree
from recipe.trials.stacked import candidate
from tests.trials.test_stacked import CASES, alone, kitchen, one_diverges, together, trials_of, weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")

STAGES = ("baseline", "overfit", "regularize", "tune", "ensemble")
SMALL = [
    "device=cuda", "gate=off", "baseline.items=600", "baseline.val_items=250", "baseline.steps=150", "baseline.seeds=2",
    "overfit.epochs=10", "overfit.seeds=2", "regularize.seeds=2", "regularize.fresh=2", "regularize.fractions=[0.5]",
    "search.trials=4", "tune.seeds=2", "tune.schedules=[]", "ensemble.members=2", "ensemble.top=1",
]  # fmt: skip
HOST = ["data=custom", "model=custom", "trust=[recipe]"]
GALLERY = "recipe.gallery"
WALKS = {
    "pictures": ["data=digits", "model=convnet", "train.epochs=3"],
    "sequences": [
        *HOST, f"data._target_={GALLERY}.hosts.data", "data.host=sequence", f"model._target_={GALLERY}.hosts.Net",
        "train.epochs=5",
    ],
    "several labels": [
        *HOST, f"data._target_={GALLERY}.data.three_questions", "data.host=picture",
        f"model._target_={GALLERY}.hosts.Net", "task=multilabel", "train.epochs=3",
    ],
    "numbers": [
        "data=custom", "trust=[recipe]", f"data._target_={GALLERY}.data.numeric_target", "data.host=table",
        "model=mlp", "task=regression", "train.epochs=3",
    ],
    "characters": ["data=chars", "model=gru", "model.width=32", "train.steps=60"],
    "reconstruction": ["data=digits", "task=autoencoder", "model=conv_autoencoder", "train.epochs=3"],
}  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_every_stage_runs_and_nothing_is_left_on_another_device(walk: str, tmp_path: Path) -> None:
    overrides = [*WALKS[walk], *SMALL, f"run.dir={tmp_path / 'run'}"]
    if walk == "characters":
        text = tmp_path / "text.txt"
        text.write_text("the quick brown fox jumps over the lazy dog. " * 400)
        overrides.append(f"data.path={text}")
    for stage in STAGES:
        assert run_stage(stage, compose(overrides)) in (0, 1)
        report = json.loads((tmp_path / "run" / stage / "report.json").read_text())
        assert not [one["id"] for one in report["checks"] if "device" in (one["reason"] or "")]


@pytest.mark.parametrize("model", ["mlp", "convnet", "resnet"])
def test_the_same_run_gives_the_same_bytes(model: str) -> None:
    from recipe.ingredients import Ingredients

    ingredients = Ingredients(compose(["data=digits", f"model={model}", "device=cuda"]))
    first, second = (ingredients.train(0, steps=60) for _ in range(2))
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("model", ["mlp", "convnet"])
def test_recorded_steps_of_a_stack_are_its_steps(
    case: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Single trials draw other random numbers than stacks on a GPU; a stack that is not recorded draws the same."""
    words, changes, seeds = CASES[case]
    if model == "convnet":
        words = [*words, "model=convnet", "model.channels=4", "model.width=8"]
    made, trials = kitchen(*words, "device=cuda"), trials_of(changes, seeds)
    assert {candidate(trial, made).reason for trial in trials} == {""}
    recorded = together(trials, made, tmp_path / "recorded")
    recordings, refusals = told(monkeypatch)
    again = together(trials, made, tmp_path / "again")
    assert recordings
    assert not any(refusals)
    monkeypatch.setattr(replay, "WARM_UP", 1_000_000)
    plain = together(trials, made, tmp_path / "plain")
    for a, b, c in zip(plain, recorded, again, strict=True):
        assert b.history == c.history
        assert (b.status, b.steps, b.history.best_step) == (a.status, a.steps, a.history.best_step)
        assert b.history.losses == pytest.approx(a.history.losses, abs=1e-4)
        torch.testing.assert_close(
            weights(b, tmp_path / "recorded"), weights(a, tmp_path / "plain"), atol=1e-4, rtol=1e-3
        )
    if "dropout" not in case:
        for a, b in zip(alone(trials, made, tmp_path / "alone"), recorded, strict=True):
            # A GPU convolves in TF32, and the filters of one net otherwise than those of many.
            assert b.history.losses == pytest.approx(a.history.losses, abs=1e-3 if model == "mlp" else 0.03)


def told(monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], list[str]]:
    """What is recorded from now on, and why something is not."""
    recordings: list[object] = []
    refusals: list[str] = []
    proper, called = replay.Recording, replay.Replay.__call__

    def record(*given: Any) -> object:
        recordings.append(proper(*given))
        return recordings[-1]

    def call(self: replay.Replay, *given: Any) -> torch.Tensor:
        found = called(self, *given)
        refusals.append(self.refused)
        return found

    monkeypatch.setattr(replay, "Recording", record)
    monkeypatch.setattr(replay.Replay, "__call__", call)
    return recordings, refusals


def test_one_that_diverges_in_a_recorded_stack_does_not_touch_the_others(tmp_path: Path) -> None:
    one, many = one_diverges(tmp_path, "device=cuda", steps=80, atol=1e-3, rtol=1e-2)
    assert many[1].steps == one[1].steps


def test_an_error_while_recording_leaves_the_gpu_fit_for_use() -> None:
    def fetches(inputs: Tree, targets: torch.Tensor) -> torch.Tensor:
        assert isinstance(inputs, torch.Tensor)
        return inputs * float(inputs.sum()) + targets

    step = replay.Replay()
    found = [
        step(fetches, torch.ones(2, device="cuda"), torch.ones(2, device="cuda")) for _ in range(replay.WARM_UP + 3)
    ]
    assert step.refused
    assert all(one.tolist() == [3.0, 3.0] for one in found)
