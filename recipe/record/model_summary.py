"""A model at a glance: its layers, what they give out, and what they cost."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence


class LayerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One module that has no modules inside. shape: of its output for one item; parameters: its own."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


class ModelSummary(Evidence, frozen=True, kw_only=True):
    """multiply_adds: of a forward pass, an item. bytes: of parameters and buffers. shared: parameters counted once.

    layers: in the order in which they are called; one that is called twice stands once, with what both calls cost.
    """

    model: str
    layers: tuple[LayerSummary, ...]
    parameters: int
    trainable: int
    multiply_adds: int
    bytes: int
