"""Evidence of inspect-data, continued: attributes and columns, what stands out or drifts, pictures."""

from __future__ import annotations

import msgspec

from recipe.record.data import Item
from recipe.record.evidence import Evidence
from recipe.record.scores import ItemScores


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute: quartiles of train, and how many of its items lie outside 1.5 quartile ranges.

    apart: items of all splits that lie beyond what the tails of the other values make likely; low, high: between which
    these others lie. farthest: the first of the former, or where there are none a few that lie outside 1.5 ranges.
    """

    attribute: str
    first: float
    third: float
    below: int
    above: int
    low: float = 0.0
    high: float = 0.0
    apart: int = 0
    farthest: tuple[Item, ...] = ()


class Outliers(Evidence, frozen=True, kw_only=True):
    """D4. distance: mean distance to the k nearest of `reference` items of train, after preprocessing.

    limit: third quartile + 1.7 quartile ranges of train (Datalab). far: {split: items beyond}. extreme: {split: items
    that do not go with the tail of these distances}, beyond `end`. farthest: the first 50 of all splits.
    """

    fences: tuple[Fence, ...]
    items: dict[str, int]
    neighbours: int = 0
    reference: int = 0
    limit: float = 0.0
    end: float | None = None
    far: dict[str, int] = msgspec.field(default_factory=dict)
    extreme: dict[str, int] = msgspec.field(default_factory=dict)
    farthest: tuple[Item, ...] = ()
    scores: tuple[ItemScores, ...] = ()


class ColumnFact(msgspec.Struct, frozen=True, kw_only=True):
    """One column. kind: number or text. empty: share of cells, by split; blank: empty cells of all splits together.

    left_out: why it is no input ("": it is).

    order: Spearman's correlation of its numbers with the row's position. numbering: whole numbers, each once, without
    gaps to speak of. gain: how much of the error of guessing
    without it a guess from this column alone removes on val (1: all of it).
    """

    name: str
    kind: str
    different: int
    empty: dict[str, float]
    left_out: str = ""
    order: float = 0.0
    numbering: bool = False
    gain: float | None = None
    blank: int = 0


class Columns(Evidence, frozen=True, kw_only=True):
    """The columns of a table or of an array (rows, columns). rows: of train; named: columns have names of their own."""

    columns: tuple[ColumnFact, ...]
    rows: int
    named: bool = True


class Sheet(Evidence, frozen=True, kw_only=True):
    """Pictures of equal size in one side file, `down` rows of `across`, with a caption a picture or a label a row."""

    side: str
    across: int
    down: int
    count: int
    captions: tuple[str, ...] = ()
    row_labels: tuple[str, ...] = ()


class Rows(Evidence, frozen=True, kw_only=True):
    """Some rows of a table as text, target last."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class OtherLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Correlations of neighbouring pixels when the numbers are read as an array of another order of axes."""

    way: str
    vertical: float
    horizontal: float


class Layout(Evidence, frozen=True, kw_only=True):
    """Correlations between pixels of pictures (C, H, W): with the one below, to the right, and in the next channel.

    …_undone: the same after reading the numbers as (H, W, C). others: after reading them in other ways.
    """

    shape: tuple[int, int, int]
    vertical: float
    across: float
    vertical_undone: float
    across_undone: float
    horizontal: float = 0.0
    others: tuple[OtherLayout, ...] = ()
