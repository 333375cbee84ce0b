"""Progress: bars on a terminal, few lines in a pipe, nothing with JSON."""

from __future__ import annotations

import re

import pytest

from recipe.render import progress
from recipe.render.progress import Quiet, TerminalProgress, progress_for


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch):
    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_pipe_gets_a_first_and_a_last_line_and_one_each_ten_seconds(screen, clock) -> None:
    console = screen(tty=False)
    with TerminalProgress(console) as told:
        told.say("hypothesis: \x1b[31mred")
        bar = told.bar("12 trials", 12)
        for _ in range(12):
            clock.now += 3
            bar.advance(1, "loss 0.31")
        bar.done()
        short = told.bar("init loss", 1)
        short.done()
    lines = console.file.getvalue().splitlines()
    assert lines[:2] == ["hypothesis: \\x1b[31mred", "12 trials …"]
    assert lines[2] == "12 trials: 33 %, about 24 s left, loss 0.31"
    assert lines[-2:] == ["12 trials: 36 s", "init loss …"]
    assert len(lines) == 7


def test_bars_within_bars_are_silent_in_a_pipe_until_they_take_long(screen, clock) -> None:
    console = screen(tty=False)
    with TerminalProgress(console) as told:
        outer = told.bar("one batch", 1)
        inner = told.bar("train", 100)
        inner.advance(50)
        inner.done()
        clock.now += 5
        outer.done()
    assert console.file.getvalue().splitlines() == ["one batch …", "one batch: 5.0 s"]


def test_terminal_draws_bars_with_time_left_and_takes_them_away(screen, clock) -> None:
    console = screen(tty=True)
    with TerminalProgress(console) as told:
        bar = told.bar("training [bold]", 100)
        clock.now += 4
        bar.advance(50, "loss 0.2")
        drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())
        bar.done()
    assert "training [bold]" in drawn
    assert "4.0 s left" in drawn
    assert "loss 0.2" in drawn
    assert "training [bold]: 4.0 s" in console.file.getvalue()


def test_an_interrupted_terminal_has_its_cursor_back(screen) -> None:
    console = screen(tty=True)
    told = TerminalProgress(console)

    def interrupted() -> None:
        with told:
            told.bar("training", 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "\x1b[?25h" in console.file.getvalue()
    assert told.open == []


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_lines_where_colour_is_not_wanted(screen, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    console = screen(tty=True)
    monkeypatch.setenv(name, value)
    with TerminalProgress(console) as told:
        told.bar("training", 10).done()
    assert console.file.getvalue() == "training …\n"


def test_json_is_silent(capfd) -> None:
    with progress_for(json=True) as told:
        assert isinstance(told, Quiet)
        told.say("x")
        told.bar("x", 3).advance()
    assert capfd.readouterr() == ("", "")


def test_progress_leaves_stdout_alone(capfd) -> None:
    with progress_for(json=False) as told:
        told.say("on stderr")
    assert capfd.readouterr() == ("", "on stderr\n")
