"""What the baseline sees of the way from a stored item to the net: transforms, augmentation, the sampler, the batch."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.features import Sheet
from recipe.record.interval import Interval


class Transforms(Evidence, frozen=True, kw_only=True):
    """The same training items, fetched as training fetches them.

    train, val: what is configured, by name. changed: share of items that training changes at all.
    by_epoch: share of the changed ones that differ from one epoch to the next. by_item: share of different results when
    the same input stands in many places (None: the items cannot be exchanged). again: the same item of the same epoch
    is the same when it is fetched again. reseeded: what the transforms called that sets a seed, or makes a generator.
    stored_changed: the stored items are not what they were before. like_val: the changed items are what evaluation
    would make of them.
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    items: int
    changed: float
    by_epoch: float
    by_item: float | None
    again: bool
    reseeded: tuple[str, ...] = ()
    stored_changed: bool = False
    like_val: bool = False


class LostClass(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a class that augmentation turns into what looks like another. plain: the same before augmentation."""

    label: str
    like: str
    share: Interval
    plain: float
    items: int


class Augmented(Evidence, frozen=True, kw_only=True):
    """What augmentation leaves to be learnt: simple probes on plain and on augmented items.

    plain: accuracy of a probe that learnt plain items, on plain ones held out; augmented: of one that learnt augmented
    items, on augmented ones. lost: classes whose augmented items have the neighbours of another class, as near as its
    own items lie, most lost first.
    """

    probe: str
    items: int
    chance: float
    plain: Interval
    augmented: Interval
    lost: tuple[LostClass, ...] = ()


class Sampling(Evidence, frozen=True, kw_only=True):
    """Which items the first epochs visit. seen: different ones after each epoch; drawn: positions in an epoch."""

    sampler: str
    items: int
    drawn: int
    seen: tuple[int, ...]
    most_often: int
    shuffled: bool


class Reaches(msgspec.Struct, frozen=True, kw_only=True):
    """One batch as it reaches `model(x)`. what: the split, and whether augmented. leaf: of a tree of inputs."""

    what: str
    leaf: str
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    std: float
    layout: str


class JustBefore(Evidence, frozen=True, kw_only=True):
    """B11: the exact tensors just before the net, decoded. rows: what a person reads where there are no pictures."""

    reaches: tuple[Reaches, ...]
    sheet: Sheet | None = None
    rows: tuple[tuple[str, ...], ...] = ()
