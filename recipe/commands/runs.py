"""What is said about a run that is there: status, report, judge, predict, and `recipe` alone."""

from __future__ import annotations

import gc
import json
from pathlib import Path

from recipe import __version__
from recipe.commands.command import STAGES, Arguments
from recipe.commands.screen import WHAT, say, say_columns, styled
from recipe.config.files import config_files
from recipe.config.layers import user_root
from recipe.record.plain import to_plain
from recipe.record.refusal import Refusal
from recipe.record.report import NextStep, Report
from recipe.record.run_directory import RunDirectory
from recipe.render.wording import one_line


def overview(arguments: Arguments) -> int:
    """`recipe` alone: what this is, where the current run stands, what to type next."""
    say(f"{styled('recipe', 'bold')} {__version__}  {WHAT}")
    say()
    folder = newest_run() if not arguments.overrides else Path(arguments.compose().plain["run"]["dir"])
    if folder is None or not _is_run(folder):
        _no_run()
    else:
        _table(RunDirectory(folder))
    say()
    say("recipe --help lists the commands.")
    return 0


def status(arguments: Arguments) -> int:
    """A table of the run, and the next command."""
    if not (arguments.names or arguments.overrides or newest_run() or _own(arguments)):
        if arguments.json:
            say(json.dumps({"run": None, "stages": {}, "next": {"command": "recipe walk", "because": "no run yet"}}))
        else:
            _no_run()
        return 0
    run = RunDirectory(_there(arguments))
    if arguments.json:
        told = {"run": str(run.path), "interrupted": run.interrupted(), "next": to_plain(_next(run))}
        say(json.dumps({**told, **to_plain(run.run)}, indent=2))
        return 0
    _table(run)
    return 0


def report(arguments: Arguments) -> int:
    """The path of the run's page, opened with --open."""
    page = _there(arguments) / "report.html"
    if not page.is_file():
        raise Refusal("there is no report yet", where=str(page), fix="a stage writes it when it is done")
    say(str(page))
    if "--open" in arguments.flags:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            raise Refusal("no browser could be started", where=str(page), fix="open the file by hand")
    return 0


def judge(arguments: Arguments) -> int:
    """Judges the evidence again, with the thresholds of the run, or with those that are given."""
    from recipe import run as runner

    settings = None
    if arguments.overrides:
        from recipe.commands.configs import checked

        settings = checked(arguments).plain["checks"] or None
    return runner.rejudge(_there(arguments), json=arguments.json, settings=settings)


def predict(arguments: Arguments) -> int:
    """The model of a run on new files."""
    if not arguments.names:
        raise Refusal("predict needs something to predict", fix="recipe predict FILE_OR_FOLDER …")
    trust: list[str] = []
    folder = newest_run()
    if arguments.overrides or _own(arguments):
        plain = arguments.compose().plain
        trust = plain["trust"]
        if folder is None or any(not word.startswith("trust=") for word in arguments.overrides):
            folder = Path(plain["run"]["dir"])
    if folder is None or not _is_run(folder):
        raise Refusal("there is no run to take a model from", where=str(folder or "runs"), fix="recipe walk makes one")
    gc.enable()
    from recipe.predict.command import predict as say_predictions

    return say_predictions(folder, arguments.names, json=arguments.json, trust=trust)


def newest_run() -> Path | None:
    """The run directory below ./runs that was worked in last."""
    found = [folder for folder in Path("runs").glob("*") if _is_run(folder)]
    return max(found, key=lambda folder: max(p.stat().st_mtime for p in folder.iterdir()), default=None)


def _there(arguments: Arguments) -> Path:
    """The run that is meant: named, or that of overrides or a config of the user's, or the newest. Raises Refusal."""
    if len(arguments.names) > 1:
        raise Refusal("one run at a time", where=" ".join(arguments.names))
    if arguments.names:
        folder = Path(arguments.names[0])
        if not _is_run(folder):
            raise Refusal("this is no run directory", where=str(folder), fix=f"runs here: {_runs_here()}")
        return folder
    newest = newest_run()
    if arguments.overrides or (_own(arguments) and newest is None):
        meant = Path(arguments.compose().plain["run"]["dir"])
        if _is_run(meant):
            return meant
        raise Refusal("there is no run yet", where=str(meant), fix=f"recipe walk starts one; runs here: {_runs_here()}")
    if newest is None:
        raise Refusal("there is no run yet", where="runs", fix="recipe walk starts one")
    return newest


def _own(arguments: Arguments) -> bool:
    """Whether a config of the user's may say where runs are."""
    named = any(flag in arguments.flags for flag in ("--config-dir", "--config-name"))
    return named or user_root(config_files()) is not None


def _no_run() -> None:
    say("No run here yet. Type")
    rows = [("recipe walk", "all six stages on the bundled digits"), ("recipe inspect-data", "the first stage alone")]
    say_columns(rows)


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() or bool(RunDirectory(folder).interrupted())


def _runs_here() -> str:
    found = sorted(str(folder) for folder in Path("runs").glob("*") if _is_run(folder))
    return ", ".join(found[:8]) or "none"


def _reports(run: RunDirectory) -> dict[str, Report | None]:
    return {stage: run.report(stage) for stage in STAGES}


def _next(run: RunDirectory) -> NextStep | None:
    """The interrupted stage again, or what the furthest stage that is done said."""
    done = [report for report in _reports(run).values() if report is not None]
    said = done[-1].next if done else None
    interrupted = next((stage for stage in STAGES if stage in run.interrupted()), None)
    if interrupted is None or (said and said.command.split()[:2] == ["recipe", interrupted]):
        return said
    return NextStep(command=f"recipe {interrupted}", because="it was interrupted; the same command goes on")


def _table(run: RunDirectory) -> None:
    from recipe.render.terminal import show_status

    times = len(run.run.test_opened)
    opened = f"   test split opened {'once' if times == 1 else f'{times} times'}" if times else ""
    say(f"{styled(one_line(run.path), 'bold')}{opened}")
    show_status(_reports(run), _next(run), interrupted=run.interrupted())
