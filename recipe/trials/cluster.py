"""Trials on a Ray cluster: configuration and data travel there, the files of a trial's folder travel back.

Nothing has to be shared between the machines. Whoever dies loses only what was running on it: that is given out again.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recipe.record.files import make_folder, write_bytes, write_json
from recipe.record.history import History
from recipe.record.refusal import Refusal, UserCodeError
from recipe.record.trial import Outcome, Trial
from recipe.training.stream import beside_others
from recipe.trials.here import finished, run_one
from recipe.trials.processes import refusal_of, told_of

if TYPE_CHECKING:
    from recipe.config import Composed
    from recipe.data.data import Data
    from recipe.ingredients import Ingredients

ATTEMPTS = 4
"""So often a trial is given out before it counts as what kills its workers."""
_PATIENCE = 90.0
"""Seconds without a single living node that could run a trial."""
_LOOK = 1.0


class Errand(NamedTuple):
    """All that a worker is told but the data."""

    trial: Trial
    composed: Composed
    threads: int
    save: bool
    paths: tuple[str, ...]


def address_of(ingredients: Ingredients) -> str | None:
    """Of the cluster that the trials go to; None where they stay on this machine."""
    address: str | None = ingredients.config["engine"].get("address")
    return address


def run_on_cluster(
    trials: Sequence[Trial],
    ingredients: Ingredients,
    folder: Path,
    *,
    threads: int,
    save: bool,
    done: Callable[[Outcome], None],
) -> None:
    """As many at once as the cluster has room for; `done` is told each outcome as it comes, once it is on disk here.

    Raises Refusal when there is no such cluster, or none of its nodes is left.
    """
    with connected(address_of(ingredients) or "auto") as ray:
        data = ray.put(ingredients.data)
        errands = [Errand(trial, ingredients.composed, threads, save, _paths()) for trial in trials]
        if (workers := _workers_of_one(ingredients)) > 1:
            from recipe.trials.together import run_together

            run_together(ray, errands, data, ingredients, folder, workers=workers, done=done)
            return
        gpus = 1 if ingredients.device.type == "cuda" else 0
        task = ray.remote(work).options(num_cpus=threads, num_gpus=gpus, max_retries=0)
        open_ones = {task.remote(errand, data): (errand, 1) for errand in errands}
        waited = 0.0
        try:
            while open_ones:
                ready, _ = ray.wait(list(open_ones), num_returns=1, timeout=_LOOK)
                waited = 0.0 if ready or _has_room(ray, threads) else waited + _LOOK
                if waited > _PATIENCE:
                    raise Refusal(
                        f"for {_PATIENCE:.0f} s no node of the Ray cluster could run a trial",
                        where="engine.address",
                        fix="start nodes, or engine=local; finished trials are kept",
                    )
                for answer in ready:
                    errand, times = open_ones.pop(answer)
                    outcome = _collect(ray, answer, errand, folder, times)
                    if outcome is None:
                        open_ones[task.remote(errand, data)] = errand, times + 1
                    else:
                        done(outcome)
        finally:
            # Also on Ctrl-C: nothing runs on behind our back.
            for answer in open_ones:
                ray.cancel(answer, force=True)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster that is there already; this process was connected before, or is not any more."""
    try:
        import ray
    except ImportError as error:
        raise Refusal(
            "Ray is not installed", where="engine=ray", fix="pip install 'recipe[ray]', or engine=local"
        ) from error
    before = ray.is_initialized()
    if not before:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", configure_logging=False)
        except Exception as error:  # Ray has no class of its own for it
            said = str(error).strip().splitlines()[0][:160]
            raise Refusal(
                f"there is no Ray cluster at {address} ({said})",
                where="engine.address",
                fix="ray start --head, then the same command; or engine=local",
            ) from error
    try:
        yield ray
    finally:
        if not before:
            ray.shutdown()


def work(errand: Errand, data: Data) -> dict[str, Any]:
    """On a worker: trains in a folder of its own; the files of the trial's folder as bytes, or what went wrong."""
    from recipe.ingredients import Ingredients

    sys.path[:0] = [path for path in errand.paths if path not in sys.path]
    try:
        with tempfile.TemporaryDirectory(prefix="recipe-trial-") as place, beside_others():
            made = Ingredients(errand.composed, data=data)
            run_one(errand.trial, made, Path(place), threads=errand.threads, save=errand.save)
            files = (Path(place) / errand.trial.id).iterdir()
            return {"files": {file.name: file.read_bytes() for file in files if file.is_file()}}
    except Refusal as refusal:
        return told_of(refusal)
    except Exception as error:  # it is raised again by whoever asked
        theirs = UserCodeError.of(error)
        return told_of(theirs) if theirs else {"error": traceback.format_exc()}


def _collect(ray: Any, answer: Any, errand: Errand, folder: Path, times: int) -> Outcome | None:
    """The outcome, written here; None when worker or node died and the trial has to be given out again."""
    try:
        reply = ray.get(answer)
    except ray.exceptions.RayError as error:
        if times < ATTEMPTS:
            time.sleep(min(2.0, 0.2 * times))
            return None
        return given_up(errand, folder, error)
    return brought_home(errand, folder, reply)


def given_up(errand: Errand, folder: Path, error: Exception) -> Outcome:
    """The outcome of a trial whose workers died again and again."""
    note = f"its worker died {ATTEMPTS} times ({type(error).__name__})"
    outcome = Outcome(trial=errand.trial, status="failed", metrics={}, history=History(), steps=0, note=note)
    write_json(make_folder(folder / errand.trial.id) / "result.json", outcome)
    return outcome


def brought_home(errand: Errand, folder: Path, reply: dict[str, Any]) -> Outcome:
    """The outcome that a worker sent, with its files written here; what it raised, raised again."""
    trial = errand.trial
    if "error" in reply:
        raise RuntimeError(f"on the Ray cluster, in trial {trial.id}:\n{reply['error']}")
    if "kind" in reply:
        raise refusal_of(reply)
    place = make_folder(folder / trial.id)
    # The result last: where it is, everything is.
    for name in sorted(reply["files"], key=lambda name: name == "result.json"):
        write_bytes(place / name, reply["files"][name])
    found = finished(trial, folder, save=errand.save)
    if found is None:
        raise RuntimeError(f"trial {trial.id} brought no sound result home")
    return found


def _workers_of_one(ingredients: Ingredients) -> int:
    """Workers that share one training: `engine.workers`; on a cluster, trials beside each other need no number."""
    wanted = ingredients.config["engine"].get("workers", "auto")
    return 1 if wanted in ("auto", None) else int(wanted)


def _has_room(ray: Any, threads: int) -> bool:
    """Whether a living node is large enough for a trial."""
    return any(node["Alive"] and node["Resources"].get("CPU", 0) >= threads for node in ray.nodes())


def _paths() -> tuple[str, ...]:
    """Where the user's own modules are found; on other machines only if they are there too."""
    return (str(Path.cwd()),)
