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
    stage: str, verdict: str, overrides: Sequence[str], following: NextStep | None, mending: Mending | None
) -> NextStep | None:
    """The story's next step; with a closed gate it is this stage again, with what was found to mend it, if anything."""
    if verdict != "fail":
        return following and NextStep(command=typed(following.command, overrides), because=following.because)
    if mending is not None:
        return NextStep(command=typed(f"recipe {stage}", changed(overrides, mending.change)), because=mending.because)
    return NextStep(
        command=typed(f"recipe {stage}", overrides), because="a check failed: mend it, then run this stage again"
    )


def typed(command: str, overrides: Sequence[str]) -> str:
    """The command with the user's own words."""
    return " ".join([command, *(shlex.quote(word) for word in overrides)])


def changed(overrides: Sequence[str], change: Change) -> list[str]:
    """The user's words with a change in their place: what it sets stands last, once."""
    kept = [word for word in overrides if word.lstrip("+").partition("=")[0] not in change]
    return [*kept, *(f"{key}={spelled(value)}" for key, value in change.items())]


def spelled(value: object) -> str:
    """A value in the grammar of overrides."""
    return value if isinstance(value, str) else msgspec.json.encode(to_plain(value)).decode()
