"""Evidence of inspect-data: pictures whose quality is odd, and values in a column that are no measurement."""

from __future__ import annotations

import msgspec

from recipe.record.data import Item
from recipe.record.evidence import Evidence


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a picture can be odd. kind: kebab-case; what: how it was told, with its limits.

    items: {split: how many}. severe: those that lie below half of the limit. worst: the first 50 of all splits, worst
    first.
    """

    kind: str
    what: str
    items: dict[str, int]
    severe: int = 0
    worst: tuple[Item, ...] = ()

    @property
    def total(self) -> int:
        """Items of all splits."""
        return sum(self.items.values())


class PictureQuality(Evidence, frozen=True, kw_only=True):
    """D4 for pictures. items: {split: pictures looked at}."""

    items: dict[str, int]
    qualities: tuple[Quality, ...]


class Remnant(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of what a page or a file left in texts: link, tag, entity or escape.

    items: {split: texts that hold one}. forms: the commonest, as they stand. first: some of the texts.
    """

    kind: str
    items: dict[str, int]
    forms: tuple[str, ...]
    first: tuple[Item, ...] = ()

    @property
    def total(self) -> int:
        """Texts of all splits."""
        return sum(self.items.values())


class TextRemnants(Evidence, frozen=True, kw_only=True):
    """D4 for texts. items: {split: texts read}. touched: {split: those that hold any remnant}."""

    items: dict[str, int]
    touched: dict[str, int]
    remnants: tuple[Remnant, ...]


class OddValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that many rows of a numeric column have. place: "lowest", "highest" or "" (in between).

    kind: stand-in (a number that people write where there is none), capped (rows pile up at an end of the range), spike
    (in between). usual: rows that a value near it has. gap: distance to the next value, in quartile ranges.
    """

    column: str
    value: float
    kind: str
    place: str
    items: int
    share: float
    usual: float
    gap: float
    rows: tuple[Item, ...] = ()


class OddValues(Evidence, frozen=True, kw_only=True):
    """D4 for columns. columns: numeric ones with enough different values to tell."""

    columns: int
    values: tuple[OddValue, ...]
