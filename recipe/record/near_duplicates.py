"""Evidence of near duplicates: items that are not the same, and too much alike to be two."""

from __future__ import annotations

import msgspec

from recipe.record.data import Twins
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class NearAcross(msgspec.Struct, frozen=True, kw_only=True):
    """Items of `split` with a near twin in `other`; share: of all its items."""

    split: str
    other: str
    items: int
    share: Interval


class NearDuplicates(Evidence, frozen=True, kw_only=True):
    """D3, near. by: what was compared. pairs, mirrored: how many were found; those of mirror images are in `mirrored`.

    within: {split: items with a near twin in it}. conflicting: items whose near twin has another label. effective:
    {split: items left when those with a near twin in train are taken out}. …_twins: the most alike of each kind.
    """

    by: str
    items: dict[str, int]
    pairs: int
    mirrored: int
    within: dict[str, int]
    across: tuple[NearAcross, ...]
    conflicting: int
    effective: dict[str, int] = msgspec.field(default_factory=dict)
    across_twins: tuple[Twins, ...] = ()
    conflict_twins: tuple[Twins, ...] = ()
    mirrored_twins: tuple[Twins, ...] = ()
    within_twins: tuple[Twins, ...] = ()
