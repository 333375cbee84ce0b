"""Trains on a folder of pictures that is larger than the memory the process may have, beside a plain DataLoader.

    scripts/bench/stream [--folder FOLDER] [--items 59000] [--side 160] [--memory 1500] [--workers 2] [--rounds 3]

The folder is made from CIFAR-10 where none is given. Each run is a process of its own in a control group of --memory MB
(root, Linux; elsewhere it is only measured), in turn: `recipe` by its own feed and loop, `plain` by torchvision's
ImageFolder, torch's DataLoader and a bare loop, and `decode`, the same DataLoader without a net. The net is one linear
layer, so that decoding is what takes the time. Printed are pictures a second over one epoch, the start of the workers
in it, medians over the rounds, and the most memory that one process had resident.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

WAYS = ("recipe", "plain", "decode")
BATCH = 64


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--items", type=int, default=59_000)
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument(
        "--memory", type=int, default=1500, help="megabytes that the process may have; PyTorch itself takes 600"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes that decode")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps({"recipe": by_recipe, "plain": by_loader, "decode": by_loader}[asked.way](asked)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "pictures"
        if asked.folder is None:
            make = [ROOT / "scripts" / "make_image_folder", folder, "--items", asked.items, "--side", asked.side]
            subprocess.run([str(word) for word in make], check=True)
            if not folder.is_dir():
                return 0  # it said that CIFAR-10 is not there
        decoded = sum(1 for _ in folder.rglob("*.jpg")) * 3 * asked.side**2
        print(f"{decoded / 1e6:,.0f} MB of pixels, {asked.memory} MB of memory, {asked.workers} processes decode")
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(asked.rounds):
            for way in WAYS:
                found[way].append(run(way, folder, asked))
    for way in WAYS:
        speed = statistics.median(one["speed"] for one in found[way])
        ratio = speed / statistics.median(one["speed"] for one in found["plain"])
        most = max(one["resident"] for one in found[way])
        print(f"{way:7} {speed:7,.0f} pictures a second, {ratio:.2f} of plain, {most:,.0f} MB resident at most")
    return 0


def run(way: str, folder: Path, asked: argparse.Namespace) -> dict[str, float]:
    """One process in a group of its own."""
    with memory_group(asked.memory) as group:
        words = ["--way", way, "--folder", str(folder), "--side", str(asked.side), "--workers", str(asked.workers)]
        done = subprocess.run(
            [sys.executable, __file__, *words],
            capture_output=True,
            text=True,
            preexec_fn=partial(join, group) if group else None,
        )
    if done.returncode:
        raise SystemExit(f"{way}: exit {done.returncode}\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def join(group: Path) -> None:
    """This process goes into the control group."""
    (group / "cgroup.procs").write_text(str(os.getpid()))


@contextmanager
def memory_group(megabytes: int) -> Iterator[Path | None]:
    """A control group with that limit, of whichever version is there; None where none can be made."""
    from recipe.machine import control_groups

    own = next((group for group in control_groups() if (group / "cgroup.procs").exists()), None)
    group = own / f"bench-stream-{os.getpid()}" if own else None
    try:
        if group is not None:
            group.mkdir()
            limit = next(f for f in ("memory.limit_in_bytes", "memory.max") if (group / f).exists())
            (group / limit).write_text(str(megabytes * 1_000_000))
    except (OSError, StopIteration) as error:
        print(f"no control group can be made ({error}): the limit is not enforced", file=sys.stderr)
        group = None
    try:
        yield group
    finally:
        if group is not None:
            time.sleep(0.5)
            with suppress(OSError):
                group.rmdir()


def by_recipe(asked: argparse.Namespace) -> dict[str, float]:
    """Its own data, feed and loop."""
    import torch

    from recipe.config import compose
    from recipe.ingredients import Ingredients
    from recipe.training.loop import fit

    torch.set_num_threads(1)
    words = [f"data.root={asked.folder}", f"data.workers={asked.workers}", f"train.batch_size={BATCH}", "device=cpu"]
    ingredients = Ingredients(compose(["data=image_folder", "model=linear", "optimizer.lr=1e-4", *words]))
    feed, learner = ingredients.feed("train", seed=0), ingredients.learner(0)
    started = time.perf_counter()
    fit(learner, feed, steps=feed.steps_per_epoch, seed=0)
    return told(len(ingredients.data.train), started)


def by_loader(asked: argparse.Namespace) -> dict[str, float]:
    """torchvision's ImageFolder, torch's DataLoader, and a bare loop."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    steps = [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)]
    data = ImageFolder(str(asked.folder), v2.Compose(steps))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, num_workers=asked.workers)
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * asked.side**2, len(data.classes)))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    started = time.perf_counter()
    for inputs, targets in loader:
        if asked.way == "plain":
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(inputs), targets).backward()
            optimizer.step()
    return told(len(data), started)


def told(items: int, started: float) -> dict[str, float]:
    """Pictures a second since then, and the most that this process had resident, with its children's share."""
    seconds = time.perf_counter() - started
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {"speed": items / seconds, "resident": most / 1024}


if __name__ == "__main__":
    sys.exit(main())
