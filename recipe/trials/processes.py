"""Trials in worker processes, which live as long as the command and never longer.

Only configuration travels: a worker builds data, model and learner itself. A worker that is killed loses nothing: its
trial is given out again and goes on from its checkpoint. Workers end with their parent, however it ends.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing as mp
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.record.files import make_folder, write_json
from recipe.record.history import History
from recipe.record.refusal import InUse, NoRoom, Refusal, UserCodeError
from recipe.record.trial import Outcome, Trial
from recipe.trials.here import finished, run_one
from recipe.without_main import without_main

if TYPE_CHECKING:
    from recipe.config import Composed
    from recipe.data.data import Data
    from recipe.ingredients import Ingredients

_ATTEMPTS = 3
_crew: list[Worker] = []


class Job(NamedTuple):
    """All that a worker is told."""

    trial: Trial
    composed: Composed
    folder: Path
    threads: int
    save: bool


def run_in_processes(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    workers: int,
    threads: int,
    save: bool,
    done: Callable[[Outcome], None],
) -> None:
    """As many at once as there are workers; `done` is told each outcome as it comes."""
    queue = deque(Job(trial, ingredients.composed, folder, threads, save) for trial in trials)
    killed: dict[str, int] = {}
    try:
        _hire(workers)
        while queue or any(worker.job for worker in _crew):
            for worker in _crew:
                if queue and not worker.job:
                    worker.give(queue.popleft())
            for worker in _next_to_speak():
                job, reply = worker.hear()
                if reply is None:
                    _replace(worker)
                    killed[job.trial.id] = killed.get(job.trial.id, 0) + 1
                    outcome = _after_kill(job, killed[job.trial.id])
                    if outcome is None:
                        queue.appendleft(job)
                        continue
                else:
                    outcome = _result(job, reply)
                done(outcome)
    except BaseException:
        # Also on Ctrl-C: half-done trials have their checkpoints, and nothing runs on behind our back.
        dismiss()
        raise


def running() -> bool:
    """Whether workers are there already."""
    return bool(_crew)


def dismiss() -> None:
    """Ends all workers at once."""
    while _crew:
        _crew.pop().end()


class Worker:
    """One process and the pipe to it."""

    def __init__(self) -> None:
        context = _context()
        # Readable when the worker has something to say, or is dead.
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), name="recipe-worker")
        with without_main():
            self.process.start()
        theirs.close()
        self.job: Job | None = None

    def give(self, job: Job) -> None:
        """A dead worker is found out when it is listened to."""
        self.job = job
        with contextlib.suppress(OSError):
            self.pipe.send(job)

    def hear(self) -> tuple[Job, Any]:
        """The job that was done and the reply, or None in its place when the worker is dead."""
        job, self.job = self.job, None
        assert job is not None
        try:
            return job, self.pipe.recv()
        except (EOFError, OSError):
            return job, None

    def end(self) -> None:
        """Kills the process and waits for its end."""
        self.pipe.close()
        self.process.kill()
        self.process.join()
        self.process.close()


def _context() -> Any:
    """A fork server imports torch once and forks a worker in milliseconds; elsewhere every worker imports it."""
    method = "forkserver" if "forkserver" in mp.get_all_start_methods() else "spawn"
    context = mp.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([__name__, "recipe.ingredients"])
    return context


def _hire(count: int) -> None:
    if not _crew:
        atexit.register(dismiss)
    while len(_crew) < count:
        _crew.append(Worker())


def _replace(worker: Worker) -> None:
    worker.end()
    _crew[_crew.index(worker)] = Worker()


def _next_to_speak() -> list[Worker]:
    busy = {worker.pipe: worker for worker in _crew if worker.job}
    return [busy[pipe] for pipe in wait(list(busy))]


def _after_kill(job: Job, times: int) -> Outcome | None:
    """The outcome if it was written before the worker died; a failure after too many deaths; else None: once more."""
    found = finished(job.trial, job.folder, save=job.save)
    if found or times < _ATTEMPTS:
        return found
    note = f"its worker was killed {times} times, which is what happens when memory runs out"
    outcome = Outcome(trial=job.trial, status="failed", metrics={}, history=History(), steps=0, note=note)
    write_json(make_folder(job.folder / job.trial.id) / "result.json", outcome)
    return outcome


def _result(job: Job, reply: dict[str, Any]) -> Outcome:
    """What the worker wrote, or what it raised, raised again."""
    if "error" in reply:
        raise RuntimeError(f"in a worker process, in trial {job.trial.id}:\n{reply['error']}")
    if "kind" in reply:
        raise refusal_of(reply)
    outcome = finished(job.trial, job.folder, save=job.save)
    if outcome is None:
        raise RuntimeError(f"trial {job.trial.id} left no result")
    return outcome


def refusal_of(reply: dict[str, Any]) -> Refusal:
    """The inverse of `told_of`."""
    if reply["kind"] == "UserCodeError":
        return UserCodeError(reply["where"], reply["frames"], reply["what"])
    kinds: dict[str, type[Refusal]] = {"NoRoom": NoRoom, "InUse": InUse}
    return kinds.get(reply["kind"], Refusal)(reply["what"], where=reply["where"], fix=reply["fix"])


def _serve(pipe: Connection) -> None:
    """The worker: takes a job, trains, says that the result is on disk; until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    desk = Desk()
    while True:
        try:
            job: Job = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(desk.work(job))


class Desk:
    """What a worker keeps between jobs: the data it has read."""

    def __init__(self) -> None:
        self._node: Any = None
        self._data: Data | None = None

    def work(self, job: Job) -> dict[str, Any]:
        """An empty reply when the result is on disk, else what went wrong, as plain data."""
        from recipe.ingredients import Ingredients

        node = {key: job.composed.plain[key] for key in ("data", "task", "seed")}
        try:
            ingredients = Ingredients(job.composed, data=self._data if node == self._node else None)
            run_one(job.trial, ingredients, job.folder, threads=job.threads, save=job.save)
            self._node, self._data = node, ingredients.data
        except Refusal as refusal:
            return told_of(refusal)
        except Exception as error:  # it is raised again in the parent
            theirs = UserCodeError.of(error)
            return told_of(theirs) if theirs else {"error": traceback.format_exc()}
        return {}


def told_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal as plain data, to be raised again elsewhere."""
    frames = refusal.frames if isinstance(refusal, UserCodeError) else []
    return {
        "kind": type(refusal).__name__,
        "what": refusal.what,
        "where": refusal.where,
        "fix": refusal.fix,
        "frames": frames,
    }


def _die_with_parent() -> None:
    """A parent that was killed cannot say goodbye: the end of its pipe does."""
    parent = mp.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
