"""One idea: a change with what is expected of it."""

from __future__ import annotations

from typing import NamedTuple

from recipe.record.trial import Change


class Proposal(NamedTuple):
    """kind: its row of the recipe in a word. promise: of those for which a budget has no room the highest go first.

    cost: of one training, as a multiple of the reference's, before it is measured. comparable: its validation loss
    means the same as the reference's. removes: it takes away what is switched on.
    """

    name: str
    change: Change
    expects: str
    kind: str = ""
    promise: int = 5
    cost: float = 1.0
    comparable: bool = True
    removes: bool = False

    @property
    def averages(self) -> bool:
        """Whether it leaves the training as it is, and only takes averaged weights in the end."""
        return list(self.change) == ["regularizers.ema"] and not self.removes
