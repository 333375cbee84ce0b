"""The HTML pages: one of a stage, one of the run. Self-contained, without JavaScript, everything escaped.

A notebook shows the same as a part of its own page, with styles that reach no further.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from recipe.record.interval import Interval
from recipe.record.report import Finding, Report
from recipe.render import png, summary, svg, wording
from recipe.render.blocks import Pictures, Table
from recipe.render.journey import journey
from recipe.render.settle import AnyBlock, settle

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PAGE, FRAGMENT = "page.html", "fragment.html"
_STYLES = ("colours.css", "page.css", "figure.css")
_OUTERMOST = re.compile(r"(?<![\w.-])(?::root|html|body)(?= \{)")
_HALF = 58  # characters of a table that half of the page's width has room for
_FIRST = 4  # figures of each stage that the run's page shows unfolded


class Chapter:
    """One stage as a page shows it. folder: of the stage's figures; link: the way there; above: to the run's page."""

    def __init__(self, report: Report, blocks: Sequence[AnyBlock], folder: Path, link: str, above: str = "") -> None:
        self.report, self.link, self.above = report, link, above
        self.browser = (
            f"{link.removesuffix('figures/')}browser.html" if (folder.parent / "browser.html").exists() else ""
        )
        self.figures = [figure_view(block, report.stage, folder, link) for block in blocks]
        shown = [f for f in self.figures if f["kind"] not in ("facts", "note")][:_FIRST]
        cut = self.figures.index(shown[-1]) + 1 if shown else len(self.figures)
        self.first, self.rest = self.figures[:cut], self.figures[cut:]
        ids = {check for block in blocks for check in block.checks}
        self.by_check = {check: [f for f in self.figures if check in f["block"].checks] for check in ids}


def stage_page(chapter: Chapter, *, frame: str = PAGE) -> str:
    """report.html of a stage, or the same to be shown inside another page."""
    report = chapter.report
    return (
        environment()
        .get_template("stage.html")
        .render(frame=frame, chapter=chapter, report=report, skipped=_skipped([report]))
    )


def run_page(chapters: Sequence[Chapter], recipe_yaml: str, run: Mapping[str, Any], *, frame: str = PAGE) -> str:
    """report.html of the run: all stages in one page; or the same to be shown inside another page."""
    reports = [chapter.report for chapter in chapters]
    way = journey(reports)
    return (
        environment()
        .get_template("run.html")
        .render(
            frame=frame,
            chapters=chapters,
            reports=reports,
            levels={report.stage: report.verdict for report in reports},
            skipped=_skipped(reports),
            recipe=[_split_comment(line) for line in recipe_yaml.splitlines()],
            run=run,
            journey=figure_view(settle([way])[0], "run", Path(), "") | {"numbers": None} if way else None,
        )
    )


def figure_view(block: AnyBlock, stage: str, folder: Path, link: str) -> dict[str, Any]:
    """What the templates need to know of one block."""
    drawn = svg.inline(block)
    view: dict[str, Any] = {
        "block": block,
        "kind": type(block).__name__.lower(),
        "id": f"{wording.slug(stage)}-{block.name}",
        "svg": Markup(drawn) if drawn else None,
        "wide": isinstance(block, Table) and _is_wide(block),
        "numbers": f"{link}{block.name}.csv" if drawn or isinstance(block, Table) else None,
    }
    if isinstance(block, Table):
        view["links"] = [_way(one, folder, link) for one in block.links]
    if isinstance(block, Pictures):
        view |= _sheet(block, (folder / f"{block.name}.png").read_bytes())
    return view


def _way(target: str, folder: Path, link: str) -> str:
    """From a page to a file that is named from the stage's folder; "" where there is no such file."""
    # While a stage is under way it lies one folder deeper (.work) than where its page will stand.
    stage, file = folder.parent, target.partition("#")[0]
    there = (stage / file).is_file() or (stage.parent / file).is_file()
    return f"{link.removesuffix('figures/')}{target}" if target and there else ""


def _is_wide(table: Table) -> bool:
    """Whether a table would be cut off, or broken within words, in half of the page's width."""
    cells = [[name, *(row[k] for row in table.rows)] for k, name in enumerate(table.columns)]
    return len(table.columns) > 5 or sum(max(map(_characters, column)) + 2 for column in cells) > _HALF


def _characters(value: Any) -> int:
    """What a cell cannot do without: a number is never broken, a text between words."""
    told = wording.cell(value)
    return len(told) if wording.numeric(value) else max(map(len, told.split()), default=0)


def _sheet(block: Pictures, data: bytes) -> dict[str, Any]:
    """The sheet and the windows through which its cells or rows are seen."""
    width, height = png.size(data) or (block.across, block.down)
    wide, high = width / block.across, height / block.down
    count = min(block.count or len(block.captions) or block.across * block.down, block.across * block.down)
    cells = [
        {
            "box": f"{i % block.across * wide:g} {i // block.across * high:g} {wide:g} {high:g}",
            "caption": block.captions[i] if i < len(block.captions) else "",
            "tone": block.tones[i] if i < len(block.tones) else "plain",
        }
        for i in range(count)
    ]
    rows = [
        {"box": f"0 {i * high:g} {width} {high:g}", "caption": block.row_labels[i] if i < len(block.row_labels) else ""}
        for i in range(block.down)
    ]
    return {
        "uri": png.data_uri(data),
        "width": width,
        "height": height,
        "small": max(wide, high) < 100,
        "rows": rows if block.row_labels else [],
        "cells": [] if block.row_labels else cells,
    }


def _skipped(reports: Sequence[Report]) -> list[tuple[str, Finding]]:
    return [(report.stage, finding) for report in reports for finding in summary.not_checked(report)[0]]


def _split_comment(line: str) -> tuple[str, str]:
    """A line of YAML as (code, comment); a # inside quotes is none."""
    at = 0 if line.lstrip().startswith("#") else line.find(" # ")
    if at < 0 or ('"' in line[:at] and line[:at].count('"') % 2):
        return line, ""
    return (line[:at], line[at:]) if at else ("", line)


def _parted(value: Any) -> tuple[str, str]:
    """A number and its interval, which pages show smaller."""
    words = wording.cell(value)
    number, bracket, rest = words.partition(" [") if isinstance(value, Interval) else (words, "", "")
    return number, (bracket + rest).strip()


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Markup) else wording.visible(str(value))


@cache
def environment() -> jinja2.Environment:
    """Templates in which everything is escaped, and nothing undefined passes."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(svg.TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style = "".join((svg.TEMPLATES / name).read_text(encoding="utf-8") for name in _STYLES)
    environment.globals |= {
        "policy": POLICY,
        "style": Markup(style),
        "scoped_style": Markup(f".recipe-page {{{_OUTERMOST.sub('&', style)}}}"),
        "say": summary,
        "cell": wording.cell,
        "main_part": lambda value: _parted(value)[0],
        "range_part": lambda value: _parted(value)[1],
        "change": wording.change,
        "duration": wording.duration,
        "numeric": wording.numeric,
    }
    return environment
