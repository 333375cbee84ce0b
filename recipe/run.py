"""Runs one stage from composed config to saved report, or all six; returns the exit code."""

from __future__ import annotations

import importlib
import json as json_text
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from recipe import brought
from recipe.conclusion import conclude, settle, write_reports
from recipe.config import Composed
from recipe.environment import environment
from recipe.identity import identity_of
from recipe.judge import judge, unread
from recipe.next_step import next_step, typed
from recipe.record.files import write_text
from recipe.record.lock import held
from recipe.record.plain import to_json, to_plain
from recipe.record.refusal import Refusal, UserCodeError
from recipe.record.report import Report, worst
from recipe.record.run_directory import STAGES, RunDirectory, now
from recipe.render.progress import progress_for
from recipe.render.stage_report import show_stage
from recipe.so_far import recipe_so_far
from recipe.track.tracker import trackers_of

# How `walk` shares a budget out: what the stages need beside each other.
_SHARES = {"inspect-data": 3, "baseline": 6, "overfit": 20, "regularize": 22, "tune": 14, "ensemble": 35}
_SPENT = 0.95


def run_stage(stage: str, composed: Composed, *, json: bool = False) -> int:
    """One stage: 0 when its gate is open, 1 when a check failed. Raises Refusal when it may not start."""
    report = do_stage(stage, composed, quiet=json, show=not json)
    if json:
        sys.stdout.write(to_json(report).decode())
    return 1 if report.verdict == "fail" else 0


def do_stage(stage: str, composed: Composed, *, quiet: bool, show: bool) -> Report:
    """One stage and its report. quiet: no progress; show: prints the report in brief."""
    run = RunDirectory(Path(composed.plain["run"]["dir"]))
    with held(run.path, f"recipe {stage}"):
        run.recover()
        composed = composed.on(run.recipe_before(stage))
        # A command that was cut after its stage was complete ends as if it had not been: nothing is done twice.
        report = run.report(stage) if run.unsettled(stage) == _target(run, stage, composed) else None
        if report is not None and report.config["checks"] == composed.masked["checks"]:
            return conclude(run, report, composed, show=show)
        _require_open_gates(run, stage, composed)
        return _perform(run, stage, composed, composed.plain["budget"], quiet=quiet, show=show)


def walk(composed: Composed, *, json: bool = False) -> int:
    """All six in order; what is done stays, an interrupted stage goes on, the first closed gate stops it."""
    reports = do_walk(composed, quiet=json, show=not json)
    if json:
        print(json_text.dumps([to_plain(r) for r in reports], indent=2))
    else:
        print(f"report: {Path(composed.plain['run']['dir']) / 'report.html'}")
    return 1 if any(report.verdict == "fail" for report in reports) else 0


def do_walk(composed: Composed, *, quiet: bool, show: bool) -> list[Report]:
    """The reports of a walk, as far as it came."""
    run = RunDirectory(Path(composed.plain["run"]["dir"]))
    # A little is kept back for the last step under way and for the pages.
    ends = time.monotonic() + _SPENT * composed.plain["budget"] if composed.plain["budget"] else None
    reports = []
    with held(run.path, "recipe walk"):
        run.recover()
        for position, stage in enumerate(STAGES):
            ready = composed.on(run.recipe_before(stage))
            report = run.report(stage) if run.identity(stage) == identity_of(run, stage, ready) else None
            if report is None:
                left = sum(_SHARES[s] for s in STAGES[position:])
                share = max(1.0, ends - time.monotonic()) * _SHARES[stage] / left if ends else None
                report = _perform(run, stage, ready, share, quiet=quiet, show=show)
            else:
                if report.config["checks"] != ready.masked["checks"]:
                    # Other thresholds measure nothing anew: the evidence is judged again.
                    report = _judge_again(run, report, ready.masked["checks"])
                    settle(run)
                if run.unsettled(stage):
                    conclude(run, report, ready, show=False)
                if show:
                    print(f"{stage}: done already, {report.verdict}")
            reports.append(report)
            if report.verdict == "fail" and ready.plain["gate"] != "off":
                break
    return reports


def rejudge(folder: Path, *, json: bool = False, settings: dict[str, Any] | None = None) -> int:
    """Judges the evidence of a finished run again, with today's checks and thresholds; measures nothing."""
    run = RunDirectory(folder)
    done = [stage for stage in STAGES if run.identity(stage)]
    if not done:
        raise Refusal(
            "no finished stage in it", where=str(folder), fix="recipe judge takes a run directory such as runs/digits"
        )
    reports = []
    with held(run.path, "recipe judge"):
        run.recover()
        for stage in done:
            old = run.report(stage)
            assert old is not None
            report = _judge_again(run, old, settings if settings is not None else old.config["checks"])
            reports.append(report)
            if not json:
                show_stage(report, run.shelf(stage), [])
        settle(run)
    if json:
        print(json_text.dumps([to_plain(r) for r in reports], indent=2))
    return 1 if any(report.verdict == "fail" for report in reports) else 0


def _judge_again(run: RunDirectory, old: Report, settings: dict[str, Any]) -> Report:
    """The report with the checks of `settings`; its evidence stays."""
    findings = judge(old.stage, run.shelf(old.stage), settings, asked_of(old.stage, old.config))
    config = old.config | {"checks": settings}
    report = msgspec.structs.replace(old, checks=findings, verdict=worst(findings), config=config)
    return write_reports(run.stage_folder(old.stage), report)


