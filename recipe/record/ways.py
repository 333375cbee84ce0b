"""How trials are run: in order, in worker processes, or stacked in one program; and why."""

from __future__ import annotations

from recipe.record.evidence import Evidence


class Way(Evidence, frozen=True, kw_only=True):
    """Trials that are alike but for their numbers. key: what they have in common, hashed; count: how many.

    in_order, processes, stacked: seconds for all of them each way, by a short measurement; None where none was made.
    reason: why they are stacked or not, for people.
    """

    key: str
    count: int
    stacked: bool
    reason: str
    in_order: float | None = None
    processes: float | None = None
    seconds: float | None = None
    trials: tuple[str, ...] = ()


class Ways(Evidence, frozen=True, kw_only=True):
    """What was decided so far; the same trials are run the same way when they are gone on with."""

    ways: tuple[Way, ...] = ()

    def find(self, key: str, count: int) -> Way | None:
        """What was decided for so many trials of this kind."""
        return next((way for way in self.ways if (way.key, way.count) == (key, count)), None)
