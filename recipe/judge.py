"""Finds the checks, fits them to the evidence by parameter name, and returns findings. No torch on the way."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

import recipe.checks
from recipe.checks.check import Check, Verdict, checks_in, skipped
from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.record.report import NOT_ASKED, Finding

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


def judge(
    stage: str,
    shelf: Shelf,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    asked: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """All checks of a stage against its evidence. settings: {check id: {threshold: value, "skip": reason}}.

    asked: ids of the checks that were asked for, when it is a part; the others are skipped.
    """
    settings, checks = settings or {}, catalogue(stage)
    wanted = [one for one in checks if asked is None or one.id in asked]
    readers = Counter(need.name for one in wanted for need in one.needs)
    return tuple(
        _finding(one, shelf.get, settings.get(one.id, {}), _costs(one, shelf), readers)
        if one in wanted
        else _skipped(one, NOT_ASKED, dict(one.thresholds))
        for one in checks
    )


def unread(stage: str, asked: Collection[str] | None) -> set[str]:
    """Names of the evidence that only checks read which were not asked for. asked: ids, or None for all."""
    checks = catalogue(stage)
    wanted = {need.name for one in checks if asked is None or one.id in asked for need in one.needs}
    return {need.name for one in checks for need in one.needs} - wanted


def run_check(one: Check, evidence: Mapping[str, Evidence], thresholds: Mapping[str, Any] | None = None) -> Finding:
    """One check on records at hand: what tests, `recipe.check` and authors of checks call."""
    return _finding(one, lambda name, _: evidence.get(name), thresholds or {}, {}, {})


def _costs(one: Check, shelf: Shelf) -> dict[str, float]:
    """Seconds that the measuring of each piece of its evidence took."""
    return {need.name: entry.seconds for need in one.needs if (entry := shelf.entry(need.name))}


def _finding(
    one: Check, fetch: Fetch, settings: Mapping[str, Any], costs: dict[str, float], readers: Mapping[str, int]
) -> Finding:
    thresholds = one.thresholds | {key: value for key, value in settings.items() if key in one.thresholds}
    found = _verdict(one, fetch, settings, thresholds)
    # Evidence that several checks read is paid for by all of them: the seconds of all checks add up to what it took.
    share = sum(seconds / readers[name] for name, seconds in costs.items())
    return msgspec.structs.replace(found, seconds=round(share, 3), evidence=costs)


def _verdict(one: Check, fetch: Fetch, settings: Mapping[str, Any], thresholds: dict[str, Any]) -> Finding:
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
    return _told(one, verdict, thresholds)


def _told(one: Check, verdict: Verdict, thresholds: dict[str, Any]) -> Finding:
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
        figures=verdict.figures,
    )


def _skipped(one: Check, reason: str, thresholds: dict[str, Any]) -> Finding:
    told = _told(one, skipped(reason), thresholds)
    return msgspec.structs.replace(told, reason=reason)
