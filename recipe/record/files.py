"""The one module that writes files: each is either the old one or the complete new one.

A write goes to a temporary file in the same folder, is flushed to the disk, renamed over the old file, and the
folder is flushed too. Every operation passes through `_operation`, so that tests can stop the process or raise an
error at the k-th of them (RECIPE_EXIT_AT_FILE_OPERATION=k exits there, as a power cut would).
"""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recipe.record.plain import to_json
from recipe.record.refusal import NoRoom, Refusal

TEMPORARY = ".~"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_GONE = {errno.EROFS, errno.EIO}
_CLOSED = {errno.EACCES, errno.EPERM}
_done = 0


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the whole file or leaves the old one. Raises NoRoom when the disk takes no more, or Refusal."""
    temporary = _temporary(path)
    with explained(path):
        try:
            _operation("open", temporary)
            with open(temporary, "wb") as file:
                _operation("write", temporary)
                file.write(data)
                file.flush()
                _operation("fsync", temporary)
                os.fsync(file.fileno())
            _operation("rename", path)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """UTF-8 with the newlines it has."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Any record, as strict JSON."""
    write_bytes(path, to_json(value))


def write_with(path: Path, save: Callable[[Path], Any]) -> None:
    """For libraries that want a path: `save(temporary)` writes, then the file is flushed and renamed."""
    temporary = _temporary(path)
    with explained(path):
        try:
            _operation("write", temporary)
            save(temporary)
            with open(temporary, "rb") as file:
                _operation("fsync", temporary)
                os.fsync(file.fileno())
            _operation("rename", path)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        flush_folder(path.parent)


def append_bytes(path: Path, data: bytes) -> None:
    """Adds to the end of a file and flushes it; only for journals, which know how to cut a torn tail."""
    with explained(path):
        new = not path.exists()
        _operation("append", path)
        with open(path, "ab") as file:
            file.write(data)
            file.flush()
            _operation("fsync", path)
            os.fsync(file.fileno())
        if new:
            flush_folder(path.parent)


def truncate(path: Path, size: int) -> None:
    """Cuts a file to `size` bytes, flushed."""
    with explained(path), open(path, "r+b") as file:
        _operation("truncate", path)
        file.truncate(size)
        os.fsync(file.fileno())


def make_folder(path: Path) -> Path:
    """The folder and its parents, made if they are missing; what is new lasts through a power cut."""
    with explained(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        _operation("mkdir", path)
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            flush_folder(folder.parent)
    return path


def move_folder(source: Path, target: Path) -> None:
    """Renames a folder; the target must not exist."""
    with explained(target):
        _operation("rename", target)
        source.rename(target)
        flush_folder(target.parent)


def copy_folder(source: Path, target: Path) -> None:
    """A copy that is there whole or not at all; the target must not exist."""
    with explained(target):
        _operation("copy", target)
        part = target.with_name(f"{TEMPORARY}{target.name}")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
        part.rename(target)
        flush_folder(target.parent)


def remove(path: Path) -> None:
    """Removes a file or a whole folder, if it is there."""
    with explained(path):
        _operation("remove", path)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def remove_temporaries(folder: Path) -> None:
    """Temporaries that a killed process left behind; call it while holding the run directory's lock."""
    for leftover in list(folder.rglob(f"{TEMPORARY}*")):
        remove(leftover)


def flush_folder(folder: Path) -> None:
    """Makes renames in the folder last through a power cut."""
    if os.name == "nt":
        return
    _operation("fsync-folder", folder)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(path: Path) -> Path:
    """A name beside the file that no other process takes, with its ending; short, however long the file's own is."""
    return path.with_name(f"{TEMPORARY}{os.getpid()}.{zlib.crc32(os.fsencode(path.name)):08x}{path.suffix[:20]}")


def _operation(_name: str, _path: Path) -> None:
    """Counts file operations; the place where tests cut the power."""
    global _done
    _done += 1
    if _done == int(os.environ.get("RECIPE_EXIT_AT_FILE_OPERATION", "0")):
        os._exit(137)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns the operating system's refusals into ours. Raises NoRoom where the disk takes no more, else Refusal."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            free = shutil.disk_usage(next(p for p in path.absolute().parents if p.exists())).free
            raise NoRoom(
                f"no room to write ({error.strerror})",
                where=str(path),
                fix=f"{free / 2**20:.0f} MiB are free there; free some, or choose another place with run.dir=…",
            ) from error
        if error.errno in _GONE:
            raise NoRoom(
                f"the disk takes nothing any more ({error.strerror})",
                where=str(path),
                fix="what was written stands: type the command again once it does, or choose another with run.dir=…",
            ) from error
        if error.errno in _CLOSED:
            raise Refusal(
                f"cannot be written ({error.strerror})", where=str(path), fix="choose another place with run.dir=…"
            ) from error
        if error.errno in {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}:
            raise Refusal(f"{error.strerror}", where=str(path), fix="choose another place with run.dir=…") from error
        raise
