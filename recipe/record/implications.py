"""Evidence of inspect-data: what the data imply for the net to begin with (D11)."""

from __future__ import annotations

from typing import Any

import msgspec

from recipe.record.evidence import Evidence


class Implied(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that follows. measured: from what; so: what to do; source: who says that it follows."""

    what: str
    measured: str
    so: str
    source: str = ""
    change: dict[str, Any] = {}


class NetSize(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of a standard net on these data, by formula. change: how it is chosen."""

    name: str
    parameters: int
    change: dict[str, Any] = {}


class Implications(Evidence, frozen=True, kw_only=True):
    """D11. examples: of train; fewest: of the rarest class (None: numbers). inputs: numbers (or tokens) of one input.

    start: the architecture to begin with; rival: what it has to beat. unit: what is counted as an example.
    """

    kind: str
    examples: int
    fewest: int | None
    inputs: int
    start: Implied
    rival: str
    sizes: tuple[NetSize, ...] = ()
    more: tuple[Implied, ...] = ()
    unit: str = "examples"
