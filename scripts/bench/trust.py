"""The campaigns at full length. Each line of a failure has the seed and the place that make it again."""

from __future__ import annotations

import argparse
import errno
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trust.fleet import Fleet, fleet_in
from tests.trust.fuzz import KINDS, fuzz
from tests.trust.kills import Kill, Unbroken, broken, drawn, refused_by_the_disk, signalled
from tests.trust.project import STAGES
from tests.trust.test_orphans import ENDINGS, outlived
from tests.trust.test_owners import read_while_written, started_together, takeovers

Trials = Iterator[list[str]]
"""What went wrong in one trial after the other; an empty list where nothing did."""


class Bench:
    """What the campaigns share: the fleet, the unbroken run when it is first needed, a scratch folder, and how long."""

    def __init__(self, fleet: Fleet, folder: Path, times: int | None, seed: int) -> None:
        self.fleet, self.folder, self.times, self.seed = fleet, folder, times, seed
        self._unbroken: Unbroken | None = None

    @property
    def unbroken(self) -> Unbroken:
        """The plan gone through once."""
        if self._unbroken is None:
            self._unbroken = Unbroken(self.fleet, self.folder / "unbroken")
        return self._unbroken

    def fresh(self) -> Path:
        """A folder that is not there yet."""
        shutil.rmtree(self.folder / "trial", ignore_errors=True)
        return self.folder / "trial"

    def seeds(self, usual: int) -> range:
        """As many seeds as are asked for."""
        return range(self.seed, self.seed + (self.times or usual))


def kills(bench: Bench) -> Trials:
    """R1: kill -9 at a random moment or inside a write, 50 in each stage; the stage is gone on with."""
    for seed in bench.seeds(50):
        for stage in STAGES:
            yield broken(bench.unbroken, [drawn(bench.unbroken, stage, seed)], bench.fresh())


def twice(bench: Bench) -> Trials:
    """R3: two kills in a row, the second while the stage is gone on with."""
    for seed in bench.seeds(50):
        stage = STAGES[seed % len(STAGES)]
        pair = [drawn(bench.unbroken, stage, seed + k) for k in (1000, 1001)]
        yield broken(
            bench.unbroken, [Kill(stage, k.seed, at=random.Random(k.seed).randint(5, 40)) for k in pair], bench.fresh()
        )


def writes(bench: Bench) -> Trials:
    """R2: an end before each file operation of each stage (every n-th, where --times says how many)."""
    for stage in STAGES:
        count = len(bench.unbroken.operations[stage])
        step = max(1, count // bench.times) if bench.times else 1
        for at in range(1 + bench.seed % step, count + 1, step):
            yield broken(bench.unbroken, [Kill(stage, bench.seed, at=at, torn=True)], bench.fresh())


def power(bench: Bench) -> Trials:
    """A power cut: what was not flushed is lost in part."""
    for seed in bench.seeds(50):
        for stage in STAGES:
            at = random.Random(f"{stage} {seed}").randint(1, len(bench.unbroken.operations[stage]))
            yield broken(bench.unbroken, [Kill(stage, seed, at=at, power=True)], bench.fresh())


def signals(bench: Bench) -> Trials:
    """R4: Ctrl-C and SIGTERM."""
    for seed in bench.seeds(100):
        yield signalled(bench.unbroken, STAGES[seed % len(STAGES)], seed, bench.fresh())


def disk(bench: Bench) -> Trials:
    """R5: the disk takes no more from each file operation on, with four errors (every n-th with --times)."""
    for stage in ("baseline", "overfit"):
        count = len(bench.unbroken.operations[stage])
        step = max(1, count // bench.times) if bench.times else 1
        for at in range(1 + bench.seed % step, count + 1, step):
            for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
                yield refused_by_the_disk(bench.unbroken, stage, at, code, bench.fresh())


def reports(bench: Bench) -> Trials:
    """R19: thirty payloads in twelve places, opened in Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import NAMES
    from tests.render import hostile
    from tests.trust.test_security import PLACES, Watched, hostile_pages

    found = next(path for name in NAMES if (path := shutil.which(name)))
    folder = bench.fresh()
    folder.mkdir()
    with sync_playwright() as driver, pytest.MonkeyPatch.context() as patch:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        seen = Watched(browser)
        for number, file in enumerate(hostile_pages(folder, patch, hostile.PAYLOADS, list(PLACES))):
            seen.opened(file)
            yield [f"report {number}: {seen.dialogs} {seen.foreign}"] if seen.dialogs or seen.foreign else []
            seen.dialogs.clear()
            seen.requests.clear()
        browser.close()


def mutated(bench: Bench) -> Trials:
    """R16: 10,000 mutated files of four kinds."""
    folder = bench.fresh()
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for seed in bench.seeds(25):
            for failure in fuzz(kind, 100, seed=seed, folder=folder / kind):
                yield [failure]
            yield from ([] for _ in range(100))


def owners(bench: Bench) -> Trials:
    """R28, R29: eight starts at once; R31: a thousand reads of reports being written."""
    for _ in bench.seeds(100):
        folder = bench.fresh()
        folder.mkdir()
        count, ended = started_together(bench.fleet, folder, 8)
        codes = sorted(end.code for end in ended)
        yield [] if count == 1 and codes[1:] == [5] * 7 else [f"{count} owners, exit codes {codes}"]
    folder = bench.fresh()
    folder.mkdir()
    times = bench.times or 100
    taken = takeovers(bench.fleet, folder, times)
    yield [] if taken == times else [f"{taken} of {times} directories were taken over"]
    yield read_while_written(bench.fleet, bench.unbroken.finished, 1000)[1]


def workers(bench: Bench) -> Trials:
    """R30: 200 trials on eight workers, one of which is killed every two seconds."""
    folder = bench.fresh()
    folder.mkdir()
    command = [sys.executable, "-m", "tests.trust.crew", str(folder), "8", str(bench.times or 200), str(bench.seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    yield [] if done.returncode == 0 else [done.stdout + done.stderr[-2000:]]


def orphans(bench: Bench) -> Trials:
    """R34: a command with two workers ends in one of four ways; five seconds later none of its processes is there."""
    for seed in bench.seeds(100):
        yield outlived(bench.unbroken, bench.fresh(), [*ENDINGS][seed % len(ENDINGS)], "ours" if seed % 5 else "fork")


CAMPAIGNS: dict[str, Callable[[Bench], Trials]] = {
    "kills": kills, "twice": twice, "writes": writes, "power": power, "signals": signals, "disk": disk,
    "reports": reports, "fuzz": mutated, "owners": owners, "workers": workers, "orphans": orphans,
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", nargs="*", choices=[*CAMPAIGNS, []], help="by default all of them")
    parser.add_argument("--times", type=int, help="instead of the usual number")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as scratch, fleet_in() as fleet:
        bench = Bench(fleet, Path(scratch), asked.times, asked.seed)
        for name in asked.campaigns or CAMPAIGNS:
            started, trials, failed = time.monotonic(), 0, 0
            for failures in CAMPAIGNS[name](bench):
                trials += not failures or name != "fuzz"
                failed += bool(failures)
                for line in failures:
                    print(f"  {name}: {line}", flush=True)
            bound = f"at most {300 / trials:.1f} % (95 %)" if not failed and trials else ""
            print(
                f"{name}: {failed} failures in {trials:,} trials, {time.monotonic() - started:.0f} s {bound}",
                flush=True,
            )
            bad += failed
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
