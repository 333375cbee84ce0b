"""Evidence of D6: what alone predicts the target, and should not: attributes, order, ids, groups, regions, columns."""

from __future__ import annotations

import msgspec

from recipe.record.data import Item
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing by which the target could be guessed. kind: content, given, order, id, group or corners.

    gain: share of the blind squared error that a guess from it alone removes on items it was not learnt from. best: the
    same for the class (label) that it tells best. rest: what the inputs without it tell of that class. beyond: of what
    is given beside a picture, what it tells of that class that the picture does not.
    """

    name: str
    kind: str
    gain: Interval
    best: Interval
    label: str = ""
    rest: Interval | None = None
    beyond: Interval | None = None


class Shortcuts(Evidence, frozen=True, kw_only=True):
    """What each clue tells alone, beside everything together.

    critical: the largest gain of any clue for any class over `shuffles` shuffles of the targets: below it a gain is
    chance, however many were tried.
    """

    items: int
    everything: Interval
    critical: float
    shuffles: int
    clues: tuple[Clue, ...]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A small region of pictures, chosen on half of a sample and measured on the other.

    top … width: in the pixels of `Marks.shape`. label: the class that it tells. adds: share of the blind squared error
    that the region removes and its surroundings do not. elsewhere: what one in twenty other windows of its size adds on
    the half by which it was chosen, and screen what it added there. carried: share of the class that can be told by it
    with nine tenths of the doubt gone (None: the target is a number). whole: what the whole picture tells of the class.
    items: some that carry it.
    """

    top: int
    left: int
    height: int
    width: int
    label: str
    adds: Interval
    screen: float
    elsewhere: float
    carried: float | None
    whole: Interval | None = None
    items: tuple[Item, ...] = ()


class Marks(Evidence, frozen=True, kw_only=True):
    """The most telling small regions, first the one that adds most. windows: how many were tried.

    side: a picture of what regions tell, over the mean picture; captions: of its cells.
    """

    shape: tuple[int, int]
    items: int
    windows: int
    marks: tuple[Mark, ...]
    side: str = ""
    captions: tuple[str, ...] = ()


class Combination(msgspec.Struct, frozen=True, kw_only=True):
    """A few columns that together tell the target, or one class (label). gain: on items that did not choose them.

    parts: what each tells alone there. others: what all other columns together tell. Both are asked of large gains.
    """

    columns: tuple[str, ...]
    gain: Interval
    label: str = ""
    parts: tuple[float, ...] = ()
    others: Interval | None = None


class Combinations(Evidence, frozen=True, kw_only=True):
    """Columns of a table, or of an array: all of them together, and the most telling one, two and three.

    columns: how many there are. tried: combinations looked at. named: columns have names of their own.
    """

    columns: int
    items: int
    everything: Interval
    tried: int
    found: tuple[Combination, ...]
    named: bool = True
