"""The model at a glance."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.model_summary import ModelSummary
from recipe.render.blocks import Block, Table
from recipe.render.stories.entries import Entry, drawn

MOST = 40
"""Layers that are listed."""


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The blocks of this part."""
    return drawn(shelf, _ENTRIES)


def _summary(found: ModelSummary) -> list[Block]:
    frozen = found.parameters - found.trainable
    more = f" The first {MOST} of {len(found.layers)} layers." if len(found.layers) > MOST else ""
    return [
        Table(
            title=f"{found.model}: {found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds an item",
            name="model-summary",
            caption=f"{found.bytes / 2**20:.3g} MiB of weights{f', {frozen:,} of them frozen' if frozen else ''}. "
            f"Multiply-adds of products of matrices, convolutions and attention, as torch counts them.{more}",
            columns=["layer", "kind", "output", "parameters", "multiply-adds"],
            rows=[
                [one.name, one.kind, " × ".join(map(str, one.shape)) or "1", one.parameters, one.multiply_adds]
                for one in found.layers[:MOST]
            ],
        )
    ]


_ENTRIES = (Entry("model_summary", ModelSummary, "the model at a glance", _summary),)
