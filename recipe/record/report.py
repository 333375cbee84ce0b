"""The stage report: findings, trials, decisions and the next command, as report.json holds them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from recipe.record.interval import Interval

Level = Literal["pass", "warn", "fail", "skipped"]
SCHEMA = 1
NOT_ASKED = "not asked for"
"""Why a check is skipped of which only a part was asked for."""
_ORDER: dict[str, int] = {"skipped": 0, "pass": 0, "warn": 1, "fail": 2}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check's verdict. message: one line a person understands. cause: stable slug of what is wrong, if known.

    where: the layer, column, item or config key. advice: what to do, as an override or an edit.
    reason: why it was skipped. evidence: the seconds that each piece of its evidence took; other checks may read it
    too. seconds: its share of them, so that those of all checks add up.
    """

    id: str
    title: str
    verdict: Level
    message: str
    measured: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    threshold: dict[str, Any] = {}
    source: str = ""
    advice: str = ""
    cause: str = ""
    where: str = ""
    reason: str = ""
    figures: tuple[str, ...] = ()
    seconds: float = 0.0
    evidence: dict[str, float] = {}


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One idea over its seeds. verdict: kept, dropped, reference, pruned, diverged, failed …"""

    id: str
    hypothesis: str
    change: dict[str, Any]
    seeds: tuple[int, ...]
    metrics: dict[str, Interval]
    verdict: str
    note: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One line of recipe.yaml: a dotted key (or a config group), its value, and the evidence that put it there.

    settles: puts into numbers what the user gave as a wish (a time, "forever"), and so stands in its place.
    """

    key: str
    value: Any
    because: str
    settles: bool = False


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """The command to type next, and why."""

    command: str
    because: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """report.json. started: ISO 8601 in UTC; seconds: of the whole stage; both vary between equal runs."""

    stage: str
    verdict: Level
    started: str
    seconds: float
    seed: int
    config: dict[str, Any]
    environment: dict[str, Any]
    checks: tuple[Finding, ...]
    trials: tuple[TrialRow, ...] = ()
    decisions: tuple[Decision, ...] = ()
    metrics: dict[str, dict[str, Interval]] = {}
    next: NextStep | None = None
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA


def worst(findings: tuple[Finding, ...]) -> Level:
    """A stage's verdict is its worst check's."""
    return max((f.verdict for f in findings if f.verdict != "skipped"), key=_ORDER.__getitem__, default="pass")
