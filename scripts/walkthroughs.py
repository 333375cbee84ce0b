"""Runs what docs/walkthroughs tells of, and writes what recipe said there: both stages, before and after the mend.

    scripts/walkthroughs [NAME …]

In each folder: said.txt, what the terminal showed of the faulty run; mended.txt, the same after the mend; report.md
with its figures: of inspect-data where that closes the gate, else of baseline on the checks that matter.
tests/test_walkthroughs.py holds that each still names its cause.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.walkthroughs import WALKTHROUGHS, Walkthrough  # noqa: E402

RECIPE = [sys.executable, "-m", "recipe"]
WIDTH = "100"


def recipe(folder: Path, stage: str, run: Path, *words: str) -> str:
    """What the command prints, without its progress."""
    environment = os.environ | {"COLUMNS": WIDTH, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [*RECIPE, stage, *words, f"run.dir={run}"], cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.stdout


def shown(text: str, run: Path) -> str:
    """The gate, and the checks that did not pass; the run directory under a name that anyone can have."""
    kept, on = [], False
    for line in text.splitlines():
        if re.match(r"(FAIL|WARN|next:|\S+: The gate|recipe: )", line):
            on = True
        elif not line.startswith("  "):
            on = False
        if on:
            kept.append(line.rstrip())
    return "\n".join(kept).replace(str(run), "runs/mine") + "\n"


def walk(one: Walkthrough) -> None:
    folder = ROOT / "docs/walkthroughs" / one.name
    with tempfile.TemporaryDirectory() as place:
        for name, words in (("said", one.wrong), ("mended", one.right)):
            run = Path(place) / name
            told = ""
            for stage in ("inspect-data", "baseline"):
                command = shlex.join(["recipe", stage, *words])
                text = recipe(folder, stage, run, *words)
                if text:
                    told += f"$ {command}\n{shown(text, run)}\n"
            (folder / f"{name}.txt").write_text(told)
        run = Path(place) / "said"
        if one.checks:
            recipe(folder, one.stage, run, *one.wrong, f"baseline.checks=[{','.join(one.checks)}]")
        keep(run / one.stage, folder)


def keep(stage: Path, folder: Path) -> None:
    """The page in Markdown, and the figures that it shows."""
    shutil.rmtree(folder / "figures", ignore_errors=True)
    text = (stage / "report.md").read_text()
    for figure in re.findall(r"\]\((figures/[^)]+)\)", text):
        (folder / "figures").mkdir(exist_ok=True)
        shutil.copy(stage / figure, folder / figure)
    (folder / "report.md").write_text(text.replace(str(stage.parent), "runs/mine"))


def main() -> int:
    names = sys.argv[1:] or [one.name for one in WALKTHROUGHS]
    for one in WALKTHROUGHS:
        if one.name in names:
            walk(one)
            print(f"wrote docs/walkthroughs/{one.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