def _perform(
    run: RunDirectory, stage: str, composed: Composed, budget: float | None, *, quiet: bool, show: bool
) -> Report:
    """The stage itself, in its work folder, which takes the place of the stage's folder when it is complete."""
    from recipe.ingredients import Ingredients
    from recipe.machine import out_of_memory
    from recipe.probes.memory import no_memory
    from recipe.stages.stage import Stage

    started, clock = now(), time.perf_counter()
    trackers_of(composed.plain["track"])  # a name that is none, or a package that is missing, is refused here
    carried = ("trials", "left") if _left(stage, composed) else ()
    work = run.open_work(stage, _target(run, stage, composed), carried=carried)
    with progress_for(json=quiet) as progress:
        progress.say(f"recipe {stage}: {composed.plain['data']['name']}, in {run.path}")
        ingredients = Ingredients(composed)
        _require_same_data(run, ingredients.data.origin)
        asked = asked_of(stage, composed.plain)
        told = Stage(
            stage,
            ingredients,
            work,
            run,
            budget=budget,
            progress=progress,
            without=unread(stage, asked),
            judged=lambda shelf: judge(stage, shelf, composed.plain["checks"], asked),
        )
        patched = ingredients.data.patched
        if patched:
            told.note(f"{str(patched)[:1].upper()}{str(patched)[1:]}")
        run.update(patch=str(patched or ""))
        if opened := _opened_before(run, work):
            told.note(opened)
        try:
            importlib.import_module(f"recipe.stages.{stage.replace('-', '_')}").tell(told)
        except (Refusal, KeyboardInterrupt):
            raise
        except Exception as error:
            if out_of_memory(error):
                raise no_memory(ingredients) from error
            theirs = UserCodeError.of(error)
            if theirs is None:
                raise
            raise theirs from error
    findings = judge(stage, told.shelf, composed.plain["checks"], asked)
    report = Report(
        stage=stage,
        verdict=worst(findings),
        started=started,
        seconds=round(time.perf_counter() - clock, 1),
        seed=composed.plain["seed"],
        config=composed.masked,
        environment=environment(str(ingredients.device)),
        checks=findings,
        trials=tuple(told.rows),
        decisions=tuple(told.decisions),
        metrics=told.metrics,
        next=next_step(stage, worst(findings), _words(composed), told.next_step, told.mending),
        notes=tuple(told.notes),
    )
    write_text(work / "recipe.yaml", recipe_so_far(run, report, composed))
    report = write_reports(work, report)
    run.promote(stage)
    return conclude(run, report, composed, show=show)


def _target(run: RunDirectory, stage: str, composed: Composed) -> str:
    """The whole identity that a stage is to have: all that its result depends on, and how far it goes."""
    left = _left(stage, composed)
    return identity_of(run, stage, composed) + (f"+{left}" if left else "")


def _left(stage: str, composed: Composed) -> Any:
    """How long ensemble leaves its run training; None for others."""
    return composed.plain["ensemble"]["leave"] if stage == "ensemble" else None


def asked_of(stage: str, config: Mapping[str, Any]) -> list[str] | None:
    """The ids of the checks that the stage is asked for (`baseline.checks`); None for all."""
    node = config.get(stage.replace("-", "_"))
    return node.get("checks") if isinstance(node, Mapping) else None


def _require_open_gates(run: RunDirectory, stage: str, composed: Composed) -> None:
    if composed.plain["gate"] == "off":
        return
    for earlier in STAGES[: STAGES.index(stage)]:
        report = run.report(earlier)
        if report is None:
            raise Refusal(
                f"{stage} builds on {earlier}, which has not been run here",
                where=str(run.path),
                fix=f"type: {typed('recipe ' + earlier, _words(composed))}   (or gate=off to go on without it)",
            )
        if report.verdict == "fail":
            wrong = next(f for f in report.checks if f.verdict == "fail")
            raise Refusal(
                f"the gate of {earlier} is closed by {wrong.id}: {wrong.message}",
                where=str(run.path),
                fix=f"{wrong.advice or 'recipe explain ' + wrong.id}   (or gate=off to go on all the same)",
            )


def _require_same_data(run: RunDirectory, fingerprint: str) -> None:
    known = run.run.data
    if known and known != fingerprint:
        raise Refusal(
            "this run directory belongs to another data set",
            where=str(run.path),
            fix="give this one its own: run.dir=runs/…",
        )
    if not known:
        run.update(data=fingerprint)


def _opened_before(run: RunDirectory, work: Path) -> str:
    """That the test split is no longer sealed, for every report from then on; empty while nobody has opened it.

    work: of the stage, which may have opened it itself before it was interrupted.
    """
    opened = run.run.test_opened
    own = work / "test_opened"
    before = opened[: int(own.read_text()) - 1] if own.exists() else opened
    if not before:
        return ""
    times = "once" if len(before) == 1 else f"{len(before)} times"
    return (
        f"The test split was opened {times} before this ran (last by {before[-1].by}, {before[-1].when}): "
        "what is decided now is no longer blind to it, and its number promises a little more than new data will give."
    )


def _words(composed: Composed) -> Sequence[str] | None:
    """What the user typed; None where objects were given from Python."""
    return None if brought.stays(composed.plain) else composed.overrides
