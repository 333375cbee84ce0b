"""Nothing is left behind: no temporary of a killed run after the next one, and no process of an ended command."""

from __future__ import annotations

import errno
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.trust.fleet import Command
from tests.trust.kills import Unbroken, leftovers
from tests.trust.project import PLAN, copy_of

pytestmark = pytest.mark.xdist_group("unbroken")
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
WITHIN = 5.0
"""Seconds after the end of a command by which none of its processes may be left."""


def test_temporaries_of_a_killed_run_are_gone_after_the_next(unbroken: Unbroken, tmp_path: Path) -> None:
    operations = unbroken.operations["baseline"]
    written = [k for k, (name, path) in enumerate(operations, 1) if name == "fsync" and "/.~" in path]
    for number, at in enumerate(written[:: len(written) // 5][:5]):
        folder = copy_of(unbroken.before["baseline"], tmp_path / str(number))
        cut = unbroken.fleet.run(folder, "baseline", *PLAN, plant=unbroken.plant | {"cut": {"at": at}})
        assert cut.code == 137
        assert [*folder.rglob(".~*")], "where nothing is left there is nothing to remove"
        assert unbroken.fleet.run(folder, "baseline", *PLAN, plant=unbroken.plant).code == 0
        assert [*leftovers(folder)] == []


def members(session: int) -> list[int]:
    """The processes of a session that have not ended: a command of the fleet leads one, and its children are in it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, leader, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(leader) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def left_after(command: Command, number: int | None, count: int) -> tuple[int, list[int]]:
    """(how many there were, those that are there five seconds after its end).

    number: a signal that ends it once there are `count`.
    """
    ends, most = time.monotonic() + 60, 0
    while most < count and time.monotonic() < ends:
        most = max(most, len(members(command.pid)))
        time.sleep(0.02)
    if number == signal.SIGINT:
        command.kill(number)  # Ctrl-C reaches the whole group
    elif number is not None:
        command.send(number)
    while command.pid in members(command.pid):
        time.sleep(0.02)
    ends = time.monotonic() + WITHIN
    while (left := members(command.pid)) and time.monotonic() < ends:
        time.sleep(0.05)
    return most, left


def crew(unbroken: Unbroken, folder: Path, epochs: int, **plant: dict[str, object]) -> Command:
    """A stage whose trials are trained by two workers."""
    copy_of(unbroken.before["regularize"], folder)
    words = [word for word in PLAN if not word.startswith(("engine", "train"))]
    return unbroken.fleet.start(folder, "regularize", *words, "engine.workers=2", f"train.epochs={epochs}", plant=plant)


# The command and two workers; our own way, by a fork server, has that and a process that tracks what they share.
COUNT = {"fork": 3, "ours": 5}
ENDINGS = {"its end": None, "Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill -9": signal.SIGKILL}


def outlived(unbroken: Unbroken, folder: Path, ending: str, method: str) -> list[str]:
    """What was not as it should be when a command with two workers ended in this way."""
    number = ENDINGS[ending]
    command = crew(unbroken, folder, 400 if number else 4, crew={} if method == "ours" else {"method": method})
    most, left = left_after(command, number, COUNT[method])
    ended = command.wait()
    told = f"{ending}, workers by {method}"
    found = [f"{told}: process {one} is there" for one in left]
    if ended.code != {None: 0, signal.SIGKILL: -9}.get(number, 128 + (number or 0)):
        found.append(f"{told}: {ended}")
    return found if most >= COUNT[method] else [*found, f"{told}: no workers were started"]


@linux
@pytest.mark.parametrize("method", COUNT)
@pytest.mark.parametrize("ending", ENDINGS)
def test_no_worker_outlives_its_command(unbroken: Unbroken, tmp_path: Path, ending: str, method: str) -> None:
    assert outlived(unbroken, tmp_path / "run", ending, method) == []


@linux
def test_nor_one_that_has_no_room_to_write(unbroken: Unbroken, tmp_path: Path) -> None:
    plant = {"fail": {"at": 60, "code": errno.ENOSPC}}
    command = crew(unbroken, tmp_path / "run", 4, crew={"method": "fork"}, **plant)
    most, left = left_after(command, None, COUNT["fork"])
    assert command.wait().code == 4
    assert most >= COUNT["fork"]
    assert left == []


@linux
def test_a_worker_that_does_not_watch_its_parent_would_be_noticed(unbroken: Unbroken, tmp_path: Path) -> None:
    command = crew(unbroken, tmp_path / "run", 4000, crew={"method": "fork"}, without_watch={})
    _, left = left_after(command, signal.SIGKILL, COUNT["fork"])
    command.wait()
    assert left
