"""`recipe explain`, and settings of checks held against the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recipe.checks.check import Check
from recipe.commands.command import STAGES, Arguments
from recipe.commands.screen import say, say_columns, say_paragraph, styled
from recipe.judge import catalogue
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal


def explain(arguments: Arguments) -> int:
    """The catalogue by stage, or the checks that are named, in full."""
    stages = STAGES | {"selftest": "what recipe holds itself to"}
    checks = sorted(catalogue(), key=lambda check: list(stages).index(check.stage))
    found = [_named(name, checks) for name in arguments.names]
    if arguments.json:
        import json

        shown = [_plain(check) for check in found or checks]
        say(json.dumps(shown[0] if len(arguments.names) == 1 else shown, indent=2))
        return 0
    for check in found:
        _in_full(check)
    if not found:
        for stage, summary in stages.items():
            say(f"{styled(stage, 'bold')}  {summary}")
            say_columns([(check.id, check.title) for check in checks if check.stage == stage])
            say()
        say("recipe explain CHECK says why, how to mend it, and where its thresholds come from.")
    return 0


def known_checks() -> dict[str, dict[str, Any]]:
    """Check id → its thresholds with their defaults."""
    return {check.id: check.thresholds for check in catalogue()}


def require_checks(stage: str, asked: Sequence[str]) -> None:
    """Refuses `<stage>.checks` that names a check which the stage has not, or none at all."""
    where, known = f"{stage.replace('-', '_')}.checks", [check.id for check in catalogue(stage)]
    if not asked:
        raise Refusal("an empty list asks for no check", where=where, fix=f"{where}=null asks for all {len(known)}")
    for name in asked:
        if name not in known:
            elsewhere = [check.stage for check in catalogue() if check.id == name]
            what = f"{name} is a check of {elsewhere[0]}" if elsewhere else f"there is no check {name}"
            raise Refusal(what, where=where, fix=did_you_mean(name, known, otherwise="recipe explain lists them:"))


def _named(name: str, checks: list[Check]) -> Check:
    spelt = name.replace("_", "-")
    for check in checks:
        if spelt in (check.id, check.judge.__name__.replace("_", "-")):
            return check
    names = [check.id for check in checks] + [check.judge.__name__ for check in checks]
    raise Refusal(f"there is no check {name}", fix=did_you_mean(spelt, names, otherwise="recipe explain lists them:"))


def _in_full(check: Check) -> None:
    say(f"{styled(check.id, 'bold')}  ({check.stage})")
    say_paragraph(f"{check.title}.", indent=2)
    say()
    rows = [("Why", check.why), ("Fix", check.fix), ("Source", check.source)]
    rows.append(("Reads", ", ".join(need.name + (" (if there)" if need.optional else "") for need in check.needs)))
    say_columns(rows, styles=("bold",))
    say()
    key = f"checks.{check.id}"
    keys = [(f"{key}.{name}={value}", "threshold, with its default") for name, value in check.thresholds.items()]
    say_columns([*keys, (f"{key}.skip='why'", "switches it off; the reason is printed in the report")])


def _plain(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "stage": check.stage,
        "title": check.title,
        "why": check.why,
        "fix": check.fix,
        "source": check.source,
        "reads": [need.name for need in check.needs],
        "thresholds": {f"checks.{check.id}.{name}": value for name, value in check.thresholds.items()},
    }
