"""The gallery run through the stages: every planted fault and healthy setup, on each host, over seeds."""

from __future__ import annotations

import hashlib
import multiprocessing as mp
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from recipe import __version__
from recipe.environment import environment
from recipe.gallery.exhibit import Exhibit
from recipe.gallery.exhibit import Gallery as Rooms
from recipe.gallery.faults import FAULTS
from recipe.gallery.healthy import HEALTHY
from recipe.judge import judge
from recipe.peers import Question, compare
from recipe.record.evidence import Shelf, Unmeasured
from recipe.record.files import write_json
from recipe.record.gallery import Alarm, Gallery, Showing
from recipe.record.lock import held
from recipe.record.plain import to_json
from recipe.record.refusal import Refusal
from recipe.record.report import Report, worst
from recipe.record.run_directory import RunDirectory, now
from recipe.render.progress import progress_for
from recipe.render.stage_report import illustrated, show_stage, write_stage_report
from recipe.render.wording import slug

if TYPE_CHECKING:
    from recipe.config import Composed

STAGE = "selftest"
# Small enough to be run hundreds of times; the checks and their thresholds are the shipped ones.
QUICK = {
    "inspect-data": (),
    "baseline": ("baseline.items=600", "baseline.val_items=250", "baseline.steps=150", "baseline.seeds=2"),
    "overfit": ("overfit.epochs=40", "overfit.edge_steps=20"),
    "regularize": ("train.epochs=8", "regularize.seeds=2", "regularize.fresh=2", "regularize.ideas=[]"),
    "tune": ("train.epochs=2", "search.trials=6", "search.generation=3", "tune.seeds=2", "tune.finalists=1",
             "tune.schedules=[]"),
    "ensemble": ("train.epochs=3", "ensemble.members=3", "ensemble.top=0", "ensemble.hardest=6"),
}  # fmt: skip


class Task(NamedTuple):
    """One showing to be made, as it travels to a worker process. words: the user's own overrides."""

    exhibit: Exhibit
    host: str
    seed: int
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of its evidence."""
        return slug(f"{self.exhibit.number}-{self.exhibit.name}-{self.host}-{self.seed}", 120)


def run_selftest(composed: Composed, numbers: Sequence[str], *, json: bool = False, peers: bool = False) -> int:
    """Runs the gallery into `<run.dir>/selftest`; 0 when causes are named and what is sound is left alone."""
    _require_known(numbers)
    started, clock = now(), time.perf_counter()
    settings = composed.plain["selftest"]
    own = any(word.lstrip("+").startswith("run.") for word in composed.overrides)
    folder = Path(composed.plain["run"]["dir"] if own else "runs/selftest")
    words = tuple(w for w in composed.overrides if not w.lstrip("+~").startswith(("selftest.", "run.", "engine.")))
    tasks = [
        Task(exhibit, host, seed, words)
        for exhibit, host in Rooms((*HEALTHY, *FAULTS)).chosen(numbers, settings["hosts"])
        for seed in range(composed.plain["seed"], composed.plain["seed"] + settings["seeds"])
    ]
    run = RunDirectory(folder)
    with held(folder, "recipe selftest"):
        run.recover()
        work = run.open_work(STAGE, _identity(tasks))
        shelf = Shelf(work / "evidence")
        with progress_for(json=json) as progress:
            progress.say(f"recipe selftest: {len(tasks)} showings, in {folder}")
            _show_all(tasks, shelf, composed.plain["engine"]["workers"], progress)
        showings = tuple(one for task in tasks if isinstance(one := shelf.get(task.name, Showing), Showing))
        shelf.put("gallery", Gallery(showings=showings))
        if peers and "peers" not in shelf.names():
            shelf.put("peers", compare([_question(task) for task in tasks], _cache()))
        findings = judge(STAGE, shelf, composed.plain["checks"])
        report = Report(
            stage=STAGE,
            verdict=worst(findings),
            started=started,
            seconds=round(time.perf_counter() - clock, 1),
            seed=composed.plain["seed"],
            config=composed.masked,
            environment=environment("cpu"),
            checks=findings,
        )
        report = illustrated(report, shelf, [])
        write_json(work / "report.json", report)
        write_stage_report(work, report, shelf, [])
        done = run.promote(STAGE)
    if json:
        print(to_json(report).decode(), end="")
    else:
        show_stage(report, Shelf(done / "evidence"), [])
        print(f"report: {done / 'report.html'}")
    return 1 if report.verdict == "fail" else 0


def _require_known(numbers: Sequence[str]) -> None:
    known = {exhibit.number for exhibit in (*FAULTS, *HEALTHY)}
    for number in numbers:
        if number not in known:
            from recipe.nearest import did_you_mean

            raise Refusal(
                f"there is no exhibit {number}", fix=did_you_mean(number, sorted(known), otherwise="there are")
            )


def _question(task: Task) -> Question:
    """A showing for the other tools: the same words, without our own stages."""
    words = (*task.exhibit.on(task.host), f"seed={task.seed}", "engine.workers=1")
    return Question(number=task.exhibit.number, host=task.host, seed=task.seed, causes=task.exhibit.causes, words=words)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recipe" / "peers"


def _identity(tasks: Sequence[Task]) -> str:
    """Of all that the showings depend on: what is shown, the user's words, and the version."""
    told = [__version__, *[(t.name, t.exhibit.on(t.host), t.words) for t in tasks], QUICK]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=16).hexdigest()


