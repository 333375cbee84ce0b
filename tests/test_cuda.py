"""The whole walk on a GPU, for each kind of task; skipped where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from recipe.config import compose
from recipe.run import run_stage

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


def test_the_same_run_gives_the_same_bytes() -> None:
    from recipe.ingredients import Ingredients

    ingredients = Ingredients(compose(["data=digits", "model=mlp", "device=cuda"]))
    first, second = (ingredients.train(0, steps=60) for _ in range(2))
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
