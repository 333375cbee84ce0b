"""Evidence about sequences: whether an output sees ahead, and whether the targets are what comes next."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence


class Causality(Evidence, frozen=True, kw_only=True):
    """Where every position has an output of its own.

    influence[t][u]: length of the gradient of the output at position t on position u, both out of `positions`; None
    where inputs have no gradient. moved: {cut: largest change of an output before the cut when all from there on is
    exchanged}; own: of one after it. matches: {offset: share of targets that equal the input so many positions later};
    shifted: {offset: loss of outputs that are right so many positions later}, asked: targets that were compared.
    """

    length: int
    positions: tuple[int, ...]
    influence: tuple[tuple[float, ...], ...] | None
    moved: dict[int, float]
    own: float
    asked: int
    matches: dict[int, float] = msgspec.field(default_factory=dict)
    shifted: dict[int, float] = msgspec.field(default_factory=dict)
