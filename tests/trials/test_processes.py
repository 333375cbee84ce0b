from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from recipe.ingredients import Ingredients
from recipe.record.refusal import UserCodeError
from recipe.record.trial import Outcome, Trial
from recipe.trials import processes
from recipe.trials.pool import run_trials
from recipe.trials.processes import run_in_processes

Theirs = Callable[[str], Ingredients]


@pytest.fixture(autouse=True, scope="module")
def no_orphans() -> Iterator[None]:
    """Workers live on between tests, as between the stages of a command; none outlives it."""
    yield
    pids = [worker.process.pid for worker in processes._crew]
    processes.dismiss()
    assert not any(alive(pid) for pid in pids if pid)


def trials(count: int, steps: int = 8) -> list[Trial]:
    return [
        Trial(name=f"rate {i}", change={"optimizer.lr": 10.0**-i}, seed=i, steps=steps) for i in range(1, count + 1)
    ]


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def run(some: list[Trial], ingredients: Ingredients, folder: Path, workers: int = 2) -> list[Outcome]:
    found: dict[str, Outcome] = {}
    run_in_processes(
        some, ingredients, folder, workers=workers, threads=1, save=True, done=lambda o: found.update({o.trial.id: o})
    )
    return [found[trial.id] for trial in some]


def test_parallel_equals_serial_in_bytes(ingredients: Ingredients, tmp_path: Path) -> None:
    serial = run_trials(trials(4), ingredients, tmp_path / "a", workers=1, threads=1, save=True)
    parallel = run(trials(4), ingredients, tmp_path / "b")
    assert [msgspec.structs.replace(o, seconds=0) for o in serial] == [
        msgspec.structs.replace(o, seconds=0) for o in parallel
    ]
    for outcome in serial:
        for file in ("weights.safetensors", "items.safetensors", "history.jsonl", "config.yaml"):
            ours, theirs = (tmp_path / run / outcome.trial.id / file for run in "ab")
            assert ours.read_bytes() == theirs.read_bytes()


def test_workers_are_used_again(ingredients: Ingredients, tmp_path: Path) -> None:
    run(trials(2), ingredients, tmp_path / "a")
    pids = [worker.process.pid for worker in processes._crew]
    run_trials(trials(2), ingredients, tmp_path / "b", workers=2)
    assert [worker.process.pid for worker in processes._crew] == pids


def test_a_killed_workers_trial_is_run_again(with_model: Theirs, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    theirs = with_model(f"Path({str(mark)!r}).exists() or (Path({str(mark)!r}).touch(), os.kill(os.getpid(), 9))")
    outcomes = run([Trial(name="t", change={}, seed=s, steps=4) for s in range(3)], theirs, tmp_path / "trials")
    assert mark.exists()
    assert [outcome.status for outcome in outcomes] == ["finished"] * 3


def test_a_trial_that_kills_every_worker_has_failed(with_model: Theirs, tmp_path: Path) -> None:
    theirs = with_model("os.kill(os.getpid(), 9)")
    (outcome,) = run([Trial(name="t", change={}, seed=0, steps=4)], theirs, tmp_path / "trials", workers=1)
    assert outcome.status == "failed"
    assert "killed 3 times" in outcome.note
    assert run_trials([outcome.trial], theirs, tmp_path / "trials") == [outcome]


def test_an_error_of_the_users_comes_back_with_its_frames(with_model: Theirs, tmp_path: Path) -> None:
    theirs = with_model("raise ValueError('mine')")
    with pytest.raises(UserCodeError, match="mine") as caught:
        run([Trial(name="t", change={}, seed=0, steps=4)], theirs, tmp_path / "trials")
    assert "theirs.py" in caught.value.frames[-1]
    assert not processes.running()


SCRIPT = """
import signal, sys, threading, time
from pathlib import Path
from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.record.trial import Trial
from recipe.trials import processes
from recipe.trials.processes import run_in_processes

def tell():
    while len(processes._crew) < 2 or not all(w.job for w in processes._crew):
        time.sleep(0.05)
    print(*[w.process.pid for w in processes._crew], flush=True)

if __name__ == "__main__":
    # A shell's background jobs start with Ctrl-C ignored, and what they start inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=tell, daemon=True).start()
    made = Ingredients(compose(["model=mlp"]))
    trials = [Trial(name="long", change={}, seed=seed, steps=10**6) for seed in range(2)]
    run_in_processes(trials, made, Path(sys.argv[1]), workers=2, threads=1, save=False, done=print)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_workers_end_with_their_parent(how: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path / "trials"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    time.sleep(1.0)
    # Ctrl-C reaches the whole group; a kill the parent alone.
    os.killpg(parent.pid, how) if how == signal.SIGINT else parent.kill()
    parent.wait(10)
    parent.stdout.close()
    ends = time.monotonic() + 5
    while any(map(alive, workers)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(alive, workers))
