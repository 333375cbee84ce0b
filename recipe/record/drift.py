"""Evidence of D8: whether splits agree in attributes, layout, values, difficulty and order."""

from __future__ import annotations

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class AttributeDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute over the splits. shares: of items between the edges. distance: Kolmogorov's to train.

    critical: the distance that chance alone exceeds for one of all attributes once in a thousand. weighted: the same as
    distance with train's items weighted so that targets are mixed as in the split.
    """

    attribute: str
    edges: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]
    mean: dict[str, float]
    distance: dict[str, float]
    critical: dict[str, float]
    weighted: dict[str, float] = msgspec.field(default_factory=dict)


class Drift(Evidence, frozen=True, kw_only=True):
    """D8, first part: whether val and test look like train, by attribute. varies: train is augmented as it is read."""

    attributes: tuple[AttributeDrift, ...]
    varies: bool = False


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """How well items of a split are told from train's. auc: by lines or by trees, whichever is better, out of sample.

    curve: (false alarms, hits) along the ROC curve. drivers: what tells most, with the AUC of it alone. mixed: train's
    items were drawn so that targets are mixed as in the split, because they differ. affine: (a, b) of the line a·x + b
    that gives the split's numbers train's mean and deviation, and what the AUC is after it (None: not asked).
    """

    split: str
    items: int
    auc: Interval
    how: str
    curve: tuple[tuple[float, float], ...] = ()
    drivers: tuple[tuple[str, float], ...] = ()
    mixed: bool = False
    affine: tuple[float, float] | None = None
    after: Interval | None = None


class SplitsApart(Evidence, frozen=True, kw_only=True):
    """D8: a two-sample classifier for each split against train."""

    splits: tuple[Apart, ...]
    varies: bool = False
    time: bool = False


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """One way to turn pictures of a split back. gain: by how much an item's likelihood under train rises by it, in nats

    a number; held_out: the same for items of train that the likelihood was not fitted on. left: how far the split's
    likelihood is below that of those after it; before: as it is.
    """

    split: str
    way: str
    gain: Interval
    held_out: Interval
    before: float
    left: float


class SplitLayout(Evidence, frozen=True, kw_only=True):
    """D8: whether a split's pictures are turned, mirrored, inverted or have their channels in another order."""

    tried: int
    items: dict[str, int]
    found: tuple[Undone, ...]
    columns: dict[str, tuple[tuple[str, str], ...]] = msgspec.field(default_factory=dict)


class Difficulty(Evidence, frozen=True, kw_only=True):
    """D8: a simple model fitted on part of train, scored on the rest of train and on val (never on test).

    For classes the share predicted right, for numbers the share of the squared error removed. difference: val minus the
    rest of train, the rest weighted to val's mix of classes.
    """

    model: str
    fitted: int
    rest: Interval
    val: Interval
    difference: Interval
    chance: float


class OrderEffects(Evidence, frozen=True, kw_only=True):
    """D8: whether rows that lie together are alike, within each class, and what that does to a random split.

    nearer: how often the nearest neighbour (of the same class) lies nearer in the file than a random one does, 0.5: as
    often as not; critical: what chance exceeds once in a hundred. shuffled: what neighbours tell of the target when
    they may come from anywhere; blocks: when rows near in the file are left out; lost: the difference, over items.
    drift: AUC of telling the first half of each class from the last. random: train and val were drawn at random from
    the same rows. time: name of what orders the items. later: share of val (test) no earlier than the last of train.
    """

    items: int
    nearer: float
    critical: float
    shuffled: Interval | None = None
    blocks: Interval | None = None
    lost: Interval | None = None
    drift: Interval | None = None
    random: bool = False
    time: str = ""
    later: dict[str, float] = msgspec.field(default_factory=dict)


class PositionSplit(Evidence, frozen=True, kw_only=True):
    """D26: whether a file sorted by target was cut in two. sorted: share of neighbours with equal targets, in train.

    below: chance that an item of train comes before one of val in the order of targets; 1: all do. shift: how far the
    targets of the two are apart (total variation, or Kolmogorov's distance).
    """

    sorted: float
    expected: float
    below: float
    shift: float
    items: int
