"""Odd machines give the same bytes; nothing is written or asked for elsewhere; no memory is an answer, not a crash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recipe.record.journal import Journal
from tests.trust.fleet import TOP, Ended, Fleet
from tests.trust.inputs import own
from tests.trust.kills import Unbroken
from tests.trust.project import PLAN, STAGES, copy_of, differences, place, result

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
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_the_same_bytes_however_workers_are_started(unbroken: Unbroken, tmp_path: Path, method: str) -> None:
    folder = copy_of(unbroken.before["regularize"], tmp_path / "run")
    words = [word for word in PLAN if not word.startswith("engine")]
    plant = unbroken.plant | {"crew": {"method": method}}
    ended = unbroken.fleet.run(folder, "regularize", *words, "engine.workers=2", plant=plant)
    assert ended.code == 0, ended.err
    # What says how it was run differs as it has to.
    found = differences(result(folder / "run", ("regularize",)), unbroken.after["regularize"])
    assert [name for name in found if not name.endswith(("/config.yaml", "regularize/report.json"))] == []


@pytest.mark.parametrize("stage", ["regularize", "tune"])
def test_the_same_bytes_with_a_clock_that_is_set_back_a_day(unbroken: Unbroken, tmp_path: Path, stage: str) -> None:
    """Once while the stage runs; and when it is gone on with, all that it finds is of tomorrow."""
    day = 24 * 3600.0
    folder, today = copy_of(unbroken.before[stage], tmp_path / "run"), time.strftime("%Y-%m-%d", time.gmtime())
    back = {"clock_back": {"asked": 1, "seconds": day}}
    at = len(unbroken.operations[stage]) // 2
    cut = unbroken.fleet.run(folder, stage, *PLAN, plant=unbroken.plant | back | {"cut": {"at": at}})
    assert cut.code == 137, cut.err
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (time.time() + day,) * 2)
    back = {"clock_back": {"asked": 0, "seconds": day}}
    ended = unbroken.fleet.run(folder, stage, *PLAN, plant=unbroken.plant | back)
    assert ended.code == 0, ended.err
    assert differences(result(folder / "run", (stage,)), unbroken.after[stage]) == []
    assert json.loads((folder / "run" / stage / "report.json").read_text())["started"] < today


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
# The parts of URLs that are secret, as they are meant to be written and as people write them.
URLS = (
    "https://me:planted@host/x", "https://me:pla/nt@ed@host/x", "redis://:planted-a@host:6379/0",
    "https://host/x?user=me&password=planted-b&size=3", "https://host/x?sig=planted-c", "s3://a:planted d@host/x",
)  # fmt: skip
LIGHT = ("baseline.checks=[init-loss]", "gate=off", "device=cpu", "model=linear", "run.dir=run")
TUNED = ("search.trials=2", "search.coarse=0", "tune.schedules=[]", "train.epochs=1")


def kept(folder: Path, *ended: Ended) -> str:
    """All that was written and said."""
    written = b"".join(path.read_bytes() for path in (folder / "run").rglob("*") if path.is_file())
    return written.decode(errors="replace") + "".join(one.out + one.err for one in ended)


def test_secrets_in_the_config_are_masked_everywhere(fleet: Fleet, tmp_path: Path) -> None:
    urls = [f"url_{k}" for k in range(len(URLS))]
    words = own(
        tmp_path, f"def data({', '.join([*KEYS, *urls, 'greeting', 'places', 'home'])}): return {{'train': (x, y)}}"
    )
    words += [f"data.{key}=planted-{k}" for k, key in enumerate(KEYS[1:])] + ["data.api_key=7650123"]
    words += [f'data.{key}="{url}"' for key, url in zip(urls, URLS, strict=True)]
    words += [f'data.places=[{{at: "{URLS[-1]}"}}, {{token: planted}}]', "data.greeting=${oc.env:TRUST_HEADER}"]
    words += ["data.home=https://plain@host/x", "search.storage=postgresql://me:planted@host/x?password=planted"]
    ended = fleet.run(tmp_path, "baseline", *LIGHT, *words, TRUST_HEADER="planted-header")
    assert ended.code in (0, 1), ended.err
    found = kept(tmp_path, ended)
    assert re.findall("planted|7650123|pla/nt|ed@host", found) == []
    assert "https://me:***@host/x" in found
    recipe = (tmp_path / "run" / "recipe.yaml").read_text()
    assert "https://plain@host/x" in recipe, "what holds no secret stays"
    assert "***" not in recipe, "a mask is no value to go on with"


def test_a_search_goes_on_when_its_secret_storage_is_given_again(fleet: Fleet, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name in ("whole", "run"):
        (tmp_path / name).mkdir()
    words = own(tmp_path / "whole", "def data(): return {'train': (x, y)}", *LIGHT, *TUNED)
    storage = "search.storage=sqlite:///file:../shared.db?uri=true&token=planted"
    whole = fleet.run(tmp_path / "whole", "tune", *words, plant={"trace": {"log": str(log)}})
    assert whole.code in (0, 1), whole.err
    after_one = [line.startswith("append ") for line in log.read_text().splitlines()].index(True) + 3
    own(tmp_path / "run", "def data(): return {'train': (x, y)}")
    cut = fleet.run(tmp_path / "run", "tune", *words, storage, plant={"cut": {"at": after_one}})
    assert cut.code == 137
    (journal,) = tmp_path.glob("run/run/.work/tune/search.journal")
    assert len(Journal(journal).records) == 1
    ended = fleet.run(tmp_path / "run", "tune", *words, storage)
    assert ended.code in (0, 1), ended.err
    assert (
        result(tmp_path / "run" / "run", ("tune",))["tune/evidence/searched.json"]
        == (result(tmp_path / "whole" / "run", ("tune",))["tune/evidence/searched.json"])
    )
    assert (tmp_path / "shared.db").exists()
    assert "planted" not in kept(tmp_path / "run", cut, ended)


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        ("postgresql://me:planted@127.0.0.1:1/x", "cannot be opened"),
        ("postgresql://me:planted@127.0.0.1:1/x?sslpassword=planted", "cannot be opened"),
        ("postgresql://me:plan@ted@127.0.0.1:1/x", "%40"),
        ("postgresql://me:planted", "no URL of a database"),
        ("me:planted@127.0.0.1", "no URL of a database"),
    ],
)
def test_errors_quote_no_password(fleet: Fleet, tmp_path: Path, storage: str, said: str) -> None:
    words = own(tmp_path, "def data(): return {'train': (x, y)}", *LIGHT, *TUNED)
    ended = fleet.run(tmp_path, "tune", *words, f"search.storage={storage}")
    assert ended.code == 2
    assert said in ended.err
    assert re.findall("plan|ted@", kept(tmp_path, ended).replace("search plan", "")) == []


@pytest.mark.parametrize(
    "word",
    [
        "data.url=https://me:planted@host/x?a=b",
        "data.size=https://me:planted@host",
        "data.password=planted a=b",
        "data.splits={token: planted, x",
        "train.epochs=https://host?token=planted",
        "+password=planted",
    ],
)
def test_refused_words_are_quoted_without_their_secrets(fleet: Fleet, tmp_path: Path, word: str) -> None:
    ended = fleet.run(tmp_path, "baseline", word)
    assert ended.code == 2
    assert "planted" not in ended.err


def test_what_a_user_s_own_code_says_is_told_without_secrets(fleet: Fleet, tmp_path: Path) -> None:
    words = own(tmp_path, "def data(url): raise ConnectionError('no answer from ' + url)")
    ended = fleet.run(tmp_path, "baseline", *LIGHT, *words, "data.url=https://me:planted@host/x")
    assert ended.code == 2
    assert "no answer from https://me:***@host/x" in ended.err
    assert "planted" not in ended.err


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
