"""How the measuring wing says where it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Bar(Protocol):
    """One long step under way."""

    def advance(self, amount: float = 1, note: str = "") -> None:
        """`amount` more of the total is done; note is a short live reading such as "loss 0.31"."""

    def done(self) -> None:
        """The step is over."""


class Progress(Protocol):
    """Where progress goes: rich bars on a terminal, plain lines in a pipe, nothing in a worker."""

    def bar(self, label: str, total: float) -> Bar:
        """Opens a bar of `total` units."""

    def say(self, line: str) -> None:
        """One line that stays: a hypothesis, a result, an estimate."""


class Silent:
    """Nobody listens; it is its own bar."""

    def bar(self, *_: object) -> Bar:
        """Opens nothing."""
        return self

    def advance(self, *_: object, **__: object) -> None:
        """Goes nowhere."""

    def done(self) -> None:
        """Nothing was open."""

    def say(self, line: str) -> None:
        """Says nothing."""
