"""Progress for people: live bars with time left on a terminal, plain lines elsewhere, nothing when JSON is asked for.

All of it goes to stderr; stdout belongs to the result. No thread draws: a bar is redrawn when it is told something,
so that worker processes may be forked at any moment.
"""

from __future__ import annotations

import sys
import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from recipe.record.progress import Silent
from recipe.render.console import console_on, is_rich, transcoded
from recipe.render.wording import duration, one_line

_PATIENCE = 10.0  # seconds between two plain lines of one bar
_SHORT = 2.0  # what took less is not worth a line that stays
_REFRESH = 0.1


def progress_for(*, json: bool, stream: TextIO | None = None) -> TerminalProgress | Quiet:
    """What a command listens with; use it as a context, so that the terminal is itself again however it ends."""
    return Quiet() if json else TerminalProgress(console_on(stream or sys.stderr))


class Quiet(Silent):
    """Nobody listens."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TerminalProgress:
    """Bars and lines on one console. Bars may be nested; the innermost is drawn lowest."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.open: list[_Bar] = []
        self.live: Progress | None = None
        if is_rich(console):
            columns = (TextColumn("{task.description}", markup=False), _Bars(bar_width=24), _TimeLeft(), _Note())
            self.live = Progress(*columns, console=console, transient=True, auto_refresh=False)

    def __enter__(self) -> TerminalProgress:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        for bar in reversed(self.open):
            bar.close()
        self.open.clear()
        if self.live:
            self.live.stop()

    def bar(self, label: str, total: float) -> _Bar:
        """Opens a bar below those that are open."""
        bar = _LiveBar(self, label, total, self.live) if self.live else _PlainBar(self, label, total)
        self.open.append(bar)
        return bar

    def say(self, line: str) -> None:
        """One line that stays, above the bars."""
        self.console.print(Text(transcoded(one_line(line), self.console)), soft_wrap=True)

    def closed(self, bar: _Bar) -> None:
        """A bar is over; an outermost one that took its time leaves a line."""
        if bar in self.open:
            self.open.remove(bar)
            bar.close()
            took = time.monotonic() - bar.started
            if took >= _SHORT and not self.open:
                self.say(f"{bar.label}: {duration(took)}")


class _Bar:
    """What both kinds share: how far it is, and since when."""

    def __init__(self, owner: TerminalProgress, label: str, total: float) -> None:
        self.owner, self.label, self.total = owner, one_line(label, 60), total
        self.amount, self.started = 0.0, time.monotonic()

    def advance(self, amount: float = 1, note: str = "") -> None:
        self.amount += amount
        self.show(one_line(note, 60))

    def done(self) -> None:
        self.owner.closed(self)

    def show(self, note: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Takes the bar off the screen."""

    def left(self) -> float | None:
        """Seconds to go, at the pace so far; None while that would be a guess."""
        took = time.monotonic() - self.started
        if not 0 < self.amount < self.total or took < 1:
            return None
        return took * (self.total - self.amount) / self.amount


class _PlainBar(_Bar):
    """Lines: one at the start, one each ten seconds at most; the owner writes the last."""

    def __init__(self, owner: TerminalProgress, label: str, total: float) -> None:
        super().__init__(owner, label, total)
        self.last = self.started
        if not owner.open:
            owner.say(f"{self.label} …")

    def show(self, note: str) -> None:
        now = time.monotonic()
        if now - self.last >= _PATIENCE:
            self.last = now
            left = self.left()
            share = f"{100 * self.amount / self.total:.0f} %" if self.total > 0 else ""
            rest = f"about {duration(left)} left" if left is not None else ""
            self.owner.say(", ".join(part for part in (f"{self.label}: {share}", rest, note) if part))


class _LiveBar(_Bar):
    """A row of the live display."""

    def __init__(self, owner: TerminalProgress, label: str, total: float, live: Progress) -> None:
        super().__init__(owner, label, total)
        self.live, self.last = live, 0.0
        indent = "  " * len(owner.open)
        self.task: TaskID = live.add_task(indent + self.label, total=total, bar=self, note="")
        self.live.refresh()

    def show(self, note: str) -> None:
        now = time.monotonic()
        if now - self.last >= _REFRESH:
            self.last = now
            self.live.update(self.task, completed=min(self.amount, self.total), note=note, refresh=True)

    def close(self) -> None:
        self.live.remove_task(self.task)
        self.live.refresh()


class _Bars(BarColumn):
    """A bar where there is something to count; a single long step has none."""

    def render(self, task: Task) -> Text:  # type: ignore[override]
        return Text("") if (task.total or 0) <= 1 and not task.completed else super().render(task)  # type: ignore[return-value]


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        left = task.fields["bar"].left()
        return Text(f"{duration(left)} left" if left is not None else "", style="dim")


class _Note(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(task.fields["note"], style="dim", overflow="ellipsis", no_wrap=True)
