"""What the first layer's filters look like."""

from __future__ import annotations

from recipe.record.evidence import Evidence
from recipe.record.features import Sheet


class FirstFilters(Evidence, frozen=True, kw_only=True):
    """`count` filters (channels, height, width) of `layer`, after training; the loudest are drawn.

    noise, noise_at_start: of every filter, after and before: about 1 where its neighbouring weights have nothing in
    common, near 0 where it is smooth.
    """

    layer: str
    count: int
    shape: tuple[int, ...]
    noise: tuple[float, ...]
    noise_at_start: tuple[float, ...]
    sheet: Sheet
