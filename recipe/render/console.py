"""Whether a console is a terminal for tables and bars, or a place for plain lines; and what characters it can show."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console


def console_on(stream: TextIO) -> Console:
    """A console that takes our words as they are: no markup, no emoji codes, no highlighting."""
    return Console(file=stream, markup=False, emoji=False, highlight=False)


def is_rich(console: Console) -> bool:
    """A terminal that wants colour and can move its cursor."""
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")
    return console.is_terminal and colour and console.encoding.lower().startswith("utf")


def transcoded(line: str, console: Console) -> str:
    """The line with escapes for what the console's encoding has no character for."""
    return line.encode(console.encoding, "backslashreplace").decode(console.encoding)
