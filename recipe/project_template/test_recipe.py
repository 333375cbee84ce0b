"""`pytest`: on a sample of the data, `recipe baseline` finds nothing wrong between data, model and loss."""

import subprocess
import sys
from pathlib import Path


def test_baseline_finds_nothing_wrong(tmp_path: Path) -> None:
    for stage in ("inspect-data", "baseline"):
        words = ["data.limit=400", "baseline.seeds=2", f"run.dir={tmp_path / 'run'}"]
        command = [sys.executable, "-m", "recipe", stage, *words]
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
