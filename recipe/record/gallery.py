"""Evidence of the self-test: what each exhibit of the gallery made the checks say."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """A check that spoke. verdict: warn or fail."""

    check: str
    verdict: str
    cause: str
    message: str


class Showing(Evidence, frozen=True, kw_only=True):
    """One exhibit on one host with one seed. causes: those that are right (none: it is healthy).

    refused: the message with which the command declined to run it. alarms: of all its stages.
    """

    number: str
    name: str
    host: str
    seed: int
    causes: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    refused: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.causes

    @property
    def right(self) -> bool:
        """Whether a right cause was named."""
        return any(alarm.cause in self.causes for alarm in self.alarms) or bool(
            self.refused and "refused" in self.causes
        )

    def caught(self, usual: frozenset[str]) -> bool:
        """Whether a check spoke that is silent (`usual` are those that are not) on the healthy twin."""
        return bool(self.refused) or any(alarm.check not in usual for alarm in self.alarms)


class Gallery(Evidence, frozen=True, kw_only=True):
    """All showings, faults and healthy setups."""

    showings: tuple[Showing, ...]

    @property
    def faults(self) -> list[Showing]:
        """Those with something wrong."""
        return [one for one in self.showings if not one.healthy]

    @property
    def healthy(self) -> list[Showing]:
        """Those with nothing wrong."""
        return [one for one in self.showings if one.healthy]

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
