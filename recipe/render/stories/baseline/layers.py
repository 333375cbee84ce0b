"""The model from the inside, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.skeleton import LayersAtStart
from recipe.render.blocks import Block, Cell, Table
from recipe.render.stories.entries import Entry, drawn


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _layers(found: LayersAtStart) -> list[Block]:
    """A row a layer."""
    rows: list[list[Cell]] = [
        [x.name, x.kind, x.units, x.weight_std, x.weight_std_he, x.out_mean, x.out_std, x.gradient_ratio, x.idle]
        for x in found.layers
    ]
    return [
        Table(
            title="The layers before training",
            name="layers",
            caption=f"On {found.items} training items. He: what keeps the size of a signal through ReLUs. Idle: share "
            "of units that no item gives a gradient.",
            columns=[
                "layer", "kind", "units", "weights' std", "He's", "mean", "std", "gradient / weights", "idle",
            ],
            rows=rows,
            checks=("weights-have-a-sound-scale", "symmetry-is-broken", "layers-are-nonlinear"),
        )
    ]  # fmt: skip


_ENTRIES = (Entry("layers", LayersAtStart, "The layers", _layers),)
