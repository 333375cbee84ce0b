"""Campaigns of kills: each stage is cut somewhere, started again, and must end in the bytes of the unbroken one."""

from __future__ import annotations

import errno
import json
import random
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.trust.fleet import Ended, Fleet
from tests.trust.project import PLAN, STAGES, copy_of, differences, place, result

CUT = (137, -9)
"""Exit codes of a process that was cut: by its own hook, or by a signal."""
OFTEN = {"checkpoints": {"every": 8}}


@dataclass
class Unbroken:
    """The plan gone through stage by stage, once: what lies there before each stage, how it ends, what it takes."""

    fleet: Fleet
    folder: Path
    plant: dict[str, Any] = field(default_factory=lambda: dict(OFTEN))
    before: dict[str, Path] = field(default_factory=dict)
    after: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    operations: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        work = place(self.folder / "work")
        for stage in STAGES:
            self.before[stage] = copy_of(work, self.folder / f"before-{stage}")
            log, started = self.folder / f"{stage}.log", time.monotonic()
            done = self.fleet.run(work, stage, *PLAN, plant=self.plant | {"trace": {"log": str(log)}})
            assert done.code == 0, done.err
            self.seconds[stage] = time.monotonic() - started
            self.operations[stage] = [tuple(line.split(" ", 1)) for line in log.read_text().splitlines()]  # type: ignore[misc]
            self.after[stage] = result(work / "run", (stage,))
        self.finished = work

    def renamed(self, stage: str, *words: str) -> int:
        """The number of the operation that puts the first file in place whose path has all these words in it."""
        operations = enumerate(self.operations[stage], 1)
        return next(k for k, (name, path) in operations if name == "rename" and all(word in path for word in words))


@dataclass(frozen=True)
class Kill:
    """How one trial cuts its stage; printed when it fails, so that it can be made again.

    after: seconds until SIGKILL; at: the file operation before which the process ends. times: how many in a row.
    """

    stage: str
    seed: int
    after: float | None = None
    at: int | None = None
    torn: bool = False
    power: bool = False

    @property
    def plant(self) -> dict[str, Any]:
        """What is planted in the command."""
        if self.at is None:
            return {}
        return (
            {"power_cut": {"at": self.at, "seed": self.seed}}
            if self.power
            else {"cut": {"at": self.at, "torn": self.torn}}
        )


def drawn(unbroken: Unbroken, stage: str, seed: int) -> Kill:
    """Two thirds at a random moment, a third inside a write."""
    draw = random.Random(f"{stage} {seed}")
    if seed % 3:
        return Kill(stage, seed, after=draw.uniform(0.05, 0.9) * unbroken.seconds[stage])
    writes = [k for k, (name, _) in enumerate(unbroken.operations[stage], 1) if name in ("write", "append")]
    return Kill(stage, seed, at=draw.choice(writes), torn=True)


def cut_once(unbroken: Unbroken, kill: Kill, folder: Path, plant: dict[str, Any]) -> Ended:
    """Starts the stage and cuts it. A moment that came too late is tried again earlier."""
    moment = kill.after
    while True:
        command = unbroken.fleet.start(folder, kill.stage, *PLAN, plant=kill.plant | plant)
        if moment is not None:
            time.sleep(moment)
            command.kill()
            moment *= 0.7
        ended = command.wait()
        late = complete(folder / "run", kill.stage)
        if (ended.code in CUT and not late) or kill.after is None:
            return ended
        assert late or ended.code == 0, ended.err
        shutil.rmtree(folder)
        copy_of(unbroken.before[kill.stage], folder)


def broken(unbroken: Unbroken, kills: list[Kill], folder: Path, plant: dict[str, Any] | None = None) -> list[str]:
    """Cuts a stage once or more in a row, lets it end, and says what is then not as in the unbroken run."""
    stage = kills[0].stage
    copy_of(unbroken.before[stage], folder)
    plant = unbroken.plant if plant is None else plant
    for kill in kills:
        ended = cut_once(unbroken, kill, folder, plant)
        if ended.code not in CUT:
            return [f"{kill} did not cut: {ended}"]
        if damaged := unreadable(folder / "run"):
            return [f"{kill} left {damaged}"]
    ended = unbroken.fleet.run(folder, stage, *PLAN, plant=plant)
    if ended.code != 0:
        return [f"{kills} then exit {ended.code}: {ended.err[-2000:]}"]
    found = differences(result(folder / "run", (stage,)), unbroken.after[stage])
    found += [f"left over: {path}" for path in leftovers(folder)]
    shutil.rmtree(folder)
    return [f"{kills}: {found}"] if found else []


def unreadable(run: Path) -> list[str]:
    """Files that a kill left damaged: whatever is JSON must be whole, at every moment."""
    import msgspec

    found = []
    for file in run.rglob("*.json"):
        if not file.name.startswith(".~"):
            try:
                msgspec.json.decode(file.read_bytes())
            except msgspec.MsgspecError:
                found.append(str(file))
    return found


def complete(run: Path, stage: str) -> bool:
    """Whether nothing is left but for the process to end: cut there, a command that is typed again is a new one."""
    return (run / stage / "report.json").exists() and not (run / stage / "unsettled").exists()


