"""The run that the campaigns break: a few hundred digits, and the shortest plan through all six stages."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

STAGES = ("inspect-data", "baseline", "overfit", "regularize", "tune", "ensemble")
DATA = """
import numpy as np


def digits():
    from sklearn.datasets import load_digits

    found = load_digits()
    return {"train": (found.images[:400, None].astype(np.uint8), found.target[:400]), "classes": [*"0123456789"]}
"""
PLAN = (
    "data._target_=few.digits", "trust=[few]", "device=cpu", "engine.workers=1",
    "model=mlp", "model.width=32", "model.depth=1", "optimizer.lr=0.01",
    "train.epochs=4", "baseline.checks=[init-loss, overfit-one-batch]",
    "overfit.epochs=30", "overfit.seeds=2", "overfit.edge_steps=10", "overfit.shares=[0.1]", "overfit.tolerance=0.2",
    "overfit.rungs=[{name: small, change: {model.width: 32}, expects: fit}]",
    "regularize.seeds=2", "regularize.fresh=2", "regularize.fractions=[0.5]",
    "regularize.ideas=[{name: dropout, change: {regularizers.dropout: 0.3}, expects: a little}]",
    "search.trials=4", "search.generation=2", "tune.seeds=2", "tune.schedules=[]",
    "ensemble.members=2", "ensemble.top=1", "ensemble.snapshots=2",
    "gate=off", "run.dir=run",
)  # fmt: skip
# What may differ between equal runs: times and estimates of them (the evidence of a finding is what each piece took).
TIMES = {
    "seconds",
    "started",
    "finished",
    "when",
    "git",
    "since",
    "evidence",
    "estimate",
    "each",
    "trial_seconds",
    "costs",
}


def place(folder: Path) -> Path:
    """A folder in which the plan can be run; the run directory is `run` in it."""
    folder.mkdir(parents=True)
    (folder / "few.py").write_text(DATA)
    return folder


def copy_of(folder: Path, target: Path) -> Path:
    """The folder as it is now, elsewhere."""
    shutil.copytree(folder, target, symlinks=True)
    return target


def result(run: Path, stages: tuple[str, ...]) -> dict[str, Any]:
    """All that must be equal between two runs: reports and records without times, every other file's bytes."""
    found: dict[str, Any] = {}
    for stage in stages:
        for file in sorted((run / stage).rglob("*")):
            name = str(file.relative_to(run))
            if not file.is_file() or name.endswith((".html", ".md", "story.json")):
                continue  # they are drawn from the records, times included
            data = file.read_bytes()
            if file.suffix == ".json":
                found[name] = without_times(json.loads(data))
            elif file.suffix == ".db":
                found[name] = rows_of(file)
            elif file.suffix == ".csv":
                found[name] = [without_times(row) for row in csv.DictReader(data.decode().splitlines())]
            else:
                found[name] = data
    found["recipe.yaml"] = (run / "recipe.yaml").read_text()
    return found


def rows_of(database: Path) -> dict[str, list[Any]]:
    """What a study's database says, but for when: its pages are laid out as they were written."""
    found: dict[str, list[Any]] = {}
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        for (table,) in connection.execute("select name from sqlite_master where type='table'").fetchall():
            names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
            told = [name for name in names if not name.startswith("datetime")]
            rows = connection.execute(f"select {', '.join(told)} from {table}").fetchall()
            found[table] = sorted(
                repr([without_times(json.loads(v)) if isinstance(v, str) and v[:1] == "{" else v for v in row])
                for row in rows
            )
    return found


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """Names of what is not the same in both."""
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
