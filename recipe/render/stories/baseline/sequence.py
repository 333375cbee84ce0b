"""Of language models: which position moves which output."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.sequence import Causality
from recipe.render.blocks import Block, Heatmap


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The chart, where positions have outputs of their own; other tasks have no order of time."""
    found = shelf.found("causality", Causality)
    if found is None or found.influence is None:
        return
    names = [str(place) for place in found.positions]
    yield Heatmap(
        title="Which position moves which output",
        name="causality",
        caption="Length of the gradient of the output at a position on each position: nothing may stand right of the "
        "diagonal, for that would be the future.",
        rows=names,
        columns=names,
        values=found.influence,
        row_label="output at",
        column_label="position",
        checks=("nothing-later-is-seen", "targets-come-next"),
    )
