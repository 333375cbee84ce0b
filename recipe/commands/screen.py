"""Lines for people: aligned columns, colours only where a terminal wants them, nothing that could move the cursor."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence

from recipe.render.wording import one_line, visible

WHAT = 'Karpathy\'s "A Recipe for Training Neural Networks", as a command line that runs it.'
_COLOURS = {"bold": "1", "dim": "2", "pass": "32", "warn": "33", "fail": "31", "skipped": "2"}


def say(line: str = "") -> None:
    """One line on stdout."""
    print(line)


def styled(text: str, style: str) -> str:
    """Coloured on a terminal, plain in a pipe and with NO_COLOR or TERM=dumb."""
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if wanted and style in _COLOURS else text


def say_columns(rows: Iterable[Sequence[str]], *, indent: int = 2, styles: Sequence[str] = ()) -> None:
    """Rows of cells, aligned; the last column wraps on a terminal. styles: one a column, "verdict" goes by value."""
    shown = [[one_line(cell) for cell in row] for row in rows]
    if not shown:
        return
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lead = " " * indent + "".join(f"{cell}  " for cell in cells)
        lines = wrapped(row[-1], max(30, width_of_screen() - len(lead)))
        coloured = " " * indent + "".join(f"{_style(c, i, styles)}  " for i, c in enumerate(cells))
        say((coloured + _style(lines[0], len(cells), styles)).rstrip())
        for line in lines[1:]:
            say(" " * len(lead) + line)


def say_paragraph(text: str, *, indent: int = 0) -> None:
    """A text, wrapped."""
    for line in wrapped(visible(text), width_of_screen() - indent):
        say(" " * indent + line)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters; at least one."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def width_of_screen() -> int:
    """Columns of the terminal, at most 120; in a pipe lines are as long as they are."""
    if not sys.stdout.isatty():
        return 10_000
    return min(120, shutil.get_terminal_size().columns)


def _style(cell: str, column: int, styles: Sequence[str]) -> str:
    style = styles[column] if column < len(styles) else ""
    return styled(cell, cell.strip() if style == "verdict" else style) if style else cell
