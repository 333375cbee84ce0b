"""A stage's story, told and made ready to be drawn by any output format."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.record.evidence import Shelf
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render import png, settle, stories
from recipe.render.blocks import Note, Pictures
from recipe.render.settle import AnyBlock


def drawn_blocks(report: Report, shelf: Shelf, trials: Sequence[Outcome]) -> list[AnyBlock]:
    """The blocks of a stage; pictures whose sheet is not there are notes."""
    told = settle.settle(stories.tell(report, shelf, trials))
    return [_with_sheet(block, shelf) if isinstance(block, Pictures) else block for block in told]


def _with_sheet(block: Pictures, shelf: Shelf) -> AnyBlock:
    try:
        found = png.size(shelf.side(block.sheet).read_bytes())
        reason = None if found else "is not a PNG"
    except (OSError, ValueError) as error:
        reason = f"cannot be read ({error})"
    if reason is None:
        return block
    text = f"Nothing to draw: the sheet {block.sheet} {reason}."
    return Note(title=block.title, name=block.name, text=text, tone="quiet", checks=block.checks)
