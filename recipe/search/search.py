"""The contract of a search: it is asked for changes and told how they went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from recipe.record.trial import Change


class Told(NamedTuple):
    """What a search learns of one trial. loss: lower is better whatever the metric; never infinite or not-a-number.

    loss is None when nothing finite is known (failed, or diverged before any trial finished). complete: trained to
    its end, so that losses compare; False for pruned trials.
    """

    loss: float | None
    complete: bool


class Search(Protocol):
    """Proposal i is a pure function of the seed, i, and what was told before it was asked for.

    So the number of workers, and where a run was interrupted, cannot change the search: the caller asks for a whole
    generation, has it run by whoever is there, and tells the results in the order in which they were asked for.
    No proposal repeats an earlier one.
    """

    def ask(self, count: int) -> list[Change]:
        """`count` new changes; fewer, or none, when nothing new is left in a discrete space."""

    def tell(self, results: Sequence[Told]) -> None:
        """The results of the oldest proposals that have none yet, in the order in which they were asked for."""
