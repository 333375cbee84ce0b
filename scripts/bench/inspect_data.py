"""Runs `recipe inspect-data` and cleanlab's Datalab with CleanVision on the same small pictures, each as one process.

    scripts/bench/inspect [--sets fashion_mnist,cifar10] [--pictures 60000] [--only recipe|datalab] [--data FOLDER]

Seconds are of the whole process, by the clock and of the processor (all cores); memory is the most that the process and
its children held together, shared pages counted once. Datalab is given what its documentation asks for: the pictures
as a Hugging Face dataset, features (the pooled ones that recipe makes, not counted), and out-of-sample probabilities
of a logistic regression, which are counted, as recipe makes its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from recipe.config import compose  # noqa: E402
from recipe.data import torchvision_files  # noqa: E402
from recipe.data.assemble import assemble  # noqa: E402
from recipe.data.scan import Scan  # noqa: E402
from recipe.record.refusal import Refusal  # noqa: E402

FOLDERS = {"fashion_mnist": "fashion-mnist", "mnist": "mnist", "cifar10": "cifar10"}


class Cost(NamedTuple):
    seconds: float
    processor: float
    gigabytes: float
    told: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default="fashion_mnist,cifar10")
    parser.add_argument("--pictures", type=int, default=60_000)
    parser.add_argument("--only", choices=("recipe", "datalab"))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--datalab", type=Path, help="the Python that has cleanlab")
    asked = parser.parse_args()
    for name in asked.sets.split(","):
        try:
            found = getattr(torchvision_files, name)(str(asked.data / FOLDERS[name]))
        except Refusal as missing:
            print(f"{name}: skipped: {missing}")
            continue
        compare(name, found, asked)
    return 0


def compare(name: str, found: dict, asked: argparse.Namespace) -> None:
    """One set: both programs, then what they cost."""
    x, y = (
        np.concatenate([np.asarray(part) for part in two]) for two in zip(found["train"], found["test"], strict=True)
    )
    x, y = x[: asked.pictures], y[: asked.pictures]
    print(f"{name}: {len(x):,} pictures of {x.shape[2]} × {x.shape[3]}", flush=True)
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "pictures.npz"), x=x, y=y)
        if asked.only != "datalab":
            words = ["inspect-data", "data=arrays", "data.path=pictures.npz", "run.dir=run"]
            costs["recipe"] = run([sys.executable, "-m", "recipe", *words], folder)
        if asked.only != "recipe":
            if not asked.datalab or not asked.datalab.exists():
                print("  Datalab: skipped: there is no environment with cleanlab")
            else:
                np.save(Path(folder, "features.npy"), pooled(x, y))
                costs["Datalab"] = run([str(asked.datalab), str(ROOT / "scripts/bench/inspect_datalab.py")], folder)
    for program, cost in costs.items():
        told = f"{cost.seconds:7.1f} s, {cost.processor:7.1f} s of the processor, {cost.gigabytes:5.2f} GB"
        print(f"  {program:8s}{told}  {cost.told}", flush=True)
    if len(costs) == 2:
        ours, theirs = costs["recipe"], costs["Datalab"]
        times, processor = theirs.seconds / ours.seconds, theirs.processor / ours.processor
        print(f"  recipe is {times:.1f} times as fast by the clock, {processor:.1f} by the processor", flush=True)


def pooled(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The features that recipe takes distances by, in the order of the pictures."""
    settings = compose([]).plain["data"] | {"test_fraction": 0}
    data = assemble({"train": (x, y)}, settings, 0, "auto")
    scan = Scan(data)
    features = np.empty((len(x), scan.splits["train"].features.shape[1]), np.float32)
    for one in scan.splits.values():
        features[one.split.rows.numpy()[one.positions]] = one.features
    return features


def run(words: list[str], folder: str) -> Cost:
    """The program, to its end."""
    log = Path(folder, "log.txt")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    with log.open("w") as out:
        process = subprocess.Popen(words, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment)
        peak = [0.0]
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
    lines = log.read_text().splitlines()
    if process.returncode not in (0, 1):
        print("\n".join(lines[-15:]))
        raise SystemExit(f"{words[0]} ended with {process.returncode}")
    told = next((line for line in lines if line.startswith("{")), "")
    parts = ", ".join(f"{key} {value:.1f} s" for key, value in json.loads(told).items()) if told else ""
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak[0] / 1e9, f"({parts})" if parts else "")


def watch(process: subprocess.Popen, peak: list[float]) -> None:
    """Keeps the largest memory of the process and its children, four times a second."""
    while process.returncode is None:
        peak[0] = max(peak[0], sum(map(held, family(process.pid))))
        time.sleep(0.25)


def family(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in below for one in family(int(child)))]


def held(pid: int) -> float:
    """Bytes that the process holds, pages that it shares counted in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((1024.0 * float(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    sys.exit(main())
