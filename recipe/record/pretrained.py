"""What became of weights that a net was to start from."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    """What black and white become before they reach the net, a number a channel; size: the pictures' shorter side."""

    black: tuple[float, ...]
    white: tuple[float, ...]
    size: int | None = None


class Pretrained(Evidence, frozen=True, kw_only=True):
    """Loaded weights beside the net that they were loaded into.

    source: the file, or the name it was found under; "the model's own code" where that loaded them. loaded: numbers
    that found their place, of `numbers` in the net; head: of these in the last layer, which is expected to be new.
    missing: tensors of the net that the file does not have; unused: tensors of the file that the net does not have;
    reshaped: those of another shape. scaling: of the weights' own training, and ours; None where it is not known.
    """

    source: str
    numbers: int
    loaded: int
    head: int
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    reshaped: tuple[str, ...] = ()
    theirs: Scaling | None = None
    ours: Scaling | None = None
    told_by: str = ""
