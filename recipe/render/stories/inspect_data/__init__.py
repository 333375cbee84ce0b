"""inspect-data as a page: the examples themselves first, then how they are distributed, then what is odd about them."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.record.evidence import Shelf
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Block
from recipe.render.stories.inspect_data import (
    drift,
    examples,
    implications,
    label_noise,
    near_twins,
    oddities,
    preprocessing,
    quality,
    questions,
    repeats,
    shortcuts,
    targets,
)

PARTS = (
    examples,
    targets,
    repeats,
    near_twins,
    oddities,
    quality,
    label_noise,
    shortcuts,
    drift,
    questions,
    preprocessing,
    implications,
)
"""Each a module with `blocks(shelf)`, most telling first."""


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks of all parts."""
    return [block for part in PARTS for block in part.blocks(shelf)]
