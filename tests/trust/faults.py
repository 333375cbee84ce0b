"""What a campaign plants in a command before it starts: cuts, errors of the file system, and the negative controls."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

from recipe.record import files

_WRITES = ("write", "append")


def trace(log: str) -> None:
    """Writes down each file operation in order, so that campaigns know how many there are and which."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def told(name: str, path: Path) -> None:
        os.write(descriptor, f"{name} {path}\n".encode())

    _listen(told)


def cut(at: int, *, torn: bool = False) -> None:
    """Ends the process before file operation `at`; torn: when that is a write, half of something is written first."""

    def maybe(name: str, path: Path) -> None:
        if _count() == at:
            if torn and name in _WRITES:
                with open(path, "ab") as file:
                    file.write(b'0badc0de 99 {"torn": ')
            os._exit(137)

    _listen(maybe)


def power_cut(at: int, seed: int) -> None:
    """Ends the process before operation `at`, and with it all that was written and not flushed to the disk.

    A file without fsync keeps a random part of what was written, as file systems do that write the name before the data.
    """
    synced: dict[int, int] = {}
    born: list[Path] = []
    fsync = os.fsync

    def remember(descriptor: int) -> None:
        fsync(descriptor)
        about = os.fstat(descriptor)
        synced[about.st_ino] = about.st_size

    def maybe(name: str, path: Path) -> None:
        if name in (*_WRITES, "rename"):
            born.append(path)
        if _count() == at:
            draw = random.Random(seed)
            for file in {path for path in born if path.is_file()}:
                about = file.stat()
                if about.st_size > (kept := synced.get(about.st_ino, 0)):
                    os.truncate(file, draw.randrange(kept, about.st_size))
            os._exit(137)

    os.fsync = remember
    _listen(maybe)


def fail(at: int, code: int, *, lasting: bool = True) -> None:
    """Operation `at` raises this error of the operating system; lasting: so does every later one that needs room."""

    def maybe(name: str, path: Path) -> None:
        count = _count()
        if count == at or (lasting and count > at and name in (*_WRITES, "open", "mkdir", "fsync")):
            raise OSError(code, os.strerror(code), str(path))

    _listen(maybe)


def checkpoints(every: int) -> None:
    """A checkpoint every few steps, where a short run would have none at all."""
    from recipe.training import checkpoint

    begin = checkpoint.Checkpoint.__init__

    def often(self: Any, folder: Path, **_: Any) -> None:
        begin(self, folder, every=every)

    checkpoint.Checkpoint.__init__ = often  # type: ignore[method-assign]


def size_limit(bytes: int) -> None:
    """The kernel's own limit on the size of a file (SIGXFSZ is ignored, so that writes fail)."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, bytes))


def output(path: str) -> None:
    """What is printed goes there."""
    descriptor = os.open(path, os.O_WRONLY)
    os.dup2(descriptor, 1)


# Negative controls: each takes a promise away, and the campaign that tests it has to notice.


def without_rename() -> None:
    """Files are written in place."""
    files._temporary = lambda path: path


def without_fsync() -> None:
    """Nothing is flushed."""
    os.fsync = lambda _: None


def without_random_state(seed: int) -> None:
    """Random numbers run on from wherever they are, as if they were no function of the step."""
    import torch

    from recipe.training import loop

    torch.manual_seed(seed)
    loop._Run.reseed = lambda self, count: setattr(self, "_now", count)  # type: ignore[method-assign]


def without_lock() -> None:
    """Whoever comes gets the run directory."""
    from recipe.record import lock

    class Unlocked:
        LOCK_EX = LOCK_NB = 0
        flock = staticmethod(lambda *_: None)

    lock.fcntl = Unlocked  # type: ignore[assignment]


def _listen(heard: Any) -> None:
    """Everything that writes passes here."""
    before = files._operation

    def operation(name: str, path: Path) -> None:
        heard(name, path)
        before(name, path)

    files._operation = operation


def _count() -> int:
    """The number of this operation, from 1."""
    return files._done + 1
