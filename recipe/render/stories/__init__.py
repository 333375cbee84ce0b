"""One story a stage: `story(shelf, report, trials) -> list[Block]` in `stories/<stage>.py`, dashes as underscores.

A story reads evidence with `shelf.get(name, Kind)` and chooses what to show, most important first. It must live with
evidence that is missing: `get` returns Unmeasured or None then, and `blocks.missing(title, record)` stands in.
Trials are all outcomes of the stage's pool. Pictures name side files of the shelf. Nothing here measures.
"""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from collections.abc import Callable, Sequence
from pathlib import PurePath

from recipe.record.evidence import Shelf
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Block, Note

Story = Callable[[Shelf, Report, Sequence[Outcome]], Sequence[Block]]


def find(stage: str) -> Story | None:
    """The story of a stage, or None when it has none yet."""
    module = f"{__name__}.{stage.replace('-', '_')}"
    if not stage.replace("-", "").isidentifier() or importlib.util.find_spec(module) is None:
        return None
    story: Story = importlib.import_module(module).story
    return story


def tell(report: Report, shelf: Shelf, trials: Sequence[Outcome]) -> list[Block]:
    """The blocks of a stage. A story that fails becomes a note, so that no run loses its report to a drawing."""
    story = find(report.stage)
    if story is None:
        return []
    try:
        return list(story(shelf, report, trials))
    except Exception as error:  # the evidence is safe on disk; the page says what could not be drawn, and where
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(frame.filename).name}:{frame.lineno}"
        return [
            Note(
                title="The figures of this stage could not be drawn",
                text=f"{type(error).__name__}: {error} ({where}). The findings below do not depend on them.",
                tone="bad",
            )
        ]
