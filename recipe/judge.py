"""Finds the checks, fits them to the evidence by parameter name, and returns findings. No torch on the way."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

import recipe.checks
from recipe.checks.check import Check, Verdict, checks_in, skipped
from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.record.report import Finding

Fetch = Callable[[str, type[Evidence]], Evidence | None]


def catalogue(stage: str | None = None) -> list[Check]:
    """Every check, or those of one stage, in the order in which the files and the functions stand."""
    found = []
    for module in pkgutil.walk_packages(recipe.checks.__path__, "recipe.checks."):
        of_stage = module.name.removeprefix("recipe.checks.").split(".")[0].replace("_", "-")
        if stage in (None, of_stage):
            importlib.import_module(module.name)
            found += checks_in(module.name)
    return found


def judge(stage: str, shelf: Shelf, settings: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[Finding, ...]:
    """All checks of a stage against its evidence. settings: {check id: {threshold: value, "skip": reason}}."""
    settings = settings or {}
    return tuple(_finding(one, shelf.get, settings.get(one.id, {}), shelf) for one in catalogue(stage))


def run_check(one: Check, evidence: Mapping[str, Evidence], thresholds: Mapping[str, Any] | None = None) -> Finding:
    """One check on records at hand: what tests, `recipe.check` and authors of checks call."""
    return _finding(one, lambda name, _: evidence.get(name), thresholds or {}, None)


def _finding(one: Check, fetch: Fetch, settings: Mapping[str, Any], shelf: Shelf | None) -> Finding:
    thresholds = one.thresholds | {key: value for key, value in settings.items() if key in one.thresholds}
    seconds = sum(entry.seconds for need in one.needs if shelf and (entry := shelf.entry(need.name)))
    if settings.get("skip"):
        return _skipped(one, f"switched off: {settings['skip']}", thresholds)
    records: dict[str, Evidence | None] = {}
    for need in one.needs:
        record = fetch(need.name, need.kind)
        if isinstance(record, Unmeasured) or record is None:
            if not need.optional:
                reason = record.reason if isinstance(record, Unmeasured) else f"{need.name} was not measured"
                return _skipped(one, reason, thresholds)
            record = None
        records[need.name] = record
    verdict = one.judge(**records, **thresholds)
    if verdict.verdict == "skipped":
        return _skipped(one, verdict.message, thresholds)
    return _told(one, verdict, thresholds, round(seconds, 3))


def _told(one: Check, verdict: Verdict, thresholds: dict[str, Any], seconds: float) -> Finding:
    return Finding(
        id=one.id,
        title=one.title,
        verdict=verdict.verdict,
        message=verdict.message,
        measured=dict(verdict.measured),
        expected=dict(verdict.expected),
        threshold=thresholds,
        source=one.source,
        advice=verdict.advice or (one.fix if verdict.verdict in ("warn", "fail") else ""),
        cause=verdict.cause,
        where=verdict.where,
        evidence=tuple(need.name for need in one.needs),
        figures=verdict.figures,
        seconds=seconds,
    )


def _skipped(one: Check, reason: str, thresholds: dict[str, Any]) -> Finding:
    told = _told(one, skipped(reason), thresholds, 0.0)
    return msgspec.structs.replace(told, reason=reason)
