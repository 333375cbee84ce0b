"""More than one process: one owner of a run directory, taken over after a kill; readers see the old file or the new."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from tests.trust.fleet import Ended, Fleet
from tests.trust.inputs import own
from tests.trust.kills import Unbroken
from tests.trust.project import copy_of

WAITING = (
    "import time\nfrom pathlib import Path\ndef data():\n    Path('owners').open('a').write('x')\n"
    "    while not Path('go').exists(): time.sleep(0.01)\n    return {'train': (x, y)}"
)
LIGHT = ("baseline", "baseline.checks=[init-loss]", "gate=off", "device=cpu", "model=linear", "run.dir=run")


def started_together(fleet: Fleet, folder: Path, count: int, **plant: dict[str, object]) -> tuple[int, list[Ended]]:
    """(how many got as far as the data, how the others ended): as many starts at once of a run that waits for `go`."""
    words = own(folder, WAITING)
    commands = [fleet.start(folder, *LIGHT, *words, plant=plant) for _ in range(count)]
    told = folder / "owners"
    ends = time.monotonic() + 20
    refused = 0
    while time.monotonic() < ends and (told.stat().st_size if told.exists() else 0) + refused < count:
        refused = sum("in use by" in command.said()[1] for command in commands)
        time.sleep(0.02)
    (folder / "go").touch()
    return told.stat().st_size, [command.wait() for command in commands]


def test_of_eight_starts_at_once_one_owns_the_directory(fleet: Fleet, tmp_path: Path) -> None:
    owners, ended = started_together(fleet, tmp_path, 8)
    assert owners == 1
    assert sorted(end.code for end in ended) == [0] + [5] * 7 or sorted(end.code for end in ended) == [1] + [5] * 7
    for end in ended:
        if end.code == 5:
            assert "in use by" in end.err
            assert "recipe baseline" in end.err
            assert end.seconds < 1
            assert len(end.err.strip().splitlines()) <= 3


def test_without_the_lock_there_would_be_many(fleet: Fleet, tmp_path: Path) -> None:
    # They may also trip over each other before two are in.
    tries = [tmp_path / str(k) for k in range(5)]
    for folder in tries:
        folder.mkdir()
    assert any(started_together(fleet, folder, 3, without_lock={})[0] > 1 for folder in tries)


def takeovers(fleet: Fleet, folder: Path, times: int) -> int:
    """How often the next start took the directory over from an owner that was killed."""
    words = own(folder, WAITING)
    taken = 0
    for _ in range(times):
        (folder / "owners").unlink(missing_ok=True)
        command = fleet.start(folder, *LIGHT, *words)
        ends = time.monotonic() + 20
        while not (folder / "owners").exists() and time.monotonic() < ends:
            time.sleep(0.005)
        taken += (folder / "owners").exists()
        command.kill()
        command.wait()
    (folder / "go").touch()
    return taken if fleet.run(folder, *LIGHT, *words).code in (0, 1) else 0


def test_a_killed_owners_directory_is_taken_over(fleet: Fleet, tmp_path: Path) -> None:
    assert takeovers(fleet, tmp_path, 5) == 5


def read_while_written(fleet: Fleet, folder: Path, reads: int) -> tuple[int, list[str]]:
    """(files seen, one more a write; what was neither old nor new) of reports read while they are judged again."""
    pages = [folder / "run" / "report.html", folder / "run" / "baseline" / "report.html"]
    files = [folder / "run" / "run.json", folder / "run" / "baseline" / "report.json"]
    command = fleet.start(folder, "judge", "run")
    found: list[str] = []
    seen: set[int] = set()
    done = 0
    while done < reads:
        for page in pages:
            text = page.read_text()
            if not (text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")):
                found.append(f"{page.name} is not whole: {len(text)} characters")
        for file in files:
            data = file.read_bytes()
            seen.add(file.stat().st_ino)
            try:
                json.loads(data)
            except ValueError as error:
                found.append(f"{file.name}: {error}")
        done += 4
        time.sleep(0.002)
        if not alive(command.pid):
            command.wait()
            command = fleet.start(folder, "judge", "run")
    command.wait()
    return len(seen), found


def alive(pid: int) -> bool:
    """Whether it is there and has not ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_reader_sees_the_old_report_or_the_new(unbroken: Unbroken, tmp_path: Path) -> None:
    seen, found = read_while_written(unbroken.fleet, copy_of(unbroken.finished, tmp_path / "read"), 1000)
    assert found == []
    assert seen > 2, "nothing was written meanwhile"
