"""What to type next, from what a stage found and what the user typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import msgspec

from recipe.record.plain import to_plain
from recipe.record.report import NextStep
from recipe.record.trial import Change


class Mending(msgspec.Struct, frozen=True):
    """A change that was tried and works, for when the gate is closed."""

    change: Change
    because: str


def next_step(
    stage: str, verdict: str, overrides: Sequence[str] | None, following: NextStep | None, mending: Mending | None
) -> NextStep | None:
    """The story's next step; with a closed gate it is this stage again, with what was found to mend it, if anything.

    overrides: the user's own words; None where objects were given from Python, which no shell can repeat.
    """
    if verdict != "fail":
        return following and NextStep(command=typed(following.command, overrides), because=following.because)
    if mending is not None:
        return NextStep(command=typed(f"recipe {stage}", overrides, mending.change), because=mending.because)
    return NextStep(
        command=typed(f"recipe {stage}", overrides), because="a check failed: mend it, then run this stage again"
    )


def typed(command: str, overrides: Sequence[str] | None, change: Change | None = None) -> str:
    """The command with the user's own words, and with a change in their place: what it sets stands last, once."""
    news = [f"{key}={spelled(value)}" for key, value in (change or {}).items()]
    if overrides is None:
        call = command.replace("recipe ", "recipe.", 1).replace("-", "_")
        return f"{call}(…), with the same arguments" + (f" and {news}" if news else "")
    kept = [word for word in overrides if word.lstrip("+").partition("=")[0] not in (change or {})]
    return " ".join([command, *map(shlex.quote, [*kept, *news])])


def spelled(value: object) -> str:
    """A value in the grammar of overrides."""
    return value if isinstance(value, str) else msgspec.json.encode(to_plain(value)).decode()
