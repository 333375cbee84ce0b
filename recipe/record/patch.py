"""The patch file: what a person marked in the data browser, to be applied without touching the originals."""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA = 1


class Mark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item and what is to be done with it. name: its id, or where the source has it, such as train[17].

    content: hash of its content when it was marked; empty: it is known by its name alone. label: its new class or
    number; of an item with several targets a list of all of them, or of the names of those that hold. was: the old one.
    split: where it was seen, for people. fine: not to be suspected again.
    """

    name: str
    do: Literal["drop", "relabel", "fine"]
    content: str = ""
    label: str | int | float | tuple[str | bool | int | float, ...] | None = None
    was: str = ""
    split: str = ""


class Patch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A patch file, in JSON or YAML. data: the data set's name, for people. fingerprint: of the data without patch."""

    schema: Literal[1]
    marks: tuple[Mark, ...]
    data: str = ""
    fingerprint: str = ""


class Patched(msgspec.Struct, frozen=True, kw_only=True):
    """What a patch did. origin: fingerprint of the data without it. missing: marked items that are not there."""

    file: str
    origin: str
    marks: tuple[Mark, ...]
    dropped: int = 0
    relabelled: int = 0
    fine: int = 0
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The sentence that every report has."""
        counts = {"dropped": self.dropped, "relabelled": self.relabelled, "marked fine": self.fine}
        told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to do"
        named = f" ({', '.join(self.missing[:3])}{', …' if len(self.missing) > 3 else ''})"
        lost = f", {len(self.missing):,} not found{named}" if self.missing else ""
        return f"patch {self.file}: {told}{lost}."
