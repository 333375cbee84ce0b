"""A run directory: where each stage's folder, the recipe so far and run.json live, and how a stage replaces its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from recipe.record.evidence import Shelf
from recipe.record.files import (
    copy_folder,
    make_folder,
    move_folder,
    remove,
    remove_temporaries,
    write_json,
    write_text,
)
from recipe.record.plain import from_json
from recipe.record.refusal import Refusal
from recipe.record.report import Level, Report

STAGES = ("inspect-data", "baseline", "overfit", "regularize", "tune", "ensemble")
_WORK = ".work"
_OLD = ".old"
_UNSETTLED = "unsettled"


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """What run.json says of a finished stage. metric: its headline as people read it."""

    verdict: Level
    seconds: float
    finished: str
    metric: str = ""


class Opening(msgspec.Struct, frozen=True):
    """One opening of the sealed test split."""

    when: str
    by: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """run.json. data: fingerprint of the data set that the run directory belongs to, without its patch.

    patch: what the patch file did when a stage was last run; empty without one.
    """

    schema: int = 1
    seed: int = 0
    data: str = ""
    patch: str = ""
    environment: dict[str, Any] = {}
    stages: dict[str, StageState] = {}
    test_opened: tuple[Opening, ...] = ()


class RunDirectory:
    """Paths and states of one run. Changing anything needs the lock (recipe.record.lock.held)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def run(self) -> Run:
        """run.json, or an empty one. Raises Refusal when the file is damaged."""
        file = self.path / "run.json"
        if not file.exists():
            return Run()
        try:
            return from_json(file.read_bytes(), Run)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Refusal(f"damaged ({error})", where=str(file), fix="start afresh with another run.dir=…") from error

    def update(self, **fields: Any) -> None:
        """Replaces fields of run.json."""
        write_json(self.path / "run.json", msgspec.structs.replace(self.run, **fields))

    @property
    def recipe_file(self) -> Path:
        """recipe.yaml: the recipe so far, as the last finished stage left it."""
        return self.path / "recipe.yaml"

    def recipe_before(self, stage: str) -> Path | None:
        """The recipe as the stages before this one left it: what the stage starts from."""
        earlier = [self.stage_folder(s) / "recipe.yaml" for s in STAGES[: STAGES.index(stage)]]
        return next((file for file in reversed(earlier) if file.exists()), None)

    def identity(self, stage: str) -> str:
        """Of a finished stage: the hash of all that its result depends on; empty when there is none.

        What stands behind a plus says how far it was taken (for how long a run was left training).
        """
        file = self.stage_folder(stage) / "identity"
        there = file.exists() and (self.stage_folder(stage) / "report.json").exists()
        return file.read_text().partition("+")[0] if there else ""

    def stage_folder(self, stage: str) -> Path:
        """The folder of a finished stage."""
        return self.path / stage

    def shelf(self, stage: str) -> Shelf:
        """The evidence of a finished stage."""
        return Shelf(self.stage_folder(stage) / "evidence")

    def report(self, stage: str) -> Report | None:
        """The last complete report of a stage."""
        file = self.stage_folder(stage) / "report.json"
        return from_json(file.read_bytes(), Report) if file.exists() else None

    def recover(self) -> None:
        """After a kill: ends a replacement that was cut in the middle, and removes what nobody needs."""
        for stage in STAGES:
            old, folder = self.path / _OLD / stage, self.stage_folder(stage)
            if old.exists() and not folder.exists():
                move_folder(old, folder)
        remove(self.path / _OLD)
        remove_temporaries(self.path)

    def open_work(self, stage: str, identity: str, carried: Sequence[str] = ()) -> Path:
        """The folder in which a stage works: the interrupted one of the same identity, or a new one.

        carried: folders of the finished stage that a new one starts from, if that is the same but for how far it went.
        """
        work = self.path / _WORK / stage
        mark = work / "identity"
        if work.exists() and not (mark.exists() and mark.read_text() == identity):
            remove(work)
        make_folder(work)
        if not mark.exists():
            for name in carried if self.identity(stage) == identity.partition("+")[0] else ():
                if (self.stage_folder(stage) / name).exists() and not (work / name).exists():
                    copy_folder(self.stage_folder(stage) / name, work / name)
            write_text(mark, identity)
        return work

    def interrupted(self) -> list[str]:
        """Stages with unfinished work."""
        return [stage for stage in STAGES if (self.path / _WORK / stage / "identity").exists()]

    def promote(self, stage: str) -> Path:
        """The complete work folder becomes the stage's folder; the old one stands until that moment.

        What follows from it for the rest of the run directory is still to be written: `settled` says that it is.
        """
        folder, old, work = self.stage_folder(stage), self.path / _OLD / stage, self.path / _WORK / stage
        write_text(work / _UNSETTLED, "")
        remove(old)
        if folder.exists():
            make_folder(old.parent)
            move_folder(folder, old)
        move_folder(work, folder)
        remove(self.path / _OLD)
        return folder

    def unsettled(self, stage: str) -> str:
        """The whole identity of a stage that was complete when its command was cut, before the end of it; or empty."""
        folder = self.stage_folder(stage)
        return (folder / "identity").read_text() if (folder / _UNSETTLED).exists() else ""

    def settled(self, stage: str) -> None:
        """Nothing of the stage's command is left to be done."""
        remove(self.stage_folder(stage) / _UNSETTLED)

    def count_test_opening(self, by: str) -> int:
        """Writes down that the sealed test split is opened now; returns how often it has been."""
        opened = (*self.run.test_opened, Opening(now(), by))
        self.update(test_opened=opened)
        return len(opened)


def now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
