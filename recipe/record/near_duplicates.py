"""Evidence of inspect-data: items that are nearly the same, and rows that differ in one column only."""

from __future__ import annotations

import msgspec

from recipe.record.data import Twins
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class NearAcross(msgspec.Struct, frozen=True, kw_only=True):
    """Items of `split` with a near twin in `other`. same: those where its label is the same."""

    split: str
    other: str
    items: int
    share: Interval
    same: int


class NearSplit(msgspec.Struct, frozen=True, kw_only=True):
    """One split. within: items with a near twin in it. disagree: items with one that has another label, anywhere.

    fresh: clusters of (nearly) equal items none of which is in an earlier split: what the split's numbers stand on;
    half: half the width of the 95 % interval of an accuracy of 0.9 on these. mirrored: items with a mirrored twin.
    """

    split: str
    items: int
    within: int
    disagree: int
    fresh: int
    half: float
    mirrored: int = 0


class NearDuplicates(Evidence, frozen=True, kw_only=True):
    """D3, near: same picture, text or row shown in another way. Equal items count in `Duplicates`, blank ones nowhere.

    how: what was compared, in words. pairs: of different contents. across: without mirrored ones; mirrored_across:
    those alone. clusters: of near twins; spanning: those with items of more than one split; largest: its items. apart:
    median difference of two items drawn at random, between 0 and about 1 (None: not measured). groups: a side file that
    gives each item of a cluster its number ("": there are none). …_twins: the most alike of each cluster, the
    first 24, with their likeness in the notes: 1 is equal. texts: how the texts among these begin, by split and name.
    """

    kind: str
    how: str
    splits: tuple[NearSplit, ...]
    pairs: int
    across: tuple[NearAcross, ...] = ()
    mirrored_pairs: int = 0
    mirrored_across: tuple[NearAcross, ...] = ()
    clusters: int = 0
    spanning: int = 0
    largest: int = 0
    apart: float | None = None
    left_out: int = 0
    groups: str = ""
    across_twins: tuple[Twins, ...] = ()
    conflict_twins: tuple[Twins, ...] = ()
    within_twins: tuple[Twins, ...] = ()
    mirrored_twins: tuple[Twins, ...] = ()
    texts: dict[str, str] = msgspec.field(default_factory=dict)

    def of(self, split: str) -> NearSplit | None:
        """One split's numbers."""
        return next((one for one in self.splits if one.split == split), None)


class OneColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are equal to an earlier one in all but these columns. numbers: the columns only number the rows.

    across: {later split: share of its rows that are so to a row of train}. twins: the first few.
    """

    columns: tuple[str, ...]
    rows: int
    numbers: bool
    across: dict[str, float] = msgspec.field(default_factory=dict)
    twins: tuple[Twins, ...] = ()


class RepeatedRows(Evidence, frozen=True, kw_only=True):
    """D3 for tables, over all splits. whole: rows equal to an earlier one, target and all; inputs: without the target.

    torn: rows whose inputs also occur with another target. alone: by column, those that make most rows differ first.
    """

    rows: int
    whole: int
    inputs: int
    torn: int
    alone: tuple[OneColumn, ...] = ()
