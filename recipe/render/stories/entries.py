"""A part of a story as a list of entries: one record, what it is called, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from recipe.record.evidence import Evidence, Shelf, Unmeasured
from recipe.render.blocks import Block, missing


class Entry(NamedTuple):
    """evidence: its name on the shelf. title: what it is called where it could not be had."""

    evidence: str
    kind: type[Evidence]
    title: str
    draw: Callable[[Any], list[Block]]


def drawn(shelf: Shelf, entries: tuple[Entry, ...]) -> Iterator[Block]:
    """The blocks of what was measured; a note where it was tried in vain; nothing where nobody asked for it."""
    for one in entries:
        record = shelf.get(one.evidence, one.kind)
        if isinstance(record, Unmeasured):
            yield missing(f"{one.title} was not measured", record)
        elif record is not None:
            yield from one.draw(record)
