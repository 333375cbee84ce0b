"""What a stage, a walk or a check tells in Python: records to work with, lines to print, a page in a notebook."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipe.nearest import did_you_mean
from recipe.record.interval import Interval
from recipe.record.plain import to_plain
from recipe.record.report import Decision, Finding, Level, Report, TrialRow
from recipe.record.run_directory import RunDirectory
from recipe.render.stage_report import shown_run, shown_stage
from recipe.render.summary import run_sentence, verdict_sentence
from recipe.render.terminal import plain_lines


@dataclass(frozen=True, repr=False)
class Told:
    """A report. `print` shows it in lines, a notebook as a page; a finding is found by the id of its check.

    run: the run directory, or None where nothing is kept; then page is the HTML that a notebook shows.
    """

    report: Report
    run: Path | None = None
    page: str = ""

    @property
    def verdict(self) -> Level:
        """pass, warn or fail: that of the worst check."""
        return self.report.verdict

    @property
    def checks(self) -> tuple[Finding, ...]:
        """All findings, those of skipped checks too."""
        return self.report.checks

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What closes the gate."""
        return tuple(one for one in self.checks if one.verdict == "fail")

    @property
    def warned(self) -> tuple[Finding, ...]:
        """What wants a look."""
        return tuple(one for one in self.checks if one.verdict == "warn")

    @property
    def metrics(self) -> dict[str, dict[str, Interval]]:
        """{split: {name: value with its interval}}."""
        return self.report.metrics

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What goes into recipe.yaml."""
        return self.report.decisions

    @property
    def trials(self) -> tuple[TrialRow, ...]:
        """The ideas that were tried."""
        return self.report.trials

    def __getitem__(self, id: str) -> Finding:
        found = {one.id: one for one in self.checks}
        if id not in found:
            raise KeyError(f"{id}: {did_you_mean(id, found, otherwise='checks:')}")
        return found[id]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.checks)

    def __len__(self) -> int:
        return len(self.checks)

    def __str__(self) -> str:
        return "\n".join(plain_lines(self.report))

    def __repr__(self) -> str:
        return f"<{self.report.stage}: {verdict_sentence(self.report)}>"

    def _repr_html_(self) -> str:
        if self.run is None:
            return self.page
        folder = RunDirectory(self.run).stage_folder(self.report.stage)
        return shown_stage(self.report, folder, _link(folder))


@dataclass(frozen=True, repr=False)
class Walked:
    """The stages of a walk, as far as it came, by the names of their commands or by position."""

    stages: tuple[Told, ...]
    run: Path

    @property
    def verdict(self) -> Level:
        """That of the worst stage."""
        order = ("pass", "warn", "fail")
        return max((one.verdict for one in self.stages), key=order.index)

    @property
    def metrics(self) -> dict[str, dict[str, Interval]]:
        """Those of the last stage that has any."""
        return next((one.metrics for one in reversed(self.stages) if one.metrics), {})

    @property
    def recipe(self) -> str:
        """recipe.yaml, the recipe so far, with its evidence."""
        return RunDirectory(self.run).recipe_file.read_text()

    def __getitem__(self, stage: str | int) -> Told:
        if isinstance(stage, int):
            return self.stages[stage]
        found = {one.report.stage: one for one in self.stages}
        if stage not in found:
            raise KeyError(f"{stage}: the walk came to {', '.join(found)}")
        return found[stage]

    def __iter__(self) -> Iterator[Told]:
        return iter(self.stages)

    def __len__(self) -> int:
        return len(self.stages)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.stages))

    def __repr__(self) -> str:
        return f"<walk: {run_sentence([one.report for one in self.stages])}>"

    def _repr_html_(self) -> str:
        run = RunDirectory(self.run)
        chapters = [(one.report, run.stage_folder(one.report.stage)) for one in self.stages]
        known: Any = to_plain(run.run)
        return shown_run(chapters, self.recipe, known, _link(self.run))


def _link(folder: Path) -> str:
    """The way to a folder from where the notebook lies."""
    return f"{os.path.relpath(folder)}/"
