"""Why the training set is not fitted, and what the standard remedies did about it."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval
from recipe.record.trial import Change


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that a check named. told: its numbers."""

    name: str
    check: str
    told: str
    where: str = ""


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """One change, tried alone. loss: mean training loss of the last fifth of its runs; fit: steps to fit, None if not.

    seeds: on how many it was tried. better: on each of them it fits, or its loss is clearly below that without it.
    given: keys of the change that the user has fixed: what works is told then, not decided.
    """

    name: str
    cause: str
    change: Change
    expects: str
    trial: str
    loss: Interval
    fit: int | None
    val: float
    seeds: int
    better: bool
    why: str
    given: tuple[str, ...] = ()


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """What no change of the config can do: a line of the user's own code, or of the data."""

    cause: str
    text: str


class Remedies(Evidence, frozen=True, kw_only=True):
    """rung: the one that did not fit. loss: its own, on the seeds on which a remedy was confirmed. steps: of each run.

    kept: place in `tried` of the remedy that was confirmed. left: names of those that the plan had no room for.
    """

    rung: str
    causes: tuple[Cause, ...]
    loss: Interval
    steps: int
    tried: tuple[Remedy, ...]
    edits: tuple[Edit, ...] = ()
    kept: int | None = None
    left: tuple[str, ...] = ()

    @property
    def best(self) -> Remedy | None:
        """The one that was kept."""
        return None if self.kept is None else self.tried[self.kept]
