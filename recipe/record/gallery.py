"""Evidence of the self-test: what was measured of each exhibit of the gallery, and what it made the checks say."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec

from recipe.record.evidence import Entry, Evidence, Shelf
from recipe.record.files import make_folder, write_bytes


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A check that spoke. verdict: warn or fail."""

    check: str
    verdict: str
    cause: str
    message: str


class Showing(Evidence, frozen=True, kw_only=True):
    """One exhibit on one host with one seed. causes: those that are right (none: it is healthy).

    refused: the message with which the command declined to run it. broke: the error that ended it, which is a fault of
    ours. alarms: of all its stages. seconds: of processor time. code: fingerprint of what measured it.
    """

    number: str
    name: str
    host: str
    seed: int
    causes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    refused: str = ""
    broke: str = ""
    seconds: float = 0.0
    code: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.causes

    @property
    def right(self) -> bool:
        """Whether a right cause was named."""
        named = any(alarm.cause in self.causes for alarm in self.alarms)
        return not self.broke and (named or bool(self.refused and "refused" in self.causes))

    def caught(self, usual: frozenset[str]) -> bool:
        """Whether a check spoke that is silent (`usual` are those that are not) on the healthy twin."""
        return bool(self.refused) or any(alarm.check not in usual for alarm in self.alarms)


class Kept(Evidence, frozen=True, kw_only=True):
    """All that was measured in one showing, so that it can be judged again elsewhere and later.

    words: of the command lines, by stage. evidence: {stage: {name: entry}}, without side files, which no check reads.
    refused: {stage: message}. seconds: of processor time. code: fingerprint of the code that measured.
    """

    words: dict[str, tuple[str, ...]]
    evidence: dict[str, dict[str, Entry]]
    refused: dict[str, str]
    seconds: float = 0.0
    code: str = ""


class KeptShelf(Shelf):
    """The evidence of one stage of a showing, read from its record."""

    def __init__(self, kept: Kept, stage: str) -> None:
        super().__init__(Path())
        self._entries = kept.evidence.get(stage, {})

    def entry(self, name: str) -> Entry | None:
        """The record with its cost, still as plain data."""
        return self._entries.get(name)

    def names(self) -> list[str]:
        """What has been measured, sorted."""
        return sorted(self._entries)


class Archive:
    """A folder with a file for each showing. Those of several machines are one archive when they lie in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Kept | None:
        """What was kept under that name; None where there is nothing, or nothing that can be read."""
        file = self.folder / f"{name}.json.gz"
        try:
            return msgspec.json.decode(gzip.decompress(file.read_bytes()), type=Kept)
        except (OSError, EOFError, msgspec.MsgspecError):
            return None

    def put(self, name: str, kept: Kept) -> None:
        """Writes it whole, or not at all; the same record gives the same bytes."""
        make_folder(self.folder)
        write_bytes(self.folder / f"{name}.json.gz", gzip.compress(msgspec.json.encode(kept), mtime=0))

    def trace_of(self, name: str) -> Path:
        """Where the traceback of a showing that broke stands."""
        return self.folder / f"{name}.traceback.txt"


class Gallery(Evidence, frozen=True, kw_only=True):
    """All showings, faults and healthy setups. left: how many were not made for lack of time. code: as of now."""

    showings: tuple[Showing, ...]
    left: int = 0
    code: str = ""

    @property
    def faults(self) -> list[Showing]:
        """Those with something wrong."""
        return [one for one in self.showings if not one.healthy]

    @property
    def healthy(self) -> list[Showing]:
        """Those with nothing wrong."""
        return [one for one in self.showings if one.healthy]

    @property
    def stale(self) -> list[Showing]:
        """Those that other code measured."""
        return [one for one in self.showings if one.code != self.code]

    def usual(self, host: str, seed: int) -> frozenset[str]:
        """The checks that speak on the host as it is."""
        twins = [one for one in self.healthy if (one.number, one.host, one.seed) == ("H00", host, seed)]
        return frozenset(alarm.check for one in twins for alarm in one.alarms)

    def caught(self, one: Showing) -> bool:
        """Whether the fault was noticed at all."""
        return one.caught(self.usual(one.host, one.seed))


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What another tool said of one showing. applies: whether it can be asked about it; checks: that spoke."""

    tool: str
    number: str
    host: str
    seed: int
    applies: bool
    checks: tuple[str, ...] = ()
    right: bool = False
    said: str = ""


class Peers(Evidence, frozen=True, kw_only=True):
    """Other tools on the same faults. versions: {tool: version}."""

    versions: dict[str, str]
    said: tuple[Peer, ...]

    def caught(self, one: Peer) -> bool:
        """Whether a check spoke that is silent on the host as it is, by the same tool."""
        twins = [t for t in self.said if (t.tool, t.number, t.host, t.seed) == (one.tool, "H00", one.host, one.seed)]
        return bool(set(one.checks) - {check for twin in twins for check in twin.checks})
