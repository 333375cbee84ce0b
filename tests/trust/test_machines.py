"""Odd machines give the same bytes; nothing is written or asked for elsewhere; no memory is an answer, not a crash."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trust.fleet import TOP, Ended, Fleet
from tests.trust.inputs import own
from tests.trust.kills import Unbroken
from tests.trust.project import PLAN, STAGES, differences, place, result

linux = pytest.mark.skipif(sys.platform != "linux", reason="by the means of Linux")
SECRETS = {
    f"TRUST_{name}": f"hunter{k}-{name.lower()}" for k, name in enumerate(("API_KEY", "TOKEN", "SECRET", "PASSWORD"))
}


@pytest.fixture(scope="module")
def elsewhere(unbroken: Unbroken, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended, list[str]]:
    """One walk on a machine as odd as can be, all it does written down: (folder, its end, what it did)."""
    top = tmp_path_factory.mktemp("elsewhere")
    folder = place(top / "walk")
    plant = {"odd_machine": {"home": str(top / "nobody")}, "mortal": {}, "audit": {"log": str(top / "log")}}
    ended = unbroken.fleet.run(folder, "walk", *PLAN, plant=plant, **SECRETS)
    return folder, ended, (top / "log").read_text().splitlines()


@linux
def test_the_same_bytes_stage_by_stage_and_on_an_odd_machine(
    unbroken: Unbroken, elsewhere: tuple[Path, Ended, list[str]]
) -> None:
    folder, ended, _ = elsewhere
    assert ended.code == 0, ended.err
    expected = {name: value for after in unbroken.after.values() for name, value in after.items()}
    assert differences(result(folder / "run", STAGES), expected) == []


@linux
def test_the_same_bytes_without_docstrings_in_another_language_and_another_day(
    unbroken: Unbroken, tmp_path: Path
) -> None:
    """python -OO has no docstrings and assertions; in Turkish an upper-case i has a dot; elsewhere it is tomorrow."""
    folder = place(tmp_path / "walk")
    odd = {"PYTHONOPTIMIZE": "2", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **odd, "PYTHONPATH": str(TOP), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "recipe", "walk", *PLAN],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = {name: value for after in unbroken.after.values() for name, value in after.items()}
    assert differences(result(folder / "run", STAGES), expected) == []


@linux
def test_nothing_is_written_outside_the_run_directory(elsewhere: tuple[Path, Ended, list[str]]) -> None:
    folder, _, log = elsewhere
    changes = [
        line for line in log if line.split()[0] in ("write", "shutil.rmtree", "shutil.move") or line.startswith("os.")
    ]
    inside = [line for line in changes if f" {folder}/run" in line]
    assert len(inside) > 100, "a hook that hears nothing proves nothing"
    # Opened for writing and not to be kept: the null device, and the byte code of imports.
    harmless = re.compile(r"/dev/(null|tty|shm/\S*)|\S*/__pycache__/\S*")
    strays = [line for line in changes if line not in inside and not harmless.fullmatch(line.partition(" ")[2])]
    # shutil.rmtree walks with names relative to the folder it empties.
    assert [line for line in strays if not re.match(r"os\.(remove|rmdir) ", line) or str(folder) not in line] == []


@linux
def test_no_network_no_pickle_and_no_program_but_git(elsewhere: tuple[Path, Ended, list[str]]) -> None:
    log = elsewhere[2]
    assert [line for line in log if line.startswith(("socket.", "urllib.", "pickle.", "read ", "webbrowser."))] == []
    programs = [line for line in log if line.startswith(("subprocess.", "os.system", "os.exec", "os.posix_spawn"))]
    assert all("git" in line for line in programs)


@linux
def test_what_the_environment_keeps_secret_is_written_nowhere(elsewhere: tuple[Path, Ended, list[str]]) -> None:
    folder, ended, _ = elsewhere
    written = b"".join(path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file())
    assert len(written) > 10**5
    for value in SECRETS.values():
        assert value.encode() not in written
        assert value not in ended.out + ended.err


KEYS = ("api_key", "access_token", "password", "client_secret", "secret_key")


def test_secrets_in_the_config_are_masked_everywhere(fleet: Fleet, tmp_path: Path) -> None:
    arguments = ", ".join([*KEYS, "greeting"])
    words = own(tmp_path, f"def data({arguments}): return {{'train': (x, y)}}")
    words += [f"data.{key}=planted-{k}" for k, key in enumerate(KEYS)] + ["data.greeting=${oc.env:TRUST_HEADER}"]
    light = ("baseline.checks=[init-loss]", "gate=off", "device=cpu", "model=linear", "run.dir=run")
    ended = fleet.run(tmp_path, "baseline", *light, *words, TRUST_HEADER="planted-header")
    assert ended.code in (0, 1), ended.err
    written = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert b"planted" not in written
    assert "planted" not in ended.out + ended.err
    assert b"***" in written


NAMES = (
    "../outside", "a/../../b", "/etc/cron.d/x", "~root", "$HOME", "con", "x\ny", "-rf",
    "*", "`id`", "$(id)", ";id", "|id", "&",
    "<b>", "%2e%2e%2f", "\u202egnp", "a" * 255, ".", " ",
)  # fmt: skip


@pytest.fixture
def hostile_names(tmp_path: Path) -> tuple[Path, dict[str, object]]:
    """A data set whose classes, ids and columns bear the names."""
    body = f"names = {NAMES!r}\ny = np.arange(400) % 20\n"
    body += "x = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)\n"
    body += "ids = [f'{names[k % 20]}{k}' for k in range(400)]\n"
    words = own(
        tmp_path,
        body + "def data(): return {'train': (x + y[:, None], y), 'classes': list(names), 'ids': {'train': ids}}",
    )
    return tmp_path, {"words": words}


@linux
def test_hostile_names_write_nothing_elsewhere(fleet: Fleet, hostile_names: tuple[Path, dict[str, list[str]]]) -> None:
    folder, made = hostile_names
    log = folder.parent / f"{folder.name}.log"
    ended = fleet.run(
        folder, "inspect-data", *made["words"], "device=cpu", "run.dir=run", plant={"audit": {"log": str(log)}}
    )
    assert ended.code in (0, 1), ended.err
    strays = [
        line for line in log.read_text().splitlines() if line.startswith("write ") and f" {folder}/run" not in line
    ]
    assert [line for line in strays if not re.search(r"/dev/|__pycache__|\.lock$", line)] == []
    assert {path.name for path in folder.iterdir()} <= {"run", "mine.py", "__pycache__"}
    assert not [c for c in ended.out + ended.err if c in "\u202e\x1b"]


@linux
def test_memory_that_runs_out_ends_with_what_fits(fleet: Fleet, tmp_path: Path) -> None:
    body = "x = np.zeros((20000, 200), dtype=np.float32) + np.arange(20000)[:, None] % 2\ny = np.arange(20000) % 2\n"
    body += "class Net(nn.Sequential):\n    def __init__(self):\n"
    body += "        super().__init__(nn.Linear(200, 6000), nn.ReLU(), nn.Linear(6000, 2))\n"
    words = own(tmp_path, body + "def data(): return {'train': (x, y)}", "model._target_=mine.Net")
    words += [
        "train.batch_size=16384",
        "device=cpu",
        "gate=off",
        "run.dir=run",
        "overfit.rungs=[{name: own, change: {}}]",
    ]
    ended = fleet.run(tmp_path, "overfit", *words, plant={"memory": {"bytes": 700 * 2**20}})
    assert ended.code == 4, ended
    assert re.search(
        r"train\.batch_size: not enough memory for a step of 16,384 items\n  train\.batch_size=\d+ fits", ended.err
    )
    assert "Traceback" not in ended.err
