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
