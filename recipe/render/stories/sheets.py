"""A sheet of pictures as a block."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.record.features import Sheet
from recipe.render.blocks import Pictures


def sheet_of(sheet: Sheet, name: str, title: str, caption: str = "", checks: Sequence[str] = ()) -> Pictures:
    """`name` names the figure; its numbers are those of the sheet."""
    return Pictures(
        title=title,
        name=name,
        caption=caption,
        checks=checks,
        sheet=sheet.side,
        across=sheet.across,
        down=sheet.down,
        captions=sheet.captions,
        row_labels=sheet.row_labels,
        count=sheet.count,
    )
