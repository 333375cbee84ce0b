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

    A file without fsync keeps a random part of what was written, as where a name is written before its data.
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


def mortal() -> None:
    """Permissions apply, to root too: it gives up its capabilities (Linux)."""
    import ctypes

    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if os.getuid() == 0 and ctypes.CDLL(None, use_errno=True).capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def crew(method: str | None = None) -> None:
    """Trials go to worker processes, however short they are. method: how those are started, by default our own way."""
    import multiprocessing

    from recipe.trials import pool, processes

    pool._START = 0.0
    if method is not None:
        processes._context = lambda: multiprocessing.get_context(method)


def clock_back(asked: int, seconds: float) -> None:
    """The clock of the day is set back once it has been asked so often."""
    import time

    told, broken_down = time.time, time.gmtime
    count = iter(range(2**31))

    def late() -> float:
        return told() - (seconds if next(count) >= asked else 0.0)

    time.time = late
    time.gmtime = lambda at=None: broken_down(late() if at is None else at)


def no_memory(trials: dict[str, str]) -> None:
    """These trials find no memory: {name: cpu or cuda, as torch says it, or python, as Python does}."""
    import torch

    from recipe.trials import here

    errors: dict[str, Exception] = {
        "cpu": RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        "python": MemoryError(),
    }
    train = here._train

    def maybe(asked: Any, *arguments: Any) -> Any:
        if asked.name in trials:
            raise errors[trials[asked.name]]
        return train(asked, *arguments)

    here._train = maybe  # type: ignore[assignment]


def memory(bytes: int) -> None:
    """The process may have that much more address space than it has now."""
    import resource

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + bytes, now + bytes))


def odd_machine(home: str) -> None:
    """No home folder, a narrow umask, few file descriptors, another language, spawned processes."""
    import locale
    import multiprocessing
    import resource

    os.environ.update({"HOME": home, "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "TZ": "Pacific/Apia"})
    os.environ.pop("DISPLAY", None)
    locale.setlocale(locale.LC_ALL, "C")
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    multiprocessing.set_start_method("spawn", force=True)


WATCHED = (
    "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
    "shutil.rmtree", "shutil.move", "shutil.copyfile", "socket.connect", "socket.getaddrinfo", "socket.bind",
    "pickle.find_class", "os.system",
    "subprocess.Popen", "os.exec", "os.posix_spawn", "urllib.Request", "marshal.loads", "webbrowser.open",
)  # fmt: skip


def audit(log: str) -> None:
    """Writes down what the process does to files, to the network, to other programs, and whether it unpickles."""
    import sys

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or not isinstance(flags, int):
                return
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                told = f"write {_absolute(path)}"
            elif str(path).endswith((".pkl", ".pt", ".pth", ".joblib")):
                told = f"read {_absolute(path)}"
            else:
                return
        elif event == "os.truncate" and isinstance(arguments[0], int):
            return  # of a file whose opening was heard
        elif event in WATCHED:
            named = bool(arguments) and isinstance(arguments[0], (str, os.PathLike))
            told = f"{event} {_absolute(arguments[0]) if named else arguments}"
        else:
            return
        os.write(descriptor, (told.replace("\n", " ") + "\n").encode(errors="backslashreplace"))

    sys.addaudithook(heard)


def _absolute(path: Any) -> str:
    return os.path.abspath(os.fspath(path) if not isinstance(path, bytes) else os.fsdecode(path))  # noqa: PTH100


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


def without_watch() -> None:
    """Workers do not look whether their parent is there."""
    from recipe.trials import processes

    processes._die_with_parent = lambda: None


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
