"""What is written beside report.json after a stage, and shown: pages, figures and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from recipe.record.evidence import Shelf
from recipe.record.files import make_folder, remove, write_bytes, write_text
from recipe.record.report import Report
from recipe.record.run_directory import STAGES
from recipe.record.trial import Outcome
from recipe.render import settle, svg
from recipe.render.blocks import Pictures
from recipe.render.browser import browser_page
from recipe.render.csv import to_csv
from recipe.render.drawn import drawn_blocks
from recipe.render.html import FRAGMENT, Chapter, run_page, stage_page
from recipe.render.markdown import stage_markdown
from recipe.render.settle import AnyBlock
from recipe.render.terminal import show_stage, show_status

__all__ = [
    "illustrated", "show_stage", "show_status", "shown_evidence", "shown_run", "shown_stage", "write_run_report",
    "write_stage_report",
]  # fmt: skip

_STORY = "story.json"


def write_stage_report(folder: Path, report: Report, shelf: Shelf, trials: Sequence[Outcome]) -> None:
    """report.html, report.md, figures/ and, where there are items to look at, browser.html in the stage's folder."""
    blocks = drawn_blocks(report, shelf, trials)
    figures = folder / "figures"
    remove(figures)
    make_folder(figures)
    for block in blocks:
        _write_figure(figures, block, shelf)
    write_bytes(figures / _STORY, settle.to_json(blocks))
    browser = browser_page(report, shelf)
    if browser is not None:
        write_text(folder / "browser.html", browser)
    write_text(folder / "report.md", stage_markdown(report, blocks))
    above = "../report.html" if report.stage in STAGES else ""  # a self-test's run has no page of its own
    write_text(folder / "report.html", stage_page(Chapter(report, blocks, figures, "figures/", above)))


def write_run_report(
    run_folder: Path, stages: Sequence[tuple[Report, Path]], recipe_yaml: str, run: Mapping[str, Any]
) -> None:
    """report.html of the run, from the stages' own folders. stages: at least one, in the order of the walk."""
    chapters = [_chapter(report, folder, f"{report.stage}/") for report, folder in stages]
    write_text(run_folder / "report.html", run_page(chapters, recipe_yaml, run))


def shown_stage(report: Report, folder: Path, link: str) -> str:
    """The page of a finished stage as a part of a notebook. link: the way to its folder from there."""
    return stage_page(_chapter(report, folder, link, f"{link}../report.html"), frame=FRAGMENT)


def shown_run(stages: Sequence[tuple[Report, Path]], recipe_yaml: str, run: Mapping[str, Any], link: str) -> str:
    """The page of a run as a part of a notebook."""
    chapters = [_chapter(report, folder, f"{link}{report.stage}/") for report, folder in stages]
    return run_page(chapters, recipe_yaml, run, frame=FRAGMENT)


def shown_evidence(report: Report, shelf: Shelf, folder: Path) -> str:
    """A report that is kept nowhere, with its figures, as a part of a notebook. folder: a place to draw them in."""
    blocks = drawn_blocks(report, shelf, [])
    for block in blocks:
        _write_figure(make_folder(folder), block, shelf)
    chapter = Chapter(report, blocks, folder, "")
    for view in chapter.figures:
        view["numbers"] = None
    return stage_page(chapter, frame=FRAGMENT)


def _chapter(report: Report, folder: Path, link: str, above: str = "") -> Chapter:
    figures = folder / "figures"
    return Chapter(report, _told(figures), figures, f"{link}figures/", above)


def illustrated(report: Report, shelf: Shelf, trials: Sequence[Outcome]) -> Report:
    """The report with each finding naming the figures that show it, as report.json has them."""
    paths: dict[str, list[str]] = {}
    for block in drawn_blocks(report, shelf, trials):
        ending = "png" if isinstance(block, Pictures) else "svg" if svg.is_figure(block) else None
        for check in block.checks if ending else ():
            paths.setdefault(check, []).append(f"figures/{block.name}.{ending}")
    checks = tuple(msgspec.structs.replace(f, figures=tuple(paths.get(f.id, f.figures))) for f in report.checks)
    return msgspec.structs.replace(report, checks=checks)


def _write_figure(figures: Path, block: AnyBlock, shelf: Shelf) -> None:
    drawn, numbers = svg.standalone(block), to_csv(block)
    if drawn is not None:
        write_text(figures / f"{block.name}.svg", drawn)
    if numbers is not None:
        write_text(figures / f"{block.name}.csv", numbers)
    if isinstance(block, Pictures):
        write_bytes(figures / f"{block.name}.png", shelf.side(block.sheet).read_bytes())


def _told(figures: Path) -> list[AnyBlock]:
    """The blocks of a finished stage as its own report left them."""
    story = figures / _STORY
    return settle.from_json(story.read_bytes()) if story.exists() else []
