"""A report in sentences and groups: what every output format says in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recipe.record.report import NOT_ASKED, Finding, Level, Report
from recipe.record.run_directory import STAGES
from recipe.render.blocks import Fact
from recipe.render.wording import cell, duration

WORDS: dict[str, str] = {"pass": "holds", "warn": "look", "fail": "fails", "skipped": "not checked"}
WORST_FIRST: tuple[Level, ...] = ("fail", "warn", "pass")
STAGE_WORDS: dict[str, str] = {"pass": "gate open", "warn": "gate open, with warnings", "fail": "gate closed"}
GLYPHS: dict[str, str] = {"pass": "✓", "warn": "!", "fail": "✗", "skipped": "–"}
SECTIONS = {
    "inspect-data": "Become one with the data",
    "baseline": "An end-to-end skeleton you can trust, and dumb baselines",
    "overfit": "A model large enough to fit the training set",
    "regularize": "Give up some training loss for validation loss",
    "tune": "Search at random, and look where it helps",
    "ensemble": "Squeeze out the juice",
}


def of_level(report: Report, level: Level) -> list[Finding]:
    """The findings of one verdict, in the order of the catalogue."""
    return [finding for finding in report.checks if finding.verdict == level]


def not_checked(report: Report) -> tuple[list[Finding], str]:
    """What was skipped for a reason of its own, and how many checks were not asked for, in words."""
    skipped = of_level(report, "skipped")
    told = [finding for finding in skipped if finding.reason != NOT_ASKED]
    rest = len(skipped) - len(told)
    return told, f"{counted(rest, 'more check')} {'was' if rest == 1 else 'were'} {NOT_ASKED}" if rest else ""


def judged(report: Report) -> int:
    """How many checks came to a verdict."""
    return sum(finding.verdict != "skipped" for finding in report.checks)


def counted(count: int, noun: str) -> str:
    """1 check, 2 checks, no checks."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def verdict_sentence(report: Report) -> str:
    """The page's headline."""
    failed, warned, passed = (len(of_level(report, level)) for level in ("fail", "warn", "pass"))
    count = failed + warned + passed
    if failed:
        return f"The gate is closed: {failed} of {counted(count, 'check')} {'fails' if failed == 1 else 'fail'}"
    if warned:
        rest = f"{warned} {'wants' if warned == 1 else 'want'} a look"
        return f"The gate is open: {passed} of {counted(count, 'check')} {'holds' if passed == 1 else 'hold'}, {rest}"
    if not count:
        return "Nothing could be judged here"
    held = "the one check holds" if count == 1 else f"{'both' if count == 2 else f'all {count}'} checks hold"
    return f"The gate is open: {held}"


def position(stage: str) -> int | None:
    """1 to 6 for the stages of the walk."""
    return STAGES.index(stage) + 1 if stage in STAGES else None


def headline_metric(report: Report) -> tuple[str, str] | None:
    """("val accuracy", "0.981 [0.972, 0.989]"): the stage's leading number."""
    for split in ("test", "val", "train"):
        for name, value in report.metrics.get(split, {}).items():
            return f"{split} {name}", cell(value)
    return None


def data_name(report: Report) -> str:
    """What the run is about."""
    data = report.config.get("data")
    return str(data.get("name", "")) if isinstance(data, dict) else ""


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A nested mapping as dotted keys with their values, as overrides name them."""
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", cell(item) if not isinstance(item, Mapping) else "{}"


def key_facts(report: Report) -> list[Fact]:
    """The headline numbers of a stage."""
    facts = [
        Fact(f"{split} {name}", value)
        for split in ("test", "val", "train")
        for name, value in report.metrics.get(split, {}).items()
    ]
    return [*facts[:5], Fact("time", duration(report.seconds))]


def costs(report: Report, most: int = 4) -> str:
    """What the evidence took, dearest first, each piece once: "measured in 9 s: capacity 8 s, layers 1 s"."""
    seconds = {name: value for finding in report.checks for name, value in finding.evidence.items()}
    readers = Counter(name for finding in report.checks for name in finding.evidence)
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    if not ranked:
        return ""
    told = [f"{evidence_name(name)} {duration(value)}{_shared(readers[name])}" for name, value in ranked[:most]]
    rest = ranked[most:]
    told += [f"{len(rest)} more {duration(sum(value for _, value in rest))}"] if rest else []
    return f"measured in {duration(sum(seconds.values()))}: {', '.join(told)}"


def cost_of(finding: Finding) -> str:
    """What one check costs: "1.6 s, its share of controls 4.8 s"."""
    if not finding.evidence:
        return ""
    whole = ", ".join(f"{evidence_name(name)} {duration(value)}" for name, value in finding.evidence.items())
    alone = finding.seconds >= 0.95 * sum(finding.evidence.values())
    return whole if alone else f"{duration(finding.seconds)}, its share of {whole}"


def evidence_name(name: str) -> str:
    """The name of evidence as people read it."""
    return name.replace("_", " ")


def _shared(readers: int) -> str:
    return f" ({readers} checks)" if readers > 1 else ""


def run_level(reports: Sequence[Report]) -> Level:
    """The worst verdict among the stages."""
    return next((level for level in ("fail", "warn") if any(r.verdict == level for r in reports)), "pass")


def run_sentence(reports: Sequence[Report]) -> str:
    """The headline of the run's page."""
    closed = next((report for report in reports if report.verdict == "fail"), None)
    if closed:
        count = len(of_level(closed, "fail"))
        return f"Stopped at {closed.stage}: {counted(count, 'check')} {'fails' if count == 1 else 'fail'}"
    if len(reports) == len(STAGES):
        return "All six stages are done, and every gate is open"
    return f"{counted(len(reports), 'stage')} of {len(STAGES)} done, every gate open"


def run_facts(reports: Sequence[Report], run: Mapping[str, Any]) -> list[Fact]:
    """The numbers that stand over the whole run."""
    leading = next((report for report in reversed(reports) if headline_metric(report)), None)
    facts = key_facts(leading)[:-1][:3] if leading else []
    opened = len(run.get("test_opened", ()))
    return [
        *facts,
        Fact("stages", f"{len(reports)} of {len(STAGES)}"),
        Fact("time", duration(sum(report.seconds for report in reports))),
        Fact("test split opened", "never" if opened == 0 else "once" if opened == 1 else f"{opened} times"),
    ]
