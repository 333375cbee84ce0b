"""Evidence of inspect-data: Karpathy's questions about the inputs, each answered by simple probes."""

from __future__ import annotations

import msgspec

from recipe.record.data import Item
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval

MATTERS = 0.01
"""A change of the score below which it does not matter how inputs are shown: a point of accuracy."""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs shown in one way. at: pixels, words, columns … (0: no such size). score: on val.

    change: of the score, item by item, from the question's reference to this way.
    """

    name: str
    at: float
    score: Interval
    change: Interval


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """ways: in order, the first is the reference unless `reference` names another. probe: what was fitted."""

    name: str
    asked: str
    probe: str
    ways: tuple[Way, ...]
    reference: str = ""

    @property
    def base(self) -> Way:
        """The way that the others are compared with."""
        return next((way for way in self.ways if way.name == self.reference), self.ways[0])

    @property
    def best(self) -> Way:
        """The way with the highest score."""
        return max(self.ways, key=lambda way: way.score.mean)

    def way(self, name: str) -> Way | None:
        """One way by name."""
        return next((way for way in self.ways if way.name == name), None)

    def least(self, loss: float = MATTERS) -> Way:
        """The smallest way that costs no more than `loss` of the score, and no larger one of which costs more."""
        found = self.base
        for way in sorted(self.ways, key=lambda w: -w.at):
            if way.at > self.base.at:
                continue
            if way.change.mean < -loss:
                break
            found = way
        return found


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Val items changed a little. change: of the score of a probe that learnt from unchanged ones.

    neighbours: share of items whose nearest training item has another label than before the change.
    """

    name: str
    change: Interval
    neighbours: float


class Disputed(msgspec.Struct, frozen=True, kw_only=True):
    """What the labels allow. given: the items left out were named by the evidence of label noise; else every probe
    disputes their label. share: of the scored items that were left out; score: of the best way, on the others;
    before: on all. gain: of leaving them out of training too, on those others (None: nothing was left out of it).
    """

    given: bool
    share: Interval
    score: Interval
    before: Interval
    way: str
    gain: Interval | None = None
    items: tuple[Item, ...] = ()


class Questions(Evidence, frozen=True, kw_only=True):
    """D7. metric, chance: what is scored, and what a blind guess gets. shape: of an item as it was shown.

    original: its shape as the source has it. explained: share of the inputs' variance that lies between the classes.
    """

    kind: str
    metric: str
    chance: float
    train_items: int
    val_items: int
    shape: tuple[int, ...]
    original: tuple[int, ...]
    questions: tuple[Question, ...]
    moves: tuple[Move, ...] = ()
    explained: float | None = None
    disputed: Disputed | None = None

    def of(self, name: str) -> Question | None:
        """One question by name."""
        return next((one for one in self.questions if one.name == name), None)

    @property
    def best(self) -> Way:
        """The highest score of all."""
        return max((one.best for one in self.questions), key=lambda way: way.score.mean)


def tells(change: Interval, matters: float = MATTERS) -> str:
    """What an interval of a change says: "less" or "more" (for sure, and enough to matter), "same" or "open"."""
    if change.high < 0 and change.mean <= -matters:
        return "less"
    if change.low > 0 and change.mean >= matters:
        return "more"
    return "same" if abs(change.mean) < matters and change.high - change.low < 4 * matters else "open"
