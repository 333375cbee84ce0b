"""An append-only file of records, each with its length and checksum, one a line; a torn tail is cut on opening."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import msgspec

from recipe.record.files import append_bytes, truncate
from recipe.record.plain import to_plain


class Journal:
    """Records that survive a kill: what `append` returned from is there, what it did not is gone as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[Any] = []
        if path.exists():
            whole = self._read(path.read_bytes())
            if whole < path.stat().st_size:
                truncate(path, whole)

    def append(self, record: object) -> None:
        """Writes one record and flushes it to the disk."""
        plain = to_plain(record)
        body = msgspec.json.encode(plain)
        append_bytes(self.path, b"%08x %d %s\n" % (zlib.crc32(body), len(body), body))
        self.records.append(plain)

    def refresh(self) -> None:
        """Looks for records that others have added: here nobody can."""

    def _read(self, text: bytes) -> int:
        """Fills `records` up to the first damaged line; returns the length of the sound part in bytes."""
        sound = 0
        for line in text.splitlines(keepends=True):
            parts = line.rstrip(b"\n").split(b" ", 2)
            if not line.endswith(b"\n") or len(parts) != 3:
                break
            checksum, length, body = parts
            if checksum != b"%08x" % zlib.crc32(body) or length != b"%d" % len(body):
                break
            self.records.append(msgspec.json.decode(body))
            sound += len(line)
        return sound