def _show_all(tasks: Sequence[Task], shelf: Shelf, workers: Any, progress: Any) -> None:
    """Those that are not on the shelf yet, as many at once as there are cores; each is kept when it is known."""
    there = set(shelf.names())
    missing = [task for task in tasks if task.name not in there]
    bar = progress.bar("the gallery", len(tasks))
    bar.advance(len(tasks) - len(missing))
    count = int(workers) if str(workers).isdigit() else os.cpu_count() or 1
    pool = ProcessPoolExecutor(min(count, max(1, len(missing))), mp.get_context("spawn"), initializer=_quiet)
    try:
        waiting = {pool.submit(show, task): task for task in missing}
        for done in as_completed(waiting):
            shelf.put(waiting[done].name, done.result())
            bar.advance(1)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        bar.done()


def _quiet() -> None:
    import signal
    import warnings

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def show(task: Task) -> Showing:
    """One exhibit through its stages, in a folder that is thrown away."""
    exhibit = task.exhibit
    stages = exhibit.shown_in
    alarms: list[Alarm] = []
    refused = ""
    for stage in stages:
        with tempfile.TemporaryDirectory(prefix="recipe-gallery-") as folder:
            try:
                alarms += _alarms(stage, task, Path(folder))
            except Refusal as refusal:
                refused = f"{stage}: {refusal.lines()[0]}"
    return Showing(
        number=exhibit.number,
        name=exhibit.name,
        host=task.host,
        seed=task.seed,
        causes=exhibit.causes,
        stages=stages,
        alarms=tuple(alarms),
        refused=refused,
    )


def _alarms(stage: str, task: Task, folder: Path) -> list[Alarm]:
    import importlib

    from recipe.config import compose
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

    words = [*QUICK[stage], *task.exhibit.on(task.host), f"seed={task.seed}", f"run.dir={folder}", "engine.workers=1"]
    ingredients = Ingredients(compose([*words, *task.words]))
    told = Stage(stage, ingredients, folder / stage, RunDirectory(folder))
    if not {"data-differ", "not-reproduced"} & set(task.exhibit.causes):
        # It asks a process of its own, which costs more than all the rest together.
        told.shelf.put("determinism", Unmeasured(reason="only asked where it is the question"))
    importlib.import_module(f"recipe.stages.{stage.replace('-', '_')}").tell(told)
    return [
        Alarm(check=f.id, verdict=f.verdict, cause=f.cause, message=f.message)
        for f in judge(stage, told.shelf, ingredients.config["checks"])
        if f.verdict in ("warn", "fail")
    ]
