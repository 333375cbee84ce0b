"""Real commands, started in numbers: each a process of its own, forked from a host that has imported torch."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: the signal that killed it), what it said, what it used.

    seconds: of processor time. peak: largest memory in KiB, what was there when it was forked included.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak: int


class Command:
    """A command under way."""

    def __init__(self, fleet: Fleet, pid: int, out: Path, err: Path) -> None:
        self.fleet, self.pid, self._out, self._err = fleet, pid, out, err

    def kill(self, number: int = signal.SIGKILL) -> None:
        """A signal to its whole group; nothing happens when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def send(self, number: int) -> None:
        """A signal to the process alone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, within: float = 300) -> Ended:
        """How it ended. TimeoutError, with everything killed, when it takes longer."""
        answer = self.fleet.ask({"wait": self.pid, "within": within})
        if answer["status"] is None:
            self.kill()
            self.fleet.ask({"wait": self.pid, "within": 60})
            raise TimeoutError(f"no end within {within} s: {self.said()}")
        self.kill()  # what it may have left behind
        return Ended(answer["status"], *self.said(), answer["seconds"], answer["peak"])

    def said(self) -> tuple[str, str]:
        """What it has said so far: stdout, stderr."""
        return self._out.read_text(errors="replace"), self._err.read_text(errors="replace")


@dataclass
class Fleet:
    """The host and the pipe to it."""

    scratch: Path
    host: subprocess.Popen[str] = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("RECIPE_")}
        environment |= {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "200", "PYTHONPATH": str(TOP)}
        self.host = subprocess.Popen(
            [sys.executable, "-m", "tests.trust.host"], cwd=TOP, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.host.stdout is not None
        assert self.host.stdout.readline() == "ready\n"

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One line to the host, and its answer."""
        assert self.host.stdin is not None
        assert self.host.stdout is not None
        self.host.stdin.write(json.dumps(question) + "\n")
        self.host.stdin.flush()
        answer: dict[str, Any] = json.loads(self.host.stdout.readline())
        return answer

    def start(self, folder: Path, *words: str, plant: dict[str, Any] | None = None, **environment: str) -> Command:
        """`recipe` with these words, typed in `folder`. plant: functions of faults.py to call first, with arguments."""
        self._count += 1
        out, err = (self.scratch / f"{self._count}.{name}" for name in ("out", "err"))
        out.touch()
        err.touch()
        job = {"folder": str(folder), "words": words, "environment": environment, "plant": plant or {}}
        answer = self.ask(job | {"out": str(out), "err": str(err)})
        return Command(self, answer["pid"], out, err)

    def run(self, folder: Path, *words: str, plant: dict[str, Any] | None = None, **environment: str) -> Ended:
        """The same, to its end."""
        return self.start(folder, *words, plant=plant, **environment).wait()

    def close(self) -> None:
        """Ends the host."""
        assert self.host.stdin is not None
        assert self.host.stdout is not None
        self.host.stdin.close()
        self.host.wait(30)
        self.host.stdout.close()


@contextlib.contextmanager
def fleet_in(folder: Path | None = None) -> Any:
    """A fleet while the block runs."""
    with tempfile.TemporaryDirectory() as own:
        fleet = Fleet(folder or Path(own))
        try:
            yield fleet
        finally:
            fleet.close()
