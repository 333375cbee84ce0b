"""D2: how targets lie: counts of classes, or the distribution of numbers, and whether splits agree on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from recipe.data.data import Data, Split
from recipe.data.scan import Scan, SplitScan
from recipe.data.targets import plain_name
from recipe.record.data import Balance, LabelCounts, Spike, TargetCounts, TargetSpread
from recipe.record.evidence import CannotMeasure

BINS = 40
SPIKE = 0.01
"""A value of more than this share of otherwise spread-out targets is a spike."""
QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


def measure_balance(data: Data, scan: Scan) -> Balance:
    """Counts of each class in each split. CannotMeasure when targets are numbers, or there are none."""
    if data.without_label:
        raise CannotMeasure(data.without_label)
    if data.classes is None and not _are_flags(data):
        raise CannotMeasure("targets are numbers, not classes")
    splits = _splits(data)
    several = data.train.targets.ndim > 1
    names = data.classes or tuple(str(k) for k in range(data.train.targets.shape[1] if several else 2))
    counts = {name: _counts(split.targets, len(names), several) for name, split in splits.items()}
    each = _each_once(scan.splits["train"])
    once = _counts(data.train.targets[each], len(names), several) if each is not None else None
    return Balance(
        classes=names,
        splits=tuple(
            LabelCounts(
                split=name,
                items=len(splits[name]),
                counts=tuple(c.tolist()),
                once=_shift(once, c).get("shift") if once is not None else None,
                **_shift(counts["train"], c),
            )
            for name, c in counts.items()
        ),
        several=several,
        renamed=dict(data.renamed),
        alike=_alike(names),
    )


def measure_target_spread(data: Data) -> TargetSpread:
    """The distribution of numeric targets in each split. CannotMeasure when targets are classes, or there are none."""
    if data.without_label:
        raise CannotMeasure(data.without_label)
    if data.classes is not None or _are_flags(data):
        raise CannotMeasure("targets are classes, not numbers")
    values = {name: _first(split) for name, split in _splits(data).items()}
    whole = np.concatenate(list(values.values()))
    edges = np.linspace(whole.min(), max(whole.max(), whole.min() + 1e-9), BINS + 1)
    train = values["train"]
    return TargetSpread(
        edges=tuple(edges.tolist()),
        splits=tuple(_summary(name, v, train, edges) for name, v in values.items()),
        different=len(np.unique(train)),
        spikes=_spikes(train),
    )


def _alike(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of class names that a person reads as one."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(plain_name(name), []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _splits(data: Data) -> dict[str, Split]:
    return {s.name: s for s in (data.train, data.val, data.compare_test()) if s is not None}


def _each_once(train: SplitScan) -> torch.Tensor | None:
    """Positions of train without copies, which make more of a rare class; None where most items are copies."""
    first = np.sort(train.positions[np.unique(train.contents, return_index=True)[1]])
    return torch.from_numpy(first) if len(first) > len(train.positions) / 2 else None


def _are_flags(data: Data) -> bool:
    targets = data.train.targets
    return bool(((targets == 0) | (targets == 1)).all())


def _first(split: Split) -> np.ndarray:
    return np.asarray(split.targets.reshape(len(split), -1)[:, 0].numpy().astype(np.float64))


def _counts(targets: torch.Tensor, classes: int, several: bool) -> np.ndarray:
    if several:
        return np.asarray((targets > 0).sum(dim=0).numpy())
    return np.bincount(targets.numpy().astype(np.int64), minlength=classes)


def _shift(train: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Total variation distance between label distributions, and the chi-square test's p."""
    if not train.sum() or not other.sum():
        return {}
    both = np.stack([train, other])[:, (train + other) > 0].astype(np.float64)
    expected = both.sum(axis=1, keepdims=True) * both.sum(axis=0) / both.sum()
    chi = float(((both - expected) ** 2 / expected).sum())
    freedom = torch.tensor((both.shape[1] - 1) / 2, dtype=torch.float64)
    p = (
        float(torch.special.gammaincc(freedom, torch.tensor(chi / 2, dtype=torch.float64)))
        if both.shape[1] > 1
        else 1.0
    )
    return {"shift": float(np.abs(train / train.sum() - other / other.sum()).sum() / 2), "p": p}


def _summary(name: str, values: np.ndarray, train: np.ndarray, edges: np.ndarray) -> TargetCounts:
    shift = _distance(np.sort(train), np.sort(values)) if values is not train else 0.0
    # Kolmogorov's tail, by the first term of its series.
    effective = len(train) * len(values) / (len(train) + len(values))
    return TargetCounts(
        split=name,
        items=len(values),
        counts=tuple(np.histogram(values, edges)[0].tolist()),
        mean=float(values.mean()),
        std=float(values.std()),
        quantiles=tuple(np.quantile(values, QUANTILES).tolist()),
        shift=shift,
        p=min(1.0, 2 * math.exp(-2 * effective * shift * shift)),
    )


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov's: the largest difference between the two cumulative distributions; both sorted."""
    at = np.concatenate([a, b])
    gap = np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(gap).max())


def _spikes(values: np.ndarray) -> tuple[Spike, ...]:
    """Values that stand far above what values around them have; the ends first, where caps show."""
    found, counts = np.unique(values, return_counts=True)
    # Ratings and counts have few values, and each of them many items: there a spike means nothing.
    if len(found) < 50:
        return ()
    usual = float(np.quantile(counts, 0.9))
    spikes = []
    for k in np.argsort(-counts)[:5].tolist():
        if counts[k] > SPIKE * len(values) and counts[k] > 5 * usual:
            place = "highest" if k == len(found) - 1 else "lowest" if k == 0 else ""
            spikes.append(
                Spike(value=float(found[k]), items=int(counts[k]), share=float(counts[k] / len(values)), place=place)
            )
    return tuple(spikes)
