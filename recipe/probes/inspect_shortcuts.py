"""D6: what alone predicts the target: each attribute, what the source gives beside, row order, ids, groups, corners."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from recipe.clues import (
    Target,
    Told,
    binned,
    target_of,
    tell_by_bins,
    tell_by_lines,
    tell_by_neighbours,
    tell_by_trees,
)
from recipe.data.scan import Scan, SplitScan
from recipe.machine import one_thread
from recipe.patch_features import learn_filters, responses
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval
from recipe.record.shortcuts import Clue, Shortcuts

SAMPLE = 5000
SHUFFLES = 40
MOST = 64
"""Attributes beyond which only the first are looked at."""
LEAST = 60
FILTERS = 64
LARGE = 0.1
"""A gain beyond which it is asked what the rest of the input tells."""


class Raw(NamedTuple):
    """A clue before it is measured. bins: int64 (n). values: float (n), to be taken out of the rest; None: none."""

    name: str
    kind: str
    bins: np.ndarray
    values: np.ndarray | None = None


def measure_shortcuts(scan: Scan, *, seed: int) -> Shortcuts:
    """What each clue of train tells of the target. CannotMeasure on few items, or where items have no target each."""
    if scan.data.without_label:
        raise CannotMeasure(scan.data.without_label)
    train = scan.splits["train"]
    usable = np.flatnonzero(train.finite)
    if len(usable) < LEAST:
        raise CannotMeasure(f"{len(usable):,} items are too few")
    chosen = np.random.default_rng([seed, 47]).permutation(usable)[:SAMPLE]
    target = target_of(train.targets, train.classes).take(chosen)
    with one_thread():
        everything = _everything(train.features[chosen], target)
        raw = _raw(scan, train, chosen)
        patches = cache(lambda: _patches(train.pictures, chosen))
        clues = [_clue(one, target, everything, train, chosen, patches) for one in raw]
        if (corners := _corners(train, chosen, target, everything)) is not None:
            clues.append(corners)
    generator = np.random.default_rng([seed, 53])
    return Shortcuts(
        items=len(chosen),
        everything=everything.gain(),
        critical=_critical(raw, target, generator),
        shuffles=SHUFFLES,
        clues=tuple(clues),
    )


def _everything(features: np.ndarray, target: Target) -> Told:
    """The better of lines and neighbours on all that a net will see, pooled."""
    told = [tell(features, target) for tell in (tell_by_lines, tell_by_neighbours)]
    return max(told, key=lambda one: one.gain().mean)


def _raw(scan: Scan, train: SplitScan, chosen: np.ndarray) -> list[Raw]:
    """All clues that are one number an item, in the order in which they are told."""
    given, skipped = train.split.attributes, scan.data.time
    found = []
    for name, values in list(train.attributes.items())[:MOST]:
        kind = "given" if name in given else "content"
        # The columns of tables and arrays are asked elsewhere, one by one and together.
        if name != skipped and (kind == "given" or scan.data.kind in ("image", "text", "series")):
            found.append(Raw(name, kind, binned(values[chosen]), values[chosen].astype(np.float64)))
    places = train.positions[chosen]
    found.append(Raw("row order", "order", binned(train.split.rows.numpy()[places].astype(np.float64))))
    if train.split.ids is not None and (numbers := _numbers([train.split.ids[k] for k in places.tolist()])) is not None:
        found.append(Raw("number in the id", "id", binned(numbers)))
    if train.split.groups is not None:
        groups = np.unique(train.split.groups[places].astype(str), return_inverse=True)[1]
        found.append(Raw("group", "group", np.asarray(groups)))
    return found


def _numbers(ids: list[str]) -> np.ndarray | None:
    """The last number in the last part of each id, or None where most have none."""
    parts = [re.findall(r"\d+", re.split(r"[/\\]", name)[-1]) for name in ids]
    numbers = np.array([float(found[-1][-15:]) if found else np.nan for found in parts])
    return numbers if np.isfinite(numbers).mean() > 0.5 else None


def _clue(
    one: Raw,
    target: Target,
    everything: Told,
    train: SplitScan,
    chosen: np.ndarray,
    patches: Callable[[], np.ndarray],
) -> Clue:
    told = tell_by_bins(one.bins, target)
    best = _best(told, target)
    clue = Clue(name=one.name, kind=one.kind, gain=told.gain(), best=told.gain(best), label=_label(target, best))
    if max(clue.gain.mean, clue.best.mean) < LARGE or one.values is None:
        return clue
    rest, beyond = everything, None
    if one.kind == "content" and train.pictures is not None:
        others = [_everything(_levelled(train.features[chosen]), target.column(best))]
        others.append(tell_by_lines(patches(), target.column(best)))
        return _with(clue, max((one.gain() for one in others), key=lambda gain: gain.mean), None)
    if one.kind == "given":
        beyond = _beyond(one.values, train, chosen, target.column(best))
    return _with(clue, rest.gain(best), beyond)


def _with(clue: Clue, rest: Interval, beyond: Interval | None) -> Clue:
    return Clue(
        name=clue.name, kind=clue.kind, gain=clue.gain, best=clue.best, label=clue.label, rest=rest, beyond=beyond
    )


def _best(told: Told, target: Target) -> int:
    """The column that is told best, of those with enough items of each kind."""
    return int(np.where(target.enough, told.gains(), -np.inf).argmax())


def _label(target: Target, column: int) -> str:
    return target.names[column] if len(target.names) > 1 else ""


def _levelled(features: np.ndarray) -> np.ndarray:
    """Each item with mean 0 and deviation 1: without its brightness and contrast."""
    x = features - features.mean(axis=1, keepdims=True)
    return np.asarray(x / np.maximum(x.std(axis=1, keepdims=True), 1e-6))


def _patches(pictures: np.ndarray | None, chosen: np.ndarray) -> np.ndarray:
    """(n, 2 · FILTERS) what small patches of levelled pictures show, wherever they are.

    A stroke on a dark ground tells its class by how much of it there is; pixels tell it only where it does not move.
    """
    assert pictures is not None
    pictures = pictures[chosen]
    x = torch.from_numpy(_levelled(pictures.reshape(len(pictures), -1).astype(np.float32)).reshape(pictures.shape))
    x = F.avg_pool2d(x, 2) if min(x.shape[2:]) >= 16 else x
    size = max(2, min(x.shape[2:]) // 4)
    filters = learn_filters(x, size, FILTERS, np.random.default_rng([size, 67]))
    return np.asarray(responses(x, filters, 1).flatten(1).numpy())


def _beyond(values: np.ndarray, train: SplitScan, chosen: np.ndarray, target: Target) -> Interval:
    """What a number given beside tells that the content does not: with what attributes of content say of it taken out.

    A large file belongs to a picture with many edges; only what is larger or smaller than its picture explains counts.
    """
    own = {name: v for name, v in train.attributes.items() if name not in train.split.attributes}
    known = np.nan_to_num(values, nan=float(np.nanmean(values)))
    known = np.log(known) if known.min() > 0 else known
    if own and known.std() > 0:
        x = np.nan_to_num(np.stack([v[chosen] for v in own.values()], axis=1).astype(np.float64))
        known = known - tell_by_trees(x, Target(known[:, None] - known.mean(), ("",), np.array([True]))).said[:, 0]
    return tell_by_bins(binned(known), target).gain()


def _corners(train: SplitScan, chosen: np.ndarray, target: Target, everything: Told) -> Clue | None:
    """The four corners, an eighth of the side each: of pictures of things they tell little, of a mark or frame all."""
    if train.pictures is None or min(train.pictures.shape[2:]) < 8:
        return None
    pictures = train.pictures[chosen].astype(np.float32)
    side = max(1, min(pictures.shape[2:]) // 8)
    ends = (slice(0, side), slice(-side, None))
    cells = [pictures[:, :, a, b] for a in ends for b in ends]
    x = np.concatenate([cell.reshape(len(cell), -1) for cell in cells], axis=1)
    level = np.mean([cell.mean(axis=(1, 2, 3)) for cell in cells], axis=0)
    told = max((tell_by_bins(binned(level), target), tell_by_lines(x, target)), key=lambda t: _top(t, target))
    best = _best(told, target)
    whole = max((everything, told), key=lambda t: t.gain(best).mean)
    return Clue(
        name=f"four corners of {side} × {side} pixels",
        kind="corners",
        gain=told.gain(),
        best=told.gain(best),
        label=_label(target, best),
        rest=whole.gain(best),
    )


def _top(told: Told, target: Target) -> float:
    return float(np.where(target.enough, told.gains(), -np.inf).max())


def _critical(raw: list[Raw], target: Target, generator: np.random.Generator) -> float:
    """The largest gain of any clue for any column, over shuffles of the targets."""
    largest = 0.0
    for _ in range(SHUFFLES):
        order = generator.permutation(len(target.values))[:2000]
        shuffled = Target(target.values[order], target.names, target.enough)
        for one in raw:
            gains = tell_by_bins(one.bins[: len(order)], shuffled).gains()
            largest = max(largest, float(np.where(target.enough, gains, 0.0).max()))
    return largest
