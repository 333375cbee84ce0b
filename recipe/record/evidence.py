"""Evidence: what a probe measured, as frozen records on disk, written the moment they are measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from recipe.record.files import make_folder, write_bytes, write_json
from recipe.record.plain import from_plain


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every evidence record: numbers and strings; big arrays and pictures are side files, named here."""


class Unmeasured(Evidence, frozen=True, kw_only=True):
    """Stands in the place of a record that could not be made; checks that need it are skipped with the reason."""

    reason: str


class CannotMeasure(Exception):  # noqa: N818 - a sentence where it is raised
    """Raised by a probe when the evidence cannot be had here; its text is the reason that the report prints."""


class Entry(msgspec.Struct, frozen=True):
    """A record as it lies on disk: what it is, how long it took in seconds, and its data (or why there is none)."""

    kind: str
    seconds: float
    data: Any


E = TypeVar("E", bound=Evidence)


class Shelf:
    """The evidence of one stage: `<folder>/<name>.json`, with side files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, record: Evidence, seconds: float = 0.0) -> None:
        """Writes the record whole, or not at all."""
        make_folder(self.folder)
        write_json(self.folder / f"{name}.json", Entry(type(record).__name__, round(seconds, 3), record))

    def get(self, name: str, kind: type[E]) -> E | Unmeasured | None:
        """The record; the reason why there is none; or None when nobody tried. Raises msgspec.ValidationError."""
        entry = self.entry(name)
        if entry is None:
            return None
        if entry.kind == Unmeasured.__name__:
            return from_plain(entry.data, Unmeasured)
        return from_plain(entry.data, kind)

    def found(self, name: str, kind: type[E]) -> E | None:
        """The record, or None when there is none, for whatever reason."""
        record = self.get(name, kind)
        return None if isinstance(record, Unmeasured) else record

    def entry(self, name: str) -> Entry | None:
        """The record with its cost, still as plain data."""
        path = self.folder / f"{name}.json"
        return msgspec.json.decode(path.read_bytes(), type=Entry) if path.exists() else None

    def names(self) -> list[str]:
        """What has been measured, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.json"))

    def put_side(self, name: str, data: bytes) -> str:
        """A side file (picture, array); returns the name by which a record refers to it."""
        make_folder(self.folder)
        write_bytes(self.folder / name, data)
        return name

    def side(self, name: str) -> Path:
        """The path of a side file. Names with a folder part are refused, so that no record reaches outside."""
        if Path(name).name != name:
            raise ValueError(f"a side file's name has no folder part: {name!r}")
        return self.folder / name
