"""A user's own small project, walked through the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

PROJECT = """
import torch


def data(seed):
    generator = torch.Generator().manual_seed(7)
    y = torch.arange(420) % 3
    centres = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    x = centres[y] + 0.6 * torch.randn(420, 2, generator=generator)
    return {"train": (torch.cat([x, x[:, :1] * x[:, 1:]], 1), y), "classes": ["north", "east", "west"]}


class Net(torch.nn.Module):
    def __init__(self, input_shape, num_outputs, width=24):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(input_shape[0], width), torch.nn.ReLU())
        self.head = torch.nn.Linear(width, num_outputs)

    def forward(self, x):
        return self.head(self.body(x))
"""
SMALL = [
    "data._target_=mine.data", "model._target_=mine.Net", "trust=[mine]", "device=cpu", "optimizer.lr=0.01",
    "overfit.epochs=40", "overfit.seeds=2", "overfit.tolerance=0.05",
    "regularize.seeds=2", "regularize.fresh=2", "regularize.fractions=[0.5]",
    "search.trials=4", "tune.seeds=2", "tune.schedules=[]", "ensemble.members=2", "ensemble.top=1",
]  # fmt: skip
STAGES = ("inspect-data", "baseline", "overfit", "regularize", "tune", "ensemble")
# What may differ between equal runs: times (the evidence of a finding is what each piece took).
TIMES = {"seconds", "started", "finished", "when", "git", "since", "evidence"}


class Project:
    """A folder with mine.py, and the real command in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mine.py").write_text(PROJECT)
        self.folder = folder
        self.run = folder / "runs" / "mine"

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RECIPE_")} | {"NO_COLOR": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "recipe", *words], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=600)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def killed_in(self, stage: str, records: int, *words: str) -> bool:
        """Starts the command and kills its group once the stage has written `records`; False if it ended before."""
        process = self.start(*words)
        work = self.run / ".work" / stage
        while process.poll() is None:
            if len(list(work.glob("evidence/*.json")) + list(work.glob("trials/*/result.json"))) >= records:
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(0.01)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def result(self) -> dict[str, Any]:
        """All that must be equal: the reports without times, the recipe, and the bytes of the weights."""
        reports: dict[str, Any] = {}
        for stage in STAGES:
            leaves(without_times(json.loads((self.run / stage / "report.json").read_text())), stage, reports)
        weights = {p.name: p.read_bytes() for p in sorted((self.run / "ensemble" / "model").glob("*.safetensors"))}
        assert weights
        return {**reports, "recipe": (self.run / "recipe.yaml").read_text(), **weights}


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def leaves(value: Any, path: str, found: dict[str, Any]) -> None:
    """Every number and word of a report by its path, so that a difference shows where it is."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        leaves(item, f"{path}.{key}", found)
    if not items:
        found[path] = value


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after an unbroken walk."""
    project = Project(tmp_path_factory.mktemp("unbroken"))
    done = project("walk", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    return project
