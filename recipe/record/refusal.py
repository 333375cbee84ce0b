"""How a command ends when it cannot go on: one clear message, one exit code."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from recipe.record.said import said
from recipe.record.secret import hidden

_NOT_THEIRS = tuple(
    {
        str(Path(__file__).parents[1]),
        *(str(Path(sysconfig.get_path(p)).resolve()) for p in ("stdlib", "purelib", "platlib")),
    }
)


class Refusal(Exception):  # noqa: N818 - the word of the interface for all of them
    """What is wrong, where it is, and what to do about it; exit code 2.

    what: one line without the place. where: a path, a row or a config key.
    fix: what to type or edit. Together they print as at most three lines. Secrets in what they quote are masked.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = hidden(what), hidden(where), hidden(fix)
        super().__init__(self.what)

    def lines(self) -> list[str]:
        """The message as it is printed to stderr."""
        first = f"{self.where}: {self.what}" if self.where else self.what
        return [first, self.fix] if self.fix else [first]


class NoRoom(Refusal):
    """Out of disk or memory; fix says what would fit. Exit code 4."""

    exit_code = 4


class InUse(Refusal):
    """The run directory is held by another process. Exit code 5."""

    exit_code = 5


class UserCodeError(Refusal):
    """An error raised inside the user's own code: their frames are shown, ours are not. Exit code 2."""

    def __init__(self, target: str, frames: list[str], error: str) -> None:
        super().__init__(error, where=target)
        self.frames = [hidden(frame) for frame in frames]

    def lines(self) -> list[str]:
        """One line naming the target, then the frames of the user's own files."""
        return [f"{self.where} raised {self.what}", *self.frames]

    @classmethod
    def of(cls, error: BaseException, target: str = "") -> UserCodeError | None:
        """The error as the user should read it, or None when no frame of the user's own files is in its traceback."""
        frames = [
            f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith((*_NOT_THEIRS, "<"))
            and not str(Path(frame.filename).resolve()).startswith(_NOT_THEIRS)
        ]
        if not frames:
            return None
        place = target or Path(frames[-1].strip().split(":")[0]).name
        return cls(place, frames, said(error))
