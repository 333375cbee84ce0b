"""Evidence of inspect-data: labels that simple models, which never saw the item, would not give it."""

from __future__ import annotations

import msgspec

from recipe.record.data import Item
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval
from recipe.record.scores import ItemScores


class SimpleModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of ours. about: what it is; weight: of its scores in the joint probabilities; accuracy: out of sample."""

    name: str
    about: str
    weight: float
    accuracy: float


class NoisySplit(msgspec.Struct, frozen=True, kw_only=True):
    """One split. rate: share of its labels that are wrong, evenly over classes and beyond what is ambiguous.

    total: with the pairs and runs that were found. candidates: items whose label is wrong with a probability of at
    least `listed_from`; expected: how many of these are, by the models. accuracy: of the models, against the labels as
    given; clean: against what the labels are believed to be; loss: in nats.
    """

    split: str
    items: int
    rate: Interval
    total: Interval
    candidates: int
    expected: float
    accuracy: Interval
    clean: float
    loss: float


class NoisyPair(msgspec.Struct, frozen=True, kw_only=True):
    """Items that look like `looks_like` and are labelled `given`: share of the former, where models are sure.

    nats: by how much likelier than the share that is let pass. items: that told.
    """

    looks_like: str
    given: str
    share: float
    nats: float
    items: int


class PairCount(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates by what they are labelled and what they look like; expected: wrong ones among them."""

    given: str
    looks_like: str
    items: int
    expected: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a source that follow each other and are wrong far more often than the rest. nats: of evidence for it."""

    origin: str
    first: int
    last: int
    items: int
    rate: float
    nats: float
    limit: float


class RankPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The `rank` most suspicious items: expected precision among them, and the probability at the rank itself."""

    rank: int
    precision: float
    probability: float


class LabelNoise(Evidence, frozen=True, kw_only=True):
    """D5. suspects: the most suspicious items, first. differ: nats by which rates of their own suit splits better.

    listed_from: least probability of a candidate. counts: of candidates by pair, most first. scores: of all items.
    """

    kind: str
    classes: tuple[str, ...]
    models: tuple[SimpleModel, ...]
    splits: tuple[NoisySplit, ...]
    differ: float
    listed_from: float
    pairs: tuple[NoisyPair, ...] = ()
    runs: tuple[Run, ...] = ()
    counts: tuple[PairCount, ...] = ()
    ranks: tuple[RankPoint, ...] = ()
    suspects: tuple[Item, ...] = ()
    scores: tuple[ItemScores, ...] = ()

    def of(self, split: str) -> NoisySplit | None:
        """One split's figures."""
        return next((one for one in self.splits if one.split == split), None)


class TargetNoise(Evidence, frozen=True, kw_only=True):
    """D5 for numbers. r2: of models out of sample. rate: share of targets that look drawn from all others at random.

    deviation: median of the expected deviation of a target from what models say; spread: of
    all targets, their deviation. scores: distance in expected
    deviations, and probability that the target is wrong.
    """

    models: tuple[SimpleModel, ...]
    items: dict[str, int]
    r2: float
    rate: Interval
    deviation: float
    spread: float
    runs: tuple[Run, ...] = ()
    suspects: tuple[Item, ...] = ()
    scores: tuple[ItemScores, ...] = ()
