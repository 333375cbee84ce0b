"""baseline as a page, the answer first: what the net beats, then why the skeleton under it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.record.evidence import Shelf
from recipe.record.report import Report
from recipe.record.trial import Outcome
from recipe.render.blocks import Block
from recipe.render.stories.baseline import (
    inside,
    just_before,
    layers,
    learning,
    model,
    one_batch,
    people,
    proofs,
    rivals,
    sequence,
    start,
    wiring,
)

PARTS = (rivals, people, learning, just_before, model, one_batch, start, inside, layers, proofs, wiring, sequence)
"""Each a module with `blocks(shelf)`, most telling first."""


def story(shelf: Shelf, _report: Report, _trials: Sequence[Outcome]) -> list[Block]:
    """The blocks of all parts."""
    return [block for part in PARTS for block in part.blocks(shelf)]
