"""The gallery run through the stages: every planted fault and healthy setup, on each host, over seeds."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from recipe import __version__
from recipe.crew import show_all
from recipe.environment import environment
from recipe.gallery.exhibit import Gallery as Rooms
from recipe.gallery.faults import FAULTS
from recipe.gallery.healthy import HEALTHY
from recipe.judge import judge
from recipe.peers import Question, compare
from recipe.record.evidence import Shelf
from recipe.record.files import write_json
from recipe.record.gallery import Archive, Gallery, Showing
from recipe.record.lock import held
from recipe.record.plain import to_json
from recipe.record.refusal import Refusal
from recipe.record.report import Report, worst
from recipe.record.run_directory import RunDirectory, now
from recipe.render.progress import progress_for
from recipe.render.stage_report import illustrated, show_stage, write_stage_report
from recipe.showings import Task, code

if TYPE_CHECKING:
    from recipe.config import Composed

STAGE = "selftest"
ARCHIVE = "showings"
_OURS = ("selftest.", "run.", "engine.", "budget", "seed=", "device")
"""Words that the showings do not get: they have their own, and small nets are fastest on one core of a processor."""
_READ = ("selftest", "seed", "budget", "engine", "checks")
"""Of the config what the command itself reads: data, model and the rest are each showing's own."""


def run_selftest(composed: Composed, numbers: Sequence[str], *, json: bool = False, peers: bool = False) -> int:
    """Runs the gallery into `<run.dir>/selftest`; 0 when causes are named and what is sound is left alone.

    Each showing is kept in `<run.dir>/showings` the moment it is made, and not made again.
    """
    _require_known(numbers)
    started, clock = now(), time.perf_counter()
    own = any(word.lstrip("+").startswith("run.") for word in composed.overrides)
    folder = Path(composed.plain["run"]["dir"] if own else "runs/selftest")
    tasks = list(_tasks(composed, numbers))
    run = RunDirectory(folder)
    with held(folder, "recipe selftest"):
        run.recover()
        work = run.open_work(STAGE, _identity(tasks))
        shelf = Shelf(work / "evidence")
        with progress_for(json=json) as progress:
            progress.say(f"recipe selftest: {len(tasks)} showings, in {folder}")
            shown = _show_all(tasks, Archive(folder / ARCHIVE), composed, progress)
        showings = tuple(shown[task.name] for task in tasks if task.name in shown)
        shelf.put("gallery", Gallery(showings=showings, left=len(tasks) - len(showings), code=code()))
        if peers and "peers" not in shelf.names():
            shelf.put("peers", compare([_question(task) for task in tasks], _cache()))
        report = _report(composed, shelf, started, clock)
        write_json(work / "report.json", report)
        write_stage_report(work, report, shelf, [])
        done = run.promote(STAGE)
    if json:
        print(to_json(report).decode(), end="")
    else:
        show_stage(report, Shelf(done / "evidence"), [])
    return 1 if report.verdict == "fail" else 0


def _tasks(composed: Composed, numbers: Sequence[str]) -> Iterator[Task]:
    """Every showing that is asked for, healthy setups first."""
    settings, first = composed.plain["selftest"], composed.plain["seed"]
    words = _words(composed)
    for exhibit, host in Rooms((*HEALTHY, *FAULTS)).chosen(numbers, settings["hosts"]):
        more = settings["healthy_seeds"] if exhibit.healthy else None
        for seed in range(first, first + (more or settings["seeds"])):
            yield Task(exhibit, host, seed, words)


def _words(composed: Composed) -> tuple[str, ...]:
    """What the user typed for the showings."""
    return tuple(word for word in composed.overrides if not word.lstrip("+~").startswith(_OURS))


def _report(composed: Composed, shelf: Shelf, started: str, clock: float) -> Report:
    findings = judge(STAGE, shelf, composed.plain["checks"])
    report = Report(
        stage=STAGE,
        verdict=worst(findings),
        started=started,
        seconds=round(time.perf_counter() - clock, 1),
        seed=composed.plain["seed"],
        config={key: composed.masked[key] for key in _READ} | {"words": _words(composed)},
        environment=environment("cpu"),
        checks=findings,
    )
    return illustrated(report, shelf, [])


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
    """Of the report: what is shown, the user's words, and the version."""
    told = [__version__, *[(task.name, task.words) for task in tasks]]
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=16).hexdigest()


def _show_all(tasks: Sequence[Task], archive: Archive, composed: Composed, progress: Any) -> dict[str, Showing]:
    """As many at once as there are cores, for as long as the budget allows: {name: showing}."""
    from recipe.machine import processors

    settings, budget = composed.plain["selftest"], composed.plain["budget"]
    workers = composed.plain["engine"]["workers"]
    count = int(workers) if str(workers).isdigit() else processors()
    ends = time.monotonic() + budget if budget else float("inf")
    bar = progress.bar("the gallery", sum(task.seconds for task in tasks))
    shown: dict[str, Showing] = {}
    try:
        for task, showing in show_all(tasks, archive, workers=count, stale=settings["keep_stale"], ends=ends):
            shown[task.name] = showing
            bar.advance(task.seconds, f"{len(shown)} of {len(tasks)}: {task.exhibit.number} on {task.host}")
            if showing.broke:
                progress.say(f"{task.exhibit.number} on {task.host} with seed {task.seed} broke: {showing.broke}")
    finally:
        bar.done()
    return shown
