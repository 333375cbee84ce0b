"""`recipe init`: the project works as it is, its own test included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import recipe
from recipe import cli


def test_the_projects_own_test_passes(tmp_path: Path) -> None:
    assert cli.main(["init", str(tmp_path / "project")]) == 0
    environment = {**os.environ, "PYTHONPATH": str(Path(recipe.__file__).parents[1])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_recipe.py"]
    done = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
