"""What the data imply for the net to begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recipe.record.evidence import Shelf
from recipe.record.implications import Implications
from recipe.render.blocks import Block, Cell, Table
from recipe.render.wording import change

TEN = 10


def blocks(shelf: Shelf) -> Iterator[Block]:
    """Where to start, then sizes beside the number of examples."""
    found = shelf.found("implications", Implications)
    if found is None:
        return
    rows: list[list[Cell]] = [
        [one.what, one.measured, f"{one.so} ({one.source})" if one.source else one.so, _typed(one.change)]
        for one in (found.start, *found.more)
    ]
    yield Table(
        title=f"Start from {_typed(found.start.change)}: {found.start.so}",
        name="implications",
        caption=f"What it has to beat: {found.rival}.",
        columns=["what", "measured", "so", "type"],
        rows=rows,
    )
    if found.sizes:
        lean = [one for one in found.sizes if one.parameters * TEN <= found.examples]
        told = f"{lean[-1].name} has" if lean else "No standard net has"
        yield Table(
            title=f"{told} ten of the {found.examples:,} {found.unit} for each parameter",
            name="parameters",
            caption="Ten examples a parameter keep a linear model honest (Harrell 2015); nets fit with fewer, which is "
            "what overfit is for, and what regularize then pays back (Zhang et al. 2017).",
            columns=["net", "parameters", f"{found.unit} a parameter", "type"],
            rows=[
                [one.name, one.parameters, found.examples / max(1, one.parameters), _typed(one.change)]
                for one in found.sizes
            ],
        )


def _typed(given: Mapping[str, Any]) -> str:
    return change(given) if given else ""
