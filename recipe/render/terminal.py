"""The view after a stage and the status of a run, on a terminal: tables and small plots, or plain lines."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text

from recipe.record.evidence import Shelf
from recipe.record.report import Finding, NextStep, Report
from recipe.record.run_directory import STAGES
from recipe.record.trial import Outcome
from recipe.render import summary
from recipe.render.blocks import Bars, Curve, Facts, Intervals, Note
from recipe.render.console import console_on, is_rich, transcoded
from recipe.render.drawn import drawn_blocks
from recipe.render.plots import bars_lines, curve_lines, intervals_lines
from recipe.render.settle import AnyBlock
from recipe.render.wording import cell, change, duration, one_line

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}
_PLOTS = 3
_WIDEST = 100


def show_stage(report: Report, shelf: Shelf, trials: Sequence[Outcome], *, console: Console | None = None) -> None:
    """The report in brief: verdict, failures first, plots, decisions, what to type next."""
    console = console or console_on(sys.stdout)
    pages = [f"{name}: {page}" for name in ("report", "browser") if (page := _page(shelf, name)).exists()]
    if is_rich(console):
        width = min(console.width, _WIDEST)
        console.print(Group(*_view(report, drawn_blocks(report, shelf, trials), pages, width)), width=width)
    else:
        _print_plain(console, plain_lines(report, pages))


def _page(shelf: Shelf, name: str) -> Path:
    return shelf.folder.parent / f"{name}.html"


def show_status(
    reports: Mapping[str, Report | None],
    next_step: NextStep | None,
    *,
    interrupted: Collection[str] = (),
    console: Console | None = None,
) -> None:
    """The run in one table. reports: what is finished, by stage; interrupted: stages with unfinished work."""
    console = console or console_on(sys.stdout)
    rows = [_status(stage, reports.get(stage), stage in interrupted) for stage in STAGES]
    if is_rich(console):
        grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("stage", "verdict", "metric", "time"):
            grid.add_column(heading, overflow="fold")
        for level, cells in rows:
            grid.add_row(cells[0], Text(cells[1], style=STYLES[level]), *(Text(words) for words in cells[2:]))
        after = [Text(""), _next(next_step)] if next_step else []
        console.print(Group(grid, *after), width=min(console.width, _WIDEST))
    else:
        lines = ["  ".join(words for words in cells if words) for _, cells in rows]
        _print_plain(console, iter([*lines, *_plain_next(next_step)]))


def _status(stage: str, report: Report | None, interrupted: bool) -> tuple[str, list[str]]:
    if report is None:
        return "skipped", [stage, "interrupted, goes on" if interrupted else "–", "", ""]
    metric = summary.headline_metric(report)
    again = " (again, interrupted)" if interrupted else ""
    verdict = f"{summary.GLYPHS[report.verdict]} {summary.STAGE_WORDS[report.verdict]}{again}"
    # The table shows the number alone; its interval stands in the report.
    leading = " ".join(metric).partition(" [")[0] if metric else ""
    return report.verdict, [stage, verdict, one_line(leading, 32), duration(report.seconds)]


def _view(report: Report, blocks: Sequence[AnyBlock], pages: Sequence[str], width: int) -> Iterator[RenderableType]:
    heading = " · ".join(words for words in (report.stage, summary.data_name(report)) if words)
    yield Text("")
    yield Rule(Text(one_line(heading), style="bold"), align="left", style=STYLES[report.verdict])
    yield Text(summary.verdict_sentence(report), style=f"bold {STYLES[report.verdict]}")
    facts = [f"{one_line(fact.label)} {one_line(cell(fact.value))}" for fact in summary.key_facts(report)]
    yield Text("  ·  ".join(facts), style="dim")
    yield Text("")
    yield _findings(report)
    if costs := summary.costs(report):
        yield Text(one_line(costs), style="dim")
    for note in report.notes:
        yield Text(one_line(note), style="italic dim")
    for block in _plotted(blocks):
        yield Text("")
        yield Text(one_line(block.title), style="bold")
        yield from _plot(block, width)
    if report.decisions:
        yield from (Text(""), Text("Written into recipe.yaml", style="bold"), _decisions(report))
    yield Text("")
    if report.next:
        yield _next(report.next)
    yield from (Text(f"      {one_line(page)}", style="dim") for page in pages)


def _findings(report: Report) -> Grid:
    grid = Grid(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, max_width=26, overflow="ellipsis")
    grid.add_column(ratio=1)
    skipped, unasked = summary.not_checked(report)
    for level in (*summary.WORST_FIRST, "skipped"):
        style, quiet = STYLES[level], level in ("pass", "skipped")
        for finding in skipped if level == "skipped" else summary.of_level(report, level):
            words = Text(_message(finding), no_wrap=quiet, overflow="ellipsis" if quiet else "fold")
            if quiet:
                words.stylize("dim")
            elif finding.advice:
                words.append(f"\ndo: {one_line(finding.advice)}", style="cyan")
            grid.add_row(Text(summary.GLYPHS[level], style=style), Text(one_line(finding.id), style=style), words)
    if unasked:
        grid.add_row(Text(summary.GLYPHS["skipped"], style="dim"), Text(""), Text(unasked, style="dim"))
    return grid


def _message(finding: Finding) -> str:
    if finding.verdict == "skipped":
        return f"not checked: {one_line(finding.reason)}"
    return one_line(finding.message) + (f" ({one_line(finding.where)})" if finding.where else "")


def _plotted(blocks: Sequence[AnyBlock]) -> list[AnyBlock]:
    """What is worth the room: bad news, key numbers, and the first few figures."""
    plots = [b for b in blocks if isinstance(b, (Curve, Intervals, Bars))][:_PLOTS]
    return [b for b in blocks if b in plots or isinstance(b, Facts) or (isinstance(b, Note) and b.tone == "bad")]


def _plot(block: AnyBlock, width: int) -> Iterator[RenderableType]:
    match block:
        case Curve():
            yield from curve_lines(block, width)
        case Bars():
            yield from bars_lines(block, width)
        case Intervals():
            yield from intervals_lines(block, width)
        case Facts():
            words = [f"{one_line(f.label)} {one_line(cell(f.value))} {one_line(f.note)}".rstrip() for f in block.facts]
            yield Text("  ·  ".join(words))
        case Note():
            yield Text(one_line(block.text))
        case _:
            pass


def _decisions(report: Report) -> Grid:
    grid = Grid(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(max_width=36, overflow="fold")
    grid.add_column(ratio=1)
    for decision in report.decisions:
        line = f"{one_line(decision.key)}: {one_line(cell(decision.value), 60)}"
        grid.add_row(Text(line), Text(one_line(decision.because), style="dim"))
    return grid


def _next(step: NextStep) -> RenderableType:
    line = Text("next: ", style="dim")
    line.append(one_line(step.command), style="bold not dim")
    return Group(line, Padding(Text(one_line(step.because), style="dim"), (0, 0, 0, 6)))


def plain_lines(report: Report, pages: Sequence[str] = ()) -> Iterator[str]:
    """The report in lines that are never wrapped."""
    yield f"{report.stage}: {summary.verdict_sentence(report)}."
    for fact in summary.key_facts(report):
        yield f"{fact.label}: {cell(fact.value)}"
    skipped, unasked = summary.not_checked(report)
    for level in (*summary.WORST_FIRST, "skipped"):
        for finding in skipped if level == "skipped" else summary.of_level(report, level):
            yield f"{level.upper()} {finding.id}: {_message(finding)}"
            if finding.advice and level != "pass":
                yield f"  do: {finding.advice}"
    yield from (line for line in (unasked, summary.costs(report)) if line)
    yield from report.notes
    for row in report.trials:
        results = ", ".join([row.verdict, *(f"{name} {cell(value)}" for name, value in row.metrics.items())])
        yield f"tried {row.hypothesis or row.id} ({change(row.change)}): {results}"
    for decision in report.decisions:
        yield f"recipe.yaml {decision.key}: {cell(decision.value)} ({decision.because})"
    yield from _plain_next(report.next)
    yield from pages


def _plain_next(step: NextStep | None) -> list[str]:
    return [f"next: {step.command} ({step.because})"] if step else []


def _print_plain(console: Console, lines: Iterator[str]) -> None:
    """Line by line and never wrapped, so that grep and diff see what was said; indents stay."""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip(" "))]
        console.file.write(transcoded(indent + one_line(line), console) + "\n")
    console.file.flush()
