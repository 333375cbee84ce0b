from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from recipe.render import stories
from tests.render import render_sample

Open = Callable[..., Console]


@pytest.fixture
def sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage tells the sample story."""
    monkeypatch.setattr(stories, "find", lambda stage: render_sample.story)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Open:
    """A console in memory: a colour terminal of 80 columns, or a pipe."""
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def make(*, tty: bool) -> Console:
        return Console(
            file=StringIO(),
            force_terminal=tty,
            width=80,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
        )

    return make
