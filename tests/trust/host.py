"""A process that has imported everything heavy and forks one child a command: a real process of its own, ready at once.

The child is its own session, has its own folder, environment and output files, and ends with the command's exit code.
Nothing with threads runs in the host itself, so that forking is sound. One JSON line in, one out; see `fleet.py`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import traceback
from typing import Any

HEAVY = (
    "torch", "numpy", "PIL.Image", "safetensors.torch", "hydra.utils", "omegaconf", "jinja2", "rich.console",
    "recipe.cli", "recipe.run",
    "recipe.ingredients", "recipe.commands.stages", "recipe.trials.pool", "recipe.stages.inspect_data",
    "recipe.stages.baseline", "recipe.stages.overfit", "recipe.stages.regularize", "recipe.stages.tune",
    "recipe.stages.ensemble", "recipe.render.html", "sklearn.datasets", "scipy.stats", "scipy.optimize",
)  # fmt: skip


def main() -> None:
    for name in HEAVY:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(wait_for(asked["wait"], asked["within"]) if "wait" in asked else fork(asked)), flush=True)


def fork(job: dict[str, Any]) -> dict[str, Any]:
    """Starts the job; returns its process id."""
    pid = os.fork()
    if pid:
        return {"pid": pid}
    code = 70
    try:
        code = child(job)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def child(job: dict[str, Any]) -> int:
    """What the child does: sits down in its folder, plants what is asked for, and runs the command."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(job["folder"])
    os.environ.update(job["environment"])
    for number, name in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    sys.path.insert(0, job["folder"])
    for name, settings in job["plant"].items():
        getattr(importlib.import_module("tests.trust.faults"), name)(**settings)
    from recipe.cli import main as command

    return command(job["words"])


def wait_for(pid: int, within: float) -> dict[str, Any]:
    """The exit status of a child, negative for a signal; null when it is still there after `within` seconds."""
    ends = time.monotonic() + within
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            seconds = used.ru_utime + used.ru_stime
            return {"status": os.waitstatus_to_exitcode(status), "seconds": seconds, "peak": used.ru_maxrss}
        if time.monotonic() > ends:
            return {"status": None}
        time.sleep(0.005)


if __name__ == "__main__":
    main()