def leftovers(folder: Path) -> Iterator[Path]:
    """Temporaries and work folders that nobody needs any more."""
    yield from folder.rglob(".~*")
    yield from (path for name in (".work", ".old") for path in (folder / "run" / name).glob("*"))


def march(unbroken: Unbroken, stage: str, folder: Path, seed: int) -> tuple[int, list[str]]:
    """One stage, each start of which is cut a little further on: (cuts, what is then not equal)."""
    draw = random.Random(f"{stage} {seed}")
    copy_of(unbroken.before[stage], folder)
    cuts, reach = 0, max(20, len(unbroken.operations[stage]) // 6)
    while True:
        at, way = draw.randint(reach // 3, reach), draw.choice(("torn", "power", "moment"))
        kill = Kill(stage, cuts, at=at, torn=way == "torn", power=way == "power")
        if way == "moment":
            kill = Kill(stage, cuts, after=draw.uniform(0.1, 0.3) * unbroken.seconds[stage])
        command = unbroken.fleet.start(folder, stage, *PLAN, plant=unbroken.plant | kill.plant)
        if kill.after is not None:
            time.sleep(kill.after)
            command.kill()
        ended = command.wait()
        if ended.code == 0 or (ended.code in CUT and complete(folder / "run", stage)):
            break
        if ended.code not in CUT or (damaged := unreadable(folder / "run")):
            return cuts, [f"seed {seed}, {kill}: {ended} {damaged}"]
        cuts += 1
        reach += 3  # a piece of work that needs more operations than that would never be done
    found = differences(result(folder / "run", (stage,)), unbroken.after[stage])
    found += [f"left over: {path}" for path in leftovers(folder)]
    shutil.rmtree(folder)
    return cuts, [f"{stage}, seed {seed}: {found}"] if found else []


def signalled(unbroken: Unbroken, stage: str, seed: int, folder: Path) -> list[str]:
    """Ctrl-C (to the group) or SIGTERM (to the process) at some moment: an end in order, within five seconds."""
    draw = random.Random(f"signal {stage} {seed}")
    number = (signal.SIGINT, signal.SIGTERM)[seed % 2]
    moment = draw.uniform(0.2, 0.8) * unbroken.seconds[stage]
    copy_of(unbroken.before[stage], folder)
    told = f"{stage}, seed {seed}, {number.name} after {moment:.2f} s"
    command = unbroken.fleet.start(folder, stage, *PLAN, plant=unbroken.plant)
    while True:
        time.sleep(moment)
        started = time.monotonic()
        command.kill(number) if number == signal.SIGINT else command.send(number)
        ended = command.wait()
        if ended.code != 0:
            break
        moment *= 0.7
        shutil.rmtree(folder)
        copy_of(unbroken.before[stage], folder)
        command = unbroken.fleet.start(folder, stage, *PLAN, plant=unbroken.plant)
    found = []
    if (took := time.monotonic() - started) > 5:
        found.append(f"{told}: took {took:.1f} s")
    if ended.code != 128 + number or "everything so far is kept" not in ended.err or "Traceback" in ended.err:
        found.append(f"{told}: {ended}")
    status = unbroken.fleet.run(folder, "status", "run.dir=run").out
    if (folder / "run" / ".work" / stage / "identity").exists() and "interrupted" not in status:
        found.append(f"{told}: status does not say interrupted: {status}")
    ended = unbroken.fleet.run(folder, stage, *PLAN, plant=unbroken.plant)
    found += [f"{told}: {name}" for name in differences(result(folder / "run", (stage,)), unbroken.after[stage])]
    found += [f"left over: {path}" for path in leftovers(folder)]
    shutil.rmtree(folder)
    return found


def refused_by_the_disk(unbroken: Unbroken, stage: str, at: int, code: int, folder: Path) -> list[str]:
    """The disk takes nothing from operation `at` on: one message, exit 4, and the old report stands."""
    copy_of(unbroken.finished, folder)
    report = (folder / "run" / stage / "report.json").read_bytes()
    told = f"{stage}, operation {at}, {errno.errorcode[code]}"
    words = [stage, *PLAN, "train.epochs=5"]
    ended = unbroken.fleet.run(folder, *words, plant=unbroken.plant | {"fail": {"at": at, "code": code}})
    found = []
    lines = [line for line in ended.err.splitlines() if line.strip()]
    last = next((k for k, line in enumerate(lines) if line.startswith("recipe: ")), len(lines))
    if ended.code not in ((2, 4) if code == errno.EROFS else (4,)) or "Traceback" in ended.err or len(lines) - last > 3:
        found.append(f"{told}: {ended}")
    now = folder / "run" / stage / "report.json"
    if now.exists():
        if now.read_bytes() != report and json.loads(now.read_bytes())["config"]["train"]["epochs"] != 5:
            found.append(f"{told}: another report")
    elif not (folder / "run" / ".old" / stage / "report.json").exists():
        found.append(f"{told}: no report")
    found += [f"{told}: damaged {file}" for file in unreadable(folder / "run")]
    if (again := unbroken.fleet.run(folder, *words, plant=unbroken.plant)).code not in (0, 1):
        found.append(f"{told}: then {again}")
    found += [f"left over: {path}" for path in leftovers(folder)]
    shutil.rmtree(folder)
    return found
