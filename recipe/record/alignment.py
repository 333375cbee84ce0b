"""Evidence of inspect-data: whether labels go with their inputs, and mean the same in every split."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class Follows(msgspec.Struct, frozen=True, kw_only=True):
    """How far the targets of one split follow from its inputs, told by models learnt from `source` (its own: folds).

    skill: Cohen's kappa of balanced guesses with the labels, or the correlation with numbers; 0 is chance. z: of the
    labels' scores against all pairings of these labels with these items, in deviations. sure: mean top probability.
    """

    split: str
    source: str
    items: int
    skill: Interval
    z: float
    sure: float | None = None


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A class whose items look like another class of train. as_is, mapped: how often each is what models say."""

    label: str
    looks_like: str
    items: int
    as_is: float
    mapped: float


class ClassMap(msgspec.Struct, frozen=True, kw_only=True):
    """The likeliest reading of one split's labels in train's terms. nats: by how much likelier than as they stand.

    as_is, mapped: agreement with models learnt from train, before and after; own: that of train in folds.
    """

    split: str
    items: int
    nats: float
    as_is: float
    mapped: float
    own: float
    moved: tuple[Moved, ...] = ()


class Alignment(Evidence, frozen=True, kw_only=True):
    """D5. kind: of the data. numbers: targets are such. models: what was learnt. origins: the file a split is from."""

    kind: str
    numbers: bool
    models: tuple[str, ...]
    follows: tuple[Follows, ...]
    maps: tuple[ClassMap, ...] = ()
    origins: dict[str, str] = msgspec.field(default_factory=dict)

    def of(self, split: str, source: str | None = None) -> Follows | None:
        """What models learnt from `source` (the split itself where it is left out) say of a split."""
        return next((f for f in self.follows if f.split == split and f.source == (source or split)), None)
