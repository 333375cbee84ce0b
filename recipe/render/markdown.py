"""report.md: the stage's report as Markdown, for a pull request or a note; text from outside cannot become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from recipe.record.report import Finding, Report
from recipe.render import summary, svg
from recipe.render.blocks import Facts, Note, Pictures, Table
from recipe.render.describe import describe
from recipe.render.settle import AnyBlock
from recipe.render.wording import cell, change, duration, one_line

_MARKUP = re.compile(r"[\\`*\[\]|~<>$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[-+=#]")
_MOST_ROWS = 40


def stage_markdown(report: Report, blocks: Sequence[AnyBlock]) -> str:
    """The whole report; figures are the files beside it."""
    return "\n".join(_lines(report, blocks)).rstrip() + "\n"


def escaped(text: object) -> str:
    """Plain words in Markdown and in the HTML that it may become: no markup, links, mentions or entities."""
    line = _MARKUP.sub(r"\\\g<0>", one_line(text).replace("&", "&amp;"))
    line = line.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("@", "&#64;").replace("://", "&#58;//")
    line = re.sub(r"(?i)\b(www|mailto|xmpp)([.:])", lambda found: f"{found[1]}&#{ord(found[2])};", line)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", line)


def code(text: object) -> str:
    """Inline code with a fence longer than any run of backticks inside it."""
    line = one_line(text).replace("|", "¦")
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def table(columns: Sequence[object], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table of escaped cells."""
    lines = ["| " + " | ".join(escaped(column) for column in columns) + " |", "|" + " --- |" * len(columns)]
    return lines + ["| " + " | ".join(escaped(cell(value)) for value in row) + " |" for row in rows]


def _lines(report: Report, blocks: Sequence[AnyBlock]) -> Iterator[str]:
    name = summary.data_name(report)
    yield from [f"# {escaped(name)}: {escaped(report.stage)}" if name else f"# {escaped(report.stage)}", ""]
    yield from [f"**{escaped(summary.verdict_sentence(report))}**", ""]
    facts = summary.key_facts(report)
    yield from [*table([fact.label for fact in facts], [[fact.value for fact in facts]]), ""]
    for finding in summary.of_level(report, "fail") + summary.of_level(report, "warn"):
        yield from _problem(finding)
    for note in report.notes:
        yield from [escaped(note), ""]
    if report.next:
        yield from [f"Next: {code(report.next.command)}. {escaped(report.next.because)}", ""]
    if blocks:
        yield from ["## What was measured", ""]
    for block in blocks:
        yield from _block(block)
    yield from _trials(report)
    yield from _checks(report)


def _problem(finding: Finding) -> Iterator[str]:
    found = f"- **{summary.WORDS[finding.verdict].upper()}** {escaped(finding.title)}: {escaped(finding.message)}"
    yield from [f"{found}\\", f"  Do: {escaped(finding.advice)}"] if finding.advice else [found]
    yield ""


def _block(block: AnyBlock) -> Iterator[str]:
    yield from [f"### {escaped(block.title)}", ""]
    match block:
        case Note():
            yield from [escaped(block.text), ""]
        case Facts():
            yield from [
                f"- {escaped(f.label)}: {escaped(cell(f.value))} {escaped(f.note)}".rstrip() for f in block.facts
            ]
            yield ""
        case Table():
            yield from [*table(block.columns, block.rows[:_MOST_ROWS]), ""]
            if len(block.rows) > _MOST_ROWS:
                yield from [f"{len(block.rows) - _MOST_ROWS} more rows are in figures/{block.name}.csv.", ""]
        case Pictures():
            yield from [f"![{escaped(describe(block))}](figures/{block.name}.png)", ""]
            if block.captions or block.row_labels:
                yield from [escaped("; ".join(block.captions or block.row_labels)), ""]
        case _ if svg.is_figure(block):
            yield from [f"![{escaped(describe(block))}](figures/{block.name}.svg)", ""]
        case _:
            pass
    if block.caption:
        yield from [escaped(block.caption), ""]


def _trials(report: Report) -> Iterator[str]:
    if report.trials:
        names = list(dict.fromkeys(name for row in report.trials for name in row.metrics))
        columns = ["hypothesis", "change", "seeds", *names, "verdict"]
        rows = [
            [t.hypothesis or t.id, change(t.change), len(t.seeds), *(t.metrics.get(name) for name in names), t.verdict]
            for t in report.trials
        ]
        yield from ["## What was tried", "", *table(columns, rows), ""]
    if report.decisions:
        lines = [[f"{d.key}: {cell(d.value)}", d.because] for d in report.decisions]
        yield from ["## What this stage wrote into recipe.yaml", "", *table(["line", "because"], lines), ""]


def _checks(report: Report) -> Iterator[str]:
    judged = [f for level in summary.WORST_FIRST for f in summary.of_level(report, level)]
    rows = [[summary.WORDS[f.verdict], f.id, f.title, f.message, f.threshold or "", f.source] for f in judged]
    columns = ["verdict", "id", "what should hold", "found", "threshold", "source"]
    yield from ["## Every check", "", *table(columns, rows), ""]
    skipped, unasked = summary.not_checked(report)
    if skipped or unasked:
        rows = [[f.id, f.title, f.reason] for f in skipped]
        yield from ["## What was not checked, and why", "", *table(["id", "what", "why"], rows), ""]
        yield from [f"{unasked}.", ""] if unasked else []
    version, took = report.environment.get("recipe", ""), duration(report.seconds)
    if costs := summary.costs(report):
        yield from [escaped(costs), ""]
    yield escaped(f"recipe {version} · {report.started} · seed {report.seed} · {took}")
