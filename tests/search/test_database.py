from __future__ import annotations

import math
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from recipe.config import compose
from recipe.identity import identity_of
from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.record.run_directory import RunDirectory
from recipe.search.database import Database, study_name
from recipe.search.optuna_samplers import random
from recipe.search.rounds import Rounds, search_space
from tests.search.test_study import PLAN, tried

LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1)
NORM = Axis(key="model.norm", scale="choice", choices=(None, "batch", "layer"))
BOTH = msgspec.structs.replace(PLAN, axes=(LR, NORM), trials=8, generation=4)


def find(database, folder, ran, fails=()):
    """A search whose trials come to the distance of the rate from 1e-2; `ran` gets the numbers that are run here."""

    def evaluate(_part, first, changes, _pruning):
        found = []
        for number, change in enumerate(changes, first):
            ran.append(number)
            value = abs(math.log10(change.get("optimizer.lr", 1e-3)) + 2)
            status = "diverged" if number in fails else "finished"
            found.append(tried(number, math.nan if number in fails else value, status, change))
        return found

    folder.mkdir(exist_ok=True)
    return search_space(Rounds(BOTH, random, evaluate, folder, database), beyond_ends=False)


def same_search_twice(url: str, folder: Path) -> None:
    """Two machines: the second takes what the first has finished, and adds nothing."""
    ran_first, ran_second = [], []
    one = find(Database(url, "study", BOTH), folder / "one", ran_first, fails=(3,))
    two = find(Database(url, "study", BOTH), folder / "two", ran_second, fails=(3,))
    assert ran_first == list(range(9))
    assert ran_second == [0]
    assert msgspec.json.encode(one) == msgspec.json.encode(two)
    trials = Database(url, "study", BOTH).trials()
    assert sorted(trials) == list(range(9))
    assert trials[3].status == "diverged"


def test_the_study_is_a_file_that_optuna_reads(tmp_path: Path) -> None:
    import optuna

    url = f"sqlite:///{tmp_path / 'study.db'}"
    found = find(Database(url, "study", BOTH), tmp_path / "run", [], fails=(2,))
    study = optuna.load_study(study_name="study", storage=url)
    states = [trial.state.name for trial in study.get_trials()]
    assert (states.count("COMPLETE"), states.count("FAIL")) == (8, 1)
    assert study.best_value == pytest.approx(found.best.value)


def test_what_another_has_finished_is_not_run_again(tmp_path: Path) -> None:
    same_search_twice(f"sqlite:///{tmp_path / 'study.db'}", tmp_path)


def test_what_was_not_written_before_a_kill_is_written_afterwards(tmp_path: Path) -> None:
    url, other = f"sqlite:///{tmp_path / 'study.db'}", f"sqlite:///{tmp_path / 'lost.db'}"
    find(Database(other, "study", BOTH), tmp_path / "run", [])
    ran: list[int] = []
    find(Database(url, "study", BOTH), tmp_path / "run", ran)
    assert ran == [0]
    assert len(Database(url, "study", BOTH).trials()) == 9


def test_other_searches_have_other_names() -> None:
    names = {
        study_name("digits", BOTH, {"train": {"batch_size": 32}}),
        study_name("digits", BOTH, {"train": {"batch_size": 64}}),
        study_name("digits", msgspec.structs.replace(BOTH, seed=1), {"train": {"batch_size": 32}}),
    }
    assert len(names) == 3
    assert study_name("digits", BOTH, {"engine": {"workers": 1}}) == study_name("digits", BOTH, {})


def test_where_the_study_is_kept_makes_no_other_search(tmp_path: Path) -> None:
    places = ["search.storage=postgresql://me:pw@host/db", "search.storage=postgresql://you@other/db", "seed=1"]
    here, there, other = (compose([place]) for place in places)
    names = {study_name("digits", BOTH, composed.masked) for composed in (here, there)}
    assert len(names) == 1
    run = RunDirectory(tmp_path)
    assert identity_of(run, "tune", here) == identity_of(run, "tune", there) != identity_of(run, "tune", other)
    assert here.plain["search"]["storage"] == "postgresql://me:pw@host/db"


def test_a_database_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be opened") as caught:
        Database(f"sqlite:///{tmp_path / 'nowhere' / 'study.db'}", "study", BOTH)
    assert caught.value.where == "search.storage"


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of our own, that listens on this machine only."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'recipe[postgresql]'")
    places = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True))]
    found = next((Path(place).parent for place in places if place), None)
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = tmp_path_factory.mktemp("pg")
    user = []
    if os.geteuid() == 0:
        # PostgreSQL does not start as root.
        if shutil.which("runuser") is None or subprocess.run(["id", "postgres"], capture_output=True).returncode:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        user = ["runuser", "-u", "postgres", "--"]
        folder = Path(
            subprocess.run([*user, "mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, log = folder / "data", folder / "log"
    run = {"check": True, "capture_output": True, "cwd": "/"}
    subprocess.run([*user, found / "initdb", "-D", data, "-A", "trust", "-U", "recipe", "--no-sync"], **run)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    # Not captured: the server would hold the pipe.
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*user, found / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"], **quiet)
    try:
        yield f"postgresql://recipe@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*user, found / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder, ignore_errors=True)


def test_two_machines_share_a_study_in_postgresql(postgresql: str, tmp_path: Path) -> None:
    same_search_twice(postgresql, tmp_path)
