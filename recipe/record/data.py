"""Evidence of inspect-data: what was read, how targets lie, what repeats, stands out, or differs between splits."""

from __future__ import annotations

import math

import msgspec

from recipe.record.evidence import Evidence


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item that a finding names. name: its id, path or position; note: why; label: its class or target.

    position: in its split (-1: it is not in it, because it could not be read). fine: a person marked it so in a patch.
    """

    split: str
    name: str
    note: str = ""
    label: str = ""
    position: int = -1
    fine: bool = False


class SplitReading(msgspec.Struct, frozen=True, kw_only=True):
    """One split, every item read once. low … std: over all finite numbers, as the source gives them.

    items: those that could be read. contents: different ones among them. values: different numbers (None: above 256).
    whole: all numbers are whole. repeats: reading an item again gives the same bytes. blank, non_finite: how many.
    """

    split: str
    items: int
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    std: float
    whole: bool
    values: int | None
    contents: int
    blank: int
    non_finite: int
    repeats: bool = True


class Reading(Evidence, frozen=True, kw_only=True):
    """D1. unreadable, odd, noted, non_finite, blank: the items themselves, the first 200 of each.

    odd: read with a caveat; noted: with one that costs nothing. counts: {kind: all of them}, which `listed` (a side
    file, "" where there are none) lists one a row.
    """

    kind: str
    splits: tuple[SplitReading, ...]
    max_unreadable: int = 0
    unreadable: tuple[Item, ...] = ()
    odd: tuple[Item, ...] = ()
    noted: tuple[Item, ...] = ()
    non_finite: tuple[Item, ...] = ()
    blank: tuple[Item, ...] = ()
    counts: dict[str, int] = msgspec.field(default_factory=dict)
    listed: str = ""

    def count(self, kind: str) -> int:
        """How many items of a kind there are, listed here or not."""
        return self.counts.get(kind, len(getattr(self, kind)))

    def of(self, split: str) -> SplitReading | None:
        """One split's reading."""
        return next((one for one in self.splits if one.split == split), None)


class Source(Evidence, frozen=True, kw_only=True):
    """Fingerprints of the data as loaded twice by the user's own code (target)."""

    target: str
    first: str
    second: str


class LabelCounts(msgspec.Struct, frozen=True, kw_only=True):
    """counts: items of each class. shift: total variation distance to train; p: chance of a larger one by drawing.

    once: the distance to train where each of its contents counts once.
    """

    split: str
    items: int
    counts: tuple[int, ...]
    shift: float = 0.0
    p: float = 1.0
    once: float | None = None


class Balance(Evidence, frozen=True, kw_only=True):
    """D2 for classes. several: an item may have several labels. renamed: {another spelling: class it was taken for}.

    alike: classes that differ by case, space or a trailing dot only, and were not taken for one: train has them all.
    """

    classes: tuple[str, ...]
    splits: tuple[LabelCounts, ...]
    several: bool = False
    renamed: dict[str, str] = msgspec.field(default_factory=dict)
    alike: tuple[tuple[str, ...], ...] = ()

    def of(self, split: str) -> LabelCounts | None:
        """One split's counts."""
        return next((one for one in self.splits if one.split == split), None)

    @property
    def present(self) -> list[int]:
        """Counts in train of the classes that have any there."""
        return [count for count in self.splits[0].counts if count]

    @property
    def smallest(self) -> float:
        """Share of the rarest class, with 1 / K as the unit (Datalab: below 0.1 is an issue)."""
        return min(self.present) * len(self.present) / sum(self.present)

    @property
    def ratio(self) -> float:
        """Largest class over smallest (SageMaker: above 10 is an issue)."""
        return max(self.present) / min(self.present)

    @property
    def evenness(self) -> float:
        """(exp(entropy) - 1) / (K - 1): 1 is even; the measure that no single rare class decides (TheDeepChecker)."""
        shares = [count / sum(self.present) for count in self.present]
        if len(shares) < 2:
            return 0.0
        return (math.exp(-sum(p * math.log(p) for p in shares)) - 1) / (len(shares) - 1)


class Spike(msgspec.Struct, frozen=True, kw_only=True):
    """One value that very many targets have. place: "highest", "lowest" or "" for one in between."""

    value: float
    items: int
    share: float
    place: str


class TargetCounts(msgspec.Struct, frozen=True, kw_only=True):
    """counts between the shared edges. quantiles: at 0, 5, 25, 50, 75, 95, 100 %. shift: Kolmogorov's to train."""

    split: str
    items: int
    counts: tuple[int, ...]
    mean: float
    std: float
    quantiles: tuple[float, ...]
    shift: float = 0.0
    p: float = 1.0


class TargetSpread(Evidence, frozen=True, kw_only=True):
    """D2 for numbers (of several targets: the first)."""

    edges: tuple[float, ...]
    splits: tuple[TargetCounts, ...]
    different: int
    spikes: tuple[Spike, ...] = ()


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Items with the same content."""

    items: tuple[Item, ...]


class Across(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of `split` are also in `other`."""

    split: str
    other: str
    items: int
    share: float


class Duplicates(Evidence, frozen=True, kw_only=True):
    """D3, exact: items whose decoded content is the same; blank items are left to their own check.

    repeated: {split: share of items that have a twin in it}. extra: {split: items that repeat an earlier one of it}.
    conflicting: {split: items whose content also carries another label}. across_twins …: the first of each kind.
    """

    kind: str
    items: dict[str, int]
    repeated: dict[str, float]
    extra: dict[str, int]
    across: tuple[Across, ...]
    conflicting: dict[str, int]
    across_twins: tuple[Twins, ...] = ()
    conflict_twins: tuple[Twins, ...] = ()
    within_twins: tuple[Twins, ...] = ()


class Ceiling(Evidence, frozen=True, kw_only=True):
    """What no model can exceed on train, because equal inputs have unequal targets.

    accuracy: of the best label for each content; loss: lowest mean cross-entropy in nats. For numbers: r2 and the mean
    squared error left, by predicting each content's mean. items: those in conflict.
    """

    items: int
    accuracy: float | None = None
    loss: float | None = None
    r2: float | None = None
    mse: float | None = None


class SharedGroups(msgspec.Struct, frozen=True, kw_only=True):
    """Groups that two splits have in common."""

    split: str
    other: str
    groups: int
    items: int
    examples: tuple[str, ...]


class Groups(Evidence, frozen=True, kw_only=True):
    """Groups in each split, and those that straddle."""

    groups: dict[str, int]
    shared: tuple[SharedGroups, ...] = ()


class LabelOrder(Evidence, frozen=True, kw_only=True):
    """Whether the source's rows are sorted by label. same: share of neighbours with equal labels; expected: if drawn.

    shuffled: what train.shuffle says.
    """

    same: float
    expected: float
    items: int
    shuffled: bool


class ValSize(Evidence, frozen=True, kw_only=True):
    """half: half the width of the 95 % interval of an accuracy of 0.9 on val's items. classes: None for numbers."""

    items: int
    half: float
    classes: int | None = None
