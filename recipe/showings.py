"""One exhibit of the gallery through its stages: measured, kept, judged. What was kept is judged anew every time."""

from __future__ import annotations

import hashlib
import importlib
import tempfile
import time
import traceback
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

import recipe
from recipe.config import compose
from recipe.config.files import shipped_folder
from recipe.gallery.exhibit import Exhibit
from recipe.judge import judge
from recipe.record.evidence import Entry, Unmeasured
from recipe.record.files import make_folder, remove, write_text
from recipe.record.gallery import Alarm, Archive, Kept, KeptShelf, Showing
from recipe.record.refusal import NoRoom, Refusal
from recipe.record.run_directory import RunDirectory
from recipe.render.wording import one_line, slug

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
SECONDS = {"inspect-data": 4, "baseline": 5, "overfit": 20, "regularize": 4, "tune": 3, "ensemble": 2}
"""Roughly what a stage takes a processor: the long ones begin first, so that none is left alone at the end."""
NOT_MEASURING = ("checks", "render", "commands", "cli.py", "judge.py", "peers.py", "annotation.py", "selftest.py")
"""Rooms of the package on which no measurement depends."""


class Task(NamedTuple):
    """One showing to be made, as it travels to a worker process. words: the user's own overrides."""

    exhibit: Exhibit
    host: str
    seed: int
    words: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its file."""
        return slug(f"{self.exhibit.number}-{self.exhibit.name}-{self.host}-{self.seed}", 120)

    @property
    def seconds(self) -> float:
        """Roughly what it takes; asking a process of its own means starting one."""
        return sum(SECONDS[stage] for stage in self.exhibit.shown_in) + 10 * self.asks_elsewhere

    @property
    def asks_elsewhere(self) -> bool:
        """Whether the question is if a run can be repeated: else that costs more than all the rest together."""
        return bool({"data-differ", "not-reproduced"} & set(self.exhibit.causes))

    def words_of(self, stage: str) -> list[str]:
        """The command line. Nets as small as these are fastest on one core, and there is one for each showing."""
        seed = f"seed={self.seed}"
        return [*QUICK[stage], "device=cpu", *self.exhibit.on(self.host), seed, "engine.workers=1", *self.words]


def show(task: Task, archive: Archive, *, stale: bool = False) -> Showing:
    """Measured, unless that is in the archive already, and judged. stale: what other code measured will do.

    An error is the showing's result: `broke`, with the traceback in a file beside the others.
    """
    trace = archive.trace_of(task.name)
    kept = None
    try:
        kept = _kept(task, archive, stale=stale)
        if kept is None:
            kept = _measured(task)
            archive.put(task.name, kept)
        showing = _judged(task, kept)
    except Exception as error:
        make_folder(archive.folder)
        write_text(trace, traceback.format_exc())
        return broken(task, f"{type(error).__name__}: {error}", kept)
    remove(trace)
    return showing


def broken(task: Task, error: str, kept: Kept | None = None) -> Showing:
    """A showing that ended with an error of ours, told in one line."""
    told = one_line(error, 200) or "an error without a message"
    return msgspec.structs.replace(_empty(task, kept.code if kept else code()), broke=told)


@cache
def code() -> str:
    """Fingerprint of all that measures: the configs, and the sources but for the rooms that judge and tell."""
    package = Path(recipe.__file__).parent
    files = [file for file in package.rglob("*.py") if file.relative_to(package).parts[0] not in NOT_MEASURING]
    told = hashlib.blake2b(digest_size=8)
    for root, found in ((package, files), (shipped_folder(), [*shipped_folder().rglob("*.yaml")])):
        for name, file in sorted((file.relative_to(root).as_posix(), file) for file in found):
            told.update(f"{name}\n".encode())
            told.update(file.read_bytes())
    return told.hexdigest()


def _kept(task: Task, archive: Archive, *, stale: bool) -> Kept | None:
    """What the archive has of this very showing."""
    found = archive.get(task.name)
    if found is None or found.words != _words(task) or not (stale or found.code == code()):
        return None
    return found


def _words(task: Task) -> dict[str, tuple[str, ...]]:
    """All that a measurement depends on; a threshold is asked for when it is judged."""
    return {
        stage: tuple(word for word in task.words_of(stage) if not word.lstrip("+~").startswith("checks."))
        for stage in task.exhibit.shown_in
    }


def _measured(task: Task) -> Kept:
    started = time.process_time()
    evidence: dict[str, dict[str, Entry]] = {}
    refused = {}
    for stage in task.exhibit.shown_in:
        with tempfile.TemporaryDirectory(prefix="recipe-gallery-") as folder:
            try:
                evidence[stage] = _measured_in(stage, task, Path(folder))
            except NoRoom:
                raise
            except Refusal as refusal:
                refused[stage] = refusal.lines()[0]
    seconds = round(time.process_time() - started, 1)
    return Kept(words=_words(task), evidence=evidence, refused=refused, seconds=seconds, code=code())


def _measured_in(stage: str, task: Task, folder: Path) -> dict[str, Entry]:
    from recipe.ingredients import Ingredients
    from recipe.stages.stage import Stage

    ingredients = Ingredients(compose([*task.words_of(stage), f"run.dir={folder}"]))
    told = Stage(stage, ingredients, folder / stage, RunDirectory(folder))
    if not task.asks_elsewhere:
        told.shelf.put("determinism", Unmeasured(reason="only asked where it is the question"))
    importlib.import_module(f"recipe.stages.{stage.replace('-', '_')}").tell(told)
    return {name: entry for name in told.shelf.names() if (entry := told.shelf.entry(name))}


def _judged(task: Task, kept: Kept) -> Showing:
    alarms = [
        Alarm(check=f.id, verdict=f.verdict, cause=f.cause, message=f.message)
        for stage in kept.evidence
        for f in judge(stage, KeptShelf(kept, stage), compose(task.words_of(stage)).plain["checks"])
        if f.verdict in ("warn", "fail")
    ]
    refused = "; ".join(f"{stage}: {message}" for stage, message in kept.refused.items())
    empty = _empty(task, kept.code)
    return msgspec.structs.replace(empty, alarms=tuple(alarms), refused=refused, seconds=kept.seconds)


def _empty(task: Task, code: str) -> Showing:
    exhibit = task.exhibit
    return Showing(
        number=exhibit.number,
        name=exhibit.name,
        host=task.host,
        seed=task.seed,
        causes=exhibit.causes,
        stages=exhibit.shown_in,
        code=code,
    )
