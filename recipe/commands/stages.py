"""The six stages and `walk`: compose, check, and hand over to recipe.run."""

from __future__ import annotations

import gc
from pathlib import Path

from recipe.commands.command import Arguments
from recipe.commands.configs import checked, show_config
from recipe.record.run_directory import STAGES, RunDirectory


def run_stage(arguments: Arguments) -> int:
    """One stage."""
    stage = arguments.command.name
    composed = checked(arguments)
    if "--cfg" in arguments.flags:
        run = RunDirectory(Path(composed.plain["run"]["dir"]))
        show_config(composed.on(run.recipe_before(stage)), arguments)
        return 0
    gc.enable()
    from recipe import run as runner

    return runner.run_stage(stage, composed, json=arguments.json)


def walk(arguments: Arguments) -> int:
    """All six, in order."""
    composed = checked(arguments)
    if "--cfg" in arguments.flags:
        run = RunDirectory(Path(composed.plain["run"]["dir"]))
        unfinished = next((stage for stage in STAGES if not run.identity(stage)), STAGES[-1])
        show_config(composed.on(run.recipe_before(unfinished)), arguments)
        return 0
    gc.enable()
    from recipe import run as runner

    return runner.walk(composed, json=arguments.json)
