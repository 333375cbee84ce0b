"""What the data browser shows: the items themselves, as columns of attributes, sprites of pictures, or texts."""

from __future__ import annotations

from typing import Literal

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.patch import Mark

Number = Literal["float32", "float64", "uint32"]
Layout = Literal["tiles", "texts", "rows"]
Relabel = Literal["class", "number", "classes", "numbers", "nothing"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute of all shown items. start: its first byte in the side file of columns, little-endian.

    words: of a column of words, which then holds positions in them (one beyond the last: empty). about: what a number
    means. given: whether it belongs to the data (a table's column), not to what recipe measures about them.
    """

    title: str
    number: Number
    start: int
    words: tuple[str, ...] | None = None
    about: str = ""
    given: bool = False


class Sprites(msgspec.Struct, frozen=True, kw_only=True):
    """Thumbnails of equal size, `each` on a sheet in rows of `across`; item k of `count` lies on sheet k // each."""

    sides: tuple[str, ...]
    width: int
    height: int
    across: int
    each: int
    count: int


class Browser(Evidence, frozen=True, kw_only=True):
    """The data browser's items, split after split. layout: pictures as tiles, texts, or rows of a table.

    items: {split: all of them}; shown: {split: those that are here}; named: how many because a finding names them.
    columns: attributes, the first two are split and label. listing: side file with names, contents and texts, one an
    item. sprites: the first for the items named (they come first in `cells`), then for the others; cells: the column
    of the number of each item's picture, counted through all sprites. relabel: what a new label may be: one class or
    number, all of several targets (classes that hold or do not, or numbers), or nothing. several: names of the targets.
    marks: of the patch that was applied, and what it did in a sentence (patched).
    """

    name: str
    kind: str
    layout: Layout
    fingerprint: str
    items: dict[str, int]
    shown: dict[str, int]
    named: int
    columns: tuple[Column, ...]
    numbers: str
    listing: str
    relabel: Relabel
    several: tuple[str, ...] = ()
    sprites: tuple[Sprites, ...] = ()
    cells: Column | None = None
    marks: tuple[Mark, ...] = ()
    patched: str = ""
    left_out: int = 0


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The side file of texts, one an item each. contents: hashes by which a patch knows items again.

    targets: of items with several all of them, apart by spaces.
    """

    names: tuple[str, ...]
    contents: tuple[str, ...]
    texts: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
