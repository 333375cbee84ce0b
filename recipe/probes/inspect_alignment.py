"""D5: whether labels follow from their inputs in each split, and whether they mean the same in every split."""

from __future__ import annotations

import contextlib
import math

import numpy as np
from torch import Tensor

from recipe.out_of_sample.predictions import Predictions, Told
from recipe.record.alignment import Alignment, ClassMap, Follows, Moved
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

SMOOTHED = 2.0
"""Items that a class's profile is padded with, so that no count of none rules a class out."""
STRAY = 0.02
"""Share of items that may be anything."""
SIGNS = 3.0
"""Deviations from chance below which a split's own models are asked too."""


def measure_alignment(said: Predictions) -> Alignment:
    """What models learnt from train say of every split; and, where that is at chance for one, what val's own say."""
    told = said.of("train")
    splits = said.scan.splits
    follows = [_follows(told, split) for split in told.rows if len(told.rows[split])]
    if any(one.z < SIGNS for one in follows) and "val" in splits:
        with contextlib.suppress(CannotMeasure):
            follows.append(_follows(said.of("val"), "val"))
    maps: list[ClassMap] = []
    if not said.numbers and follows[0].z >= SIGNS:
        others = [one.split for one in follows if one.source == "train" and one.split != "train"]
        maps = [_map(told, split, said.classes) for split in others]
    return Alignment(
        kind=said.scan.data.kind,
        numbers=said.numbers,
        models=tuple(about for _, about in told.models),
        follows=tuple(follows),
        maps=tuple(maps),
        origins={name: one.split.origin for name, one in splits.items()},
    )


def _follows(told: Told, split: str) -> Follows:
    labels, scores = told.labels[split].numpy(), [one.numpy() for one in told.scores[split]]
    own = [one.numpy() for one in told.scores[told.source]]
    if scores[0].shape[1] == 1:
        errors = [float(((s[:, 0] - told.labels[told.source].numpy()) ** 2).mean()) for s in own]
        return _numbers(scores[int(np.argmin(errors))][:, 0], labels, told.source, split)
    z = max(_pairing(one, labels) for one in scores)
    # Guesses that a common class does not win by being common: each class's scores in its own deviations.
    mixed, mixed_own = np.sum(scores, axis=0), np.sum(own, axis=0)
    spread = mixed_own.std(axis=0)
    balanced = np.where(spread > 1e-6, (mixed - mixed_own.mean(axis=0)) / np.maximum(spread, 1e-6), -np.inf)
    sure = float(told.floor.probabilities(told.scores[split]).max(dim=1).values.mean())
    return Follows(
        split=split,
        source=told.source,
        items=len(labels),
        skill=_kappa(balanced.argmax(axis=1), labels),
        z=z,
        sure=sure,
    )


def _numbers(said: np.ndarray, targets: np.ndarray, source: str, split: str) -> Follows:
    n = len(targets)
    flat = float(said.std()) < 1e-9 or float(targets.std()) < 1e-12
    r = 0.0 if flat else float(np.corrcoef(said, targets)[0, 1])
    centre, half = math.atanh(max(-0.999999, min(0.999999, r))), 1.96 / math.sqrt(max(1, n - 3))
    skill = Interval(r, math.tanh(centre - half), math.tanh(centre + half), n)
    return Follows(split=split, source=source, items=n, skill=skill, z=r * math.sqrt(max(0, n - 1)))


def _pairing(scores: np.ndarray, labels: np.ndarray) -> float:
    """Deviations of the sum of the labels' scores from its mean over all pairings of these items and labels.

    Mean and variance are exact (Hoeffding 1951), so nothing is drawn.
    """
    n, count = len(labels), np.bincount(labels, minlength=scores.shape[1])
    share = count / n
    row, column = scores @ share, scores.mean(axis=0)
    mean = float(column @ share)
    rest = scores - row[:, None] - column + mean
    variance = float((rest**2 @ count).sum()) / max(1, n - 1)
    told = float(scores[np.arange(n), labels].sum())
    return (told - n * mean) / math.sqrt(variance) if variance > 1e-12 else 0.0


def _kappa(said: np.ndarray, labels: np.ndarray) -> Interval:
    """Cohen's kappa with its large-sample interval."""
    n, size = len(labels), int(max(said.max(), labels.max())) + 1
    right = float((said == labels).mean())
    chance = float((np.bincount(said, minlength=size) / n) @ (np.bincount(labels, minlength=size) / n))
    if chance >= 1:
        return Interval(0.0, -1.0, 1.0, n)
    # A share of none or all has no variance of its own; one item more or less is what is not known.
    deviation = math.sqrt(max(right * (1 - right), 1 / n) / n) / (1 - chance)
    kappa = (right - chance) / (1 - chance)
    return Interval(kappa, kappa - 1.96 * deviation, min(1.0, kappa + 1.96 * deviation), n)


def _map(told: Told, split: str, classes: tuple[str, ...]) -> ClassMap:
    """The reading of a split's labels under which what models say of its items is likeliest.

    Each label's items are described by what models say of them; the description of train's classes is known from its
    folds. The best one-to-one matching of labels with classes is an assignment problem.
    """
    from scipy.optimize import linear_sum_assignment

    own = _said(told, "train")
    said, labels = _said(told, split), told.labels[split].numpy()
    size = len(classes)
    profile, here = _table(own, told.labels["train"].numpy(), size), _table(said, labels, size)
    known = profile.sum(axis=0)
    usual = profile.sum(axis=1) / profile.sum()
    likely = (profile + SMOOTHED * usual[:, None]) / (known + SMOOTHED)
    likely = np.log((1 - STRAY) * likely + STRAY / size)
    # nats[label, class]: of the label's items, were they of the class. A class that train lacks has no description.
    nats = here.T @ likely
    there = np.flatnonzero(known > 0)
    label, column = linear_sum_assignment(-nats[:, there])
    reading = np.full(size, -1)
    reading[label] = there[column]
    held = (here.sum(axis=0) > 0) & (known > 0)
    gain = float(sum(nats[j, reading[j]] - nats[j, j] for j in np.flatnonzero(held & (reading >= 0))))
    moved = [_moved(here, int(j), int(reading[j]), classes) for j in np.flatnonzero(held) if reading[j] not in (j, -1)]
    mapped = reading[labels]
    return ClassMap(
        split=split,
        items=len(labels),
        nats=gain,
        as_is=float((said == labels).mean()),
        mapped=float((said == mapped).mean()),
        own=float((own == told.labels["train"].numpy()).mean()),
        moved=tuple(moved),
    )


def _said(told: Told, split: str) -> np.ndarray:
    scores: list[Tensor] = told.scores[split]
    return told.floor.probabilities(scores).argmax(dim=1).numpy()


def _table(said: np.ndarray, labels: np.ndarray, size: int) -> np.ndarray:
    """(said, label) counts."""
    found = np.zeros((size, size))
    np.add.at(found, (said, labels), 1)
    return found


def _moved(here: np.ndarray, label: int, like: int, classes: tuple[str, ...]) -> Moved:
    items = int(here[:, label].sum())
    return Moved(
        label=classes[label],
        looks_like=classes[like],
        items=items,
        as_is=float(here[label, label] / items),
        mapped=float(here[like, label] / items),
    )
