"""One run at a time in a run directory: a lock of the operating system's, which a killed owner cannot leave behind."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recipe.record.files import explained, make_folder
from recipe.record.refusal import InUse, NoRoom, Refusal


@contextmanager
def held(folder: Path, command: str) -> Iterator[None]:
    """Holds the folder while the block runs. Raises InUse, naming the owner, when another process holds it."""
    descriptor = _opened(folder)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(
                f"in use by {_owner(descriptor)}",
                where=str(folder),
                fix="wait for it, or choose another with run.dir=…",
            ) from error
        # The content only tells people who it is; the lock itself is the kernel's and ends with the process.
        owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": command,
            "since": time.strftime("%H:%M:%S"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    """The descriptor of the lock's file. Where nothing can be begun, the place is wrong, and the disk not full."""
    path = folder / ".lock"
    try:
        make_folder(folder)
        with explained(path):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except NoRoom as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EROFS:
            what = "the run directory cannot be written (read-only file system)"
            raise Refusal(what, where=str(folder), fix="choose another with run.dir=…") from error
        raise


def _owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {owner['pid']} on {owner['host']} ({owner['command']}, since {owner['since']})"
    except (ValueError, KeyError):
        return "another process"
