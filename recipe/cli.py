"""The roof: words in, exit code out. Imports neither Hydra nor torch; `recipe.commands` brings what a command needs."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from recipe import __version__
from recipe.record.refusal import Refusal, UserCodeError
from recipe.record.secret import hidden, hidden_word

BUG, NO_ROOM, BROKEN_PIPE = 3, 4, 141


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends as Ctrl-C does, with another exit code."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs `recipe` with the words after it (by default the process's); returns the exit code."""
    if words is None and sys.flags.optimize:
        _start_with_assertions()
    words = sys.argv[1:] if words is None else list(words)
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is shown as an escape; it does not end the run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # The folder in which the command is typed is importable; installed packages come first, so that none is shadowed.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    # Nothing of what start-up builds is garbage; stages turn collection on again.
    gc.disable()
    try:
        with _signals():
            return _run(words)
    except KeyboardInterrupt as interrupt:
        return _interrupted(words, interrupt)
    except BrokenPipeError:
        # Whoever read our output has enough; as for other tools, that is the end.
        _forget_stdout()
        return BROKEN_PIPE
    except Refusal as refusal:
        _tell(refusal)
        return refusal.exit_code
    except MemoryError:
        print("recipe: out of memory\n  a smaller train.batch_size or engine.workers needs less", file=sys.stderr)
        return NO_ROOM
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            _forget_stdout()
            _tell(
                Refusal("no room to write", where="stdout", fix="free some where the output goes, or send it elsewhere")
            )
            return NO_ROOM
        return _bug(words, error)
    finally:
        gc.enable()


def _start_with_assertions() -> NoReturn:
    """The same command without -O: Hydra's grammar reads on in its assertions, and our checks live by docstrings."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONOPTIMIZE"}
    os.execve(sys.executable, [sys.executable, "-P", "-m", "recipe", *sys.argv[1:]], environment)


def _run(words: Sequence[str]) -> int:
    from recipe.commands.command import parse, run

    arguments = parse(words)
    if "--version" in arguments.flags:
        print(f"recipe {__version__}")
        return 0
    if "--help" in arguments.flags:
        from recipe.commands.help import show_help

        show_help(arguments.command)
        return 0
    code = run(arguments)
    sys.stdout.flush()
    return code


def _forget_stdout() -> None:
    """What is still to be printed goes nowhere: Python would flush once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # one-writer: the null device


def _tell(refusal: Refusal) -> None:
    """At most three lines on stderr: what and where, what to do. A user's own error has the frames of their files."""
    from recipe.render.wording import one_line, visible

    if isinstance(refusal, UserCodeError):
        lines = [visible(line) for line in refusal.lines()]
    else:
        first, *rest = refusal.lines()
        lines = [one_line(first, 1000), *(f"  {one_line(line, 1000)}" for line in rest[:2])]
    print("recipe: " + "\n".join(lines), file=sys.stderr)


def _interrupted(words: Sequence[str], interrupt: KeyboardInterrupt) -> int:
    again = shlex.join(["recipe", *map(hidden_word, words)])
    print(f"\nrecipe: interrupted; everything so far is kept\n  to go on, type: {again}", file=sys.stderr)
    return 128 + (signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT)


def _bug(words: Sequence[str], error: Exception) -> int:
    import traceback

    print(hidden("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    command = shlex.join(["recipe", *map(hidden_word, words)])
    print(
        f"\nrecipe: this is a bug in recipe {__version__}, not in your work\n"
        f"  please report it{_where_to()}, with the lines above and the command: {command}",
        file=sys.stderr,
    )
    return BUG


def _where_to() -> str:
    """The address that the package's metadata gives for issues."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("recipe").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return next((f" at {url.split(', ')[1]}" for url in urls if url.lower().startswith("issues,")), "")


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """The first SIGINT or SIGTERM ends the command in order, a second one at once."""

    def at_once(number: int, _: FrameType | None) -> NoReturn:
        os._exit(128 + number)

    def in_order(number: int, _: FrameType | None) -> NoReturn:
        for one in kept:
            signal.signal(one, at_once)
        heard.append(Terminated if number == signal.SIGTERM else KeyboardInterrupt)
        raise heard[0]

    kept = {}
    heard: list[type[KeyboardInterrupt]] = []
    # Python lets only the main thread listen to signals.
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            kept[number] = signal.signal(number, in_order)
    try:
        yield
    except Exception as error:
        # An interrupt that a library made an error of its own of is still one.
        if heard:
            raise heard[0] from error
        raise
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
