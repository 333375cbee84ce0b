"""D3, exact: items with the same decoded content, within splits and across, with one label or several; the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recipe.data.data import Data, Split
from recipe.data.scan import Scan, SplitScan
from recipe.record.data import Across, Ceiling, Duplicates, Groups, SharedGroups, Twins
from recipe.record.evidence import CannotMeasure

LISTED = 24


class Places(NamedTuple):
    """All readable items that are not blank, split after split: (N) each. content, label: numbered from 0."""

    split: np.ndarray
    item: np.ndarray
    content: np.ndarray
    label: np.ndarray


def measure_duplicates(scan: Scan) -> Duplicates:
    """Compares the contents of all items of all splits."""
    splits = list(scan.splits.values())
    places = _places(splits)
    size = np.bincount(places.content)
    within = {s.split.name: _repeated(places, k) for k, s in enumerate(splits)}
    mixed = _mixed(places) if scan.data.labelled else np.zeros(len(size), dtype=bool)
    across, both = [], np.zeros(len(size), dtype=bool)
    for k, one in enumerate(splits):
        for j, other in enumerate(splits[:k]):
            shared = _has(places, k, len(size)) & _has(places, j, len(size))
            items = int(shared[places.content[places.split == k]].sum())
            share = items / max(1, len(one.positions))
            across.append(Across(split=one.split.name, other=other.split.name, items=items, share=share))
            both |= shared
    conflicting = {s.split.name: int(mixed[places.content[places.split == k]].sum()) for k, s in enumerate(splits)}
    rest = (size > 1) & ~both & ~mixed
    return Duplicates(
        kind=scan.data.kind,
        items={s.split.name: len(s.positions) for s in splits},
        repeated=within,
        extra={s.split.name: _extra(places, k) for k, s in enumerate(splits)},
        across=tuple(across),
        conflicting=conflicting,
        across_twins=_twins(places, np.flatnonzero(both), splits),
        conflict_twins=_twins(places, np.flatnonzero(mixed), splits),
        within_twins=_twins(places, np.flatnonzero(rest), splits),
    )


def measure_ceiling(scan: Scan) -> Ceiling:
    """How well the training set can be fitted at most, given items with equal inputs and unequal targets."""
    one = scan.splits["train"]
    _, content = np.unique(one.contents, return_inverse=True)
    targets = one.targets
    if scan.data.without_label:
        raise CannotMeasure(scan.data.without_label)
    if targets.ndim > 1:
        raise CannotMeasure("several targets an item")
    if not scan.data.labelled:
        return _ceiling_of_numbers(content, targets.astype(np.float64))
    pairs, counts = np.unique(np.stack([content, targets.astype(np.int64)]), axis=1, return_counts=True)
    total, best = np.bincount(content), np.zeros(content.max() + 1)
    np.maximum.at(best, pairs[0], counts)
    loss = -(counts * np.log(counts / total[pairs[0]])).sum() / len(content)
    torn = total > best
    return Ceiling(items=int(total[torn].sum()), accuracy=float(best.sum() / len(content)), loss=float(max(0.0, loss)))


def measure_groups(data: Data) -> Groups:
    """Which groups straddle splits. CannotMeasure when the data have none."""
    splits = [s for s in (data.train, data.val, data.compare_test()) if s is not None and s.groups is not None]
    if not splits:
        raise CannotMeasure("the data name no groups")
    return Groups(
        groups={s.name: len(set(_names(s))) for s in splits},
        shared=tuple(
            shared
            for k, one in enumerate(splits)
            for other in splits[:k]
            if (shared := _shared(one, other)) is not None
        ),
    )


def _names(split: Split) -> list[str]:
    assert split.groups is not None
    return [str(v) for v in split.groups.tolist()]


def _shared(one: Split, other: Split) -> SharedGroups | None:
    both = set(_names(one)) & set(_names(other))
    if not both:
        return None
    items = sum(name in both for name in _names(one))
    return SharedGroups(
        split=one.name, other=other.name, groups=len(both), items=items, examples=tuple(sorted(both)[:5])
    )


def _ceiling_of_numbers(content: np.ndarray, targets: np.ndarray) -> Ceiling:
    count = np.bincount(content)
    mean = np.bincount(content, targets) / count
    left = (targets - mean[content]) ** 2
    spread = float(((targets - targets.mean()) ** 2).mean())
    torn = np.bincount(content, left) > 1e-12 * max(spread, 1e-30)
    return Ceiling(items=int(count[torn].sum()), mse=float(left.mean()), r2=1 - float(left.mean()) / max(spread, 1e-30))


def _places(splits: Sequence[SplitScan]) -> Places:
    kept = [np.flatnonzero(~one.blank) for one in splits]
    contents = np.concatenate([one.contents[k] for one, k in zip(splits, kept, strict=True)])
    labels = [one.targets.reshape(len(one.targets), -1)[k, 0] for one, k in zip(splits, kept, strict=True)]
    return Places(
        split=np.repeat(np.arange(len(splits)), [len(k) for k in kept]),
        item=np.concatenate(kept),
        content=np.unique(contents, return_inverse=True)[1],
        label=np.unique(np.concatenate(labels), return_inverse=True)[1],
    )


def _has(places: Places, split: int, contents: int) -> np.ndarray:
    """bool (contents): which contents occur in a split."""
    found = np.zeros(contents, dtype=bool)
    found[places.content[places.split == split]] = True
    return found


def _repeated(places: Places, split: int) -> float:
    own = places.content[places.split == split]
    return float((np.bincount(own)[own] > 1).mean()) if len(own) else 0.0


def _extra(places: Places, split: int) -> int:
    own = places.content[places.split == split]
    return len(own) - len(np.unique(own))


def _mixed(places: Places) -> np.ndarray:
    """bool (contents): contents that carry more than one label."""
    low = np.full(places.content.max() + 1, np.iinfo(np.int64).max)
    high = np.full(places.content.max() + 1, -1)
    np.minimum.at(low, places.content, places.label)
    np.maximum.at(high, places.content, places.label)
    return np.asarray(low < high)


def _twins(places: Places, contents: np.ndarray, splits: Sequence[SplitScan]) -> tuple[Twins, ...]:
    """The first contents, each with its first few items, and one at least of every split it is in."""
    found = []
    for content in contents[:LISTED].tolist():
        members = np.flatnonzero(places.content == content)
        first = np.unique(places.split[members], return_index=True)[1].tolist()
        chosen = [int(members[k]) for k in dict.fromkeys([*first, *range(min(4, len(members)))])][:6]
        found.append(Twins(items=tuple(splits[places.split[k]].item(int(places.item[k])) for k in chosen)))
    return tuple(found)
