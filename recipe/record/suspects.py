"""Which items a stage's evidence names: the walk through all its records for `Item` and `Twins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from recipe.record.data import Item, Twins
from recipe.record.evidence import Shelf
from recipe.record.plain import from_plain

_ITEM = frozenset(Item.__struct_fields__) - {"fine"}
_TWINS = frozenset(Twins.__struct_fields__)


class Suspects(msgspec.Struct, frozen=True, kw_only=True):
    """What one field of one record names. field: its path in the record, such as fences.farthest.

    sets: of twins each set, of single items a set of one each. fine: items or sets left out as marked so by a patch.
    """

    evidence: str
    field: str
    sets: tuple[tuple[Item, ...], ...]
    fine: int = 0

    @property
    def pairs(self) -> bool:
        """Whether items are to be seen side by side."""
        return any(len(items) > 1 for items in self.sets)


def suspects_on(shelf: Shelf) -> list[Suspects]:
    """All of a stage, in the order of the records' names and of their fields; fields that name nothing are left out."""
    found = []
    for name in shelf.names():
        entry = shelf.entry(name)
        found += suspects_in(name, entry.data if entry else None)
    return found


def suspects_in(evidence: str, data: Any) -> list[Suspects]:
    """Those of one record, as plain data. An item named twice by one field is listed once, with both notes."""
    by_field: dict[str, list[tuple[Item, ...]]] = {}
    for path, items in _walk(data, ()):
        by_field.setdefault(".".join(path), []).append(items)
    found = []
    for field, sets in by_field.items():
        # Twins are silent when a person has seen all of them.
        kept = [items for items in sets if not all(item.fine for item in items)]
        found.append(Suspects(evidence=evidence, field=field, sets=tuple(_once(kept)), fine=len(sets) - len(kept)))
    return found


def _walk(value: Any, field: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[Item, ...]]]:
    if isinstance(value, list):
        for one in value:
            yield from _walk(one, field)
    elif isinstance(value, dict):
        if _is_item(value):
            yield field, (_item(value),)
        elif _are_twins(value):
            yield field, tuple(map(_item, value["items"]))
        else:
            for key, one in value.items():
                yield from _walk(one, (*field, str(key)))


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() >= _ITEM


def _are_twins(value: dict[str, Any]) -> bool:
    # By all of its fields: other records have a list of items too, which do not belong side by side.
    return value.keys() == _TWINS and len(value["items"]) > 1 and all(map(_is_item, value["items"]))


def _item(value: dict[str, Any]) -> Item:
    """The item without the fields that a kind of its own may add."""
    return from_plain({key: value[key] for key in Item.__struct_fields__ if key in value}, Item)


def _once(sets: list[tuple[Item, ...]]) -> Iterator[tuple[Item, ...]]:
    notes: dict[tuple[tuple[str, str], ...], list[str]] = {}
    first: dict[tuple[tuple[str, str], ...], tuple[Item, ...]] = {}
    for items in sets:
        key = tuple((item.split, item.name) for item in items)
        first.setdefault(key, items)
        notes.setdefault(key, []).append(items[0].note)
    for key, items in first.items():
        note = "; ".join(dict.fromkeys(note for note in notes[key] if note))
        yield (msgspec.structs.replace(items[0], note=note), *items[1:])
