"""Completion, by function and through a real bash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recipe
from recipe.commands.completion import BASH, candidates


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("recipe over", ["overfit"]),
        ("recipe --v", ["--version"]),
        ("recipe overfit --cf", ["--cfg"]),
        ("recipe overfit mod", ["model=", "model."]),
        ("recipe overfit model=convn", ["model=convnet"]),
        ("recipe overfit optimizer=sgd optimizer.mo", ["optimizer.momentum="]),
        ("recipe overfit train.batch", ["train.batch_size="]),
        ("recipe overfit ++train.batch", ["++train.batch_size="]),
        ("recipe overfit gate=", ["gate=on", "gate=off"]),
        ("recipe validate checks.init-loss.sk", ["checks.init-loss.skip="]),
        ("recipe explain init-lo", ["init-loss"]),
        ("recipe cat model/convn", ["model/convnet"]),
        ("recipe ls opt", ["optimizer"]),
        ("recipe completion z", ["zsh"]),
        ("recipe overfit --config-name ", []),
        ("recipe overfit nope.", []),
    ],
)
def test_what_could_come_next(line: str, wanted: list[str]) -> None:
    assert candidates(line) == wanted


def test_a_users_own_options_are_offered(tmp_path: Path) -> None:
    (tmp_path / "conf/model").mkdir(parents=True)
    (tmp_path / "conf/model/mine.yaml").write_text("_target_: a.B\nsize: 3\n")
    assert candidates("recipe overfit model=mi") == ["model=mine"]
    assert candidates("recipe overfit model=mine model.si") == ["model.size="]


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "wanted"),
    [("recipe over", "overfit"), ("recipe overfit model=convn", "convnet"), ("recipe tune train.ep", "train.epochs=")],
)
def test_bash_completes(line: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/recipe").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m recipe "$@"\n')
    (tmp_path / "bin/recipe").chmod(0o755)
    script = (
        f'{BASH}\nCOMP_LINE="{line}" COMP_POINT={len(line)}; _recipe 2>/dev/null; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    environment = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(recipe.__file__).parents[1]),
    }
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [wanted]
