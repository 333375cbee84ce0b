"""D8: a classifier that is to tell a split's items from train's: one that cannot has found no drift of any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from recipe.clues import Target, Told, tell_by_lines, tell_by_trees
from recipe.data.mix import weights_towards
from recipe.data.scan import Scan, SplitScan
from recipe.data.text_looks import TextLooks
from recipe.data.texts import Texts
from recipe.intervals import area_under_curve
from recipe.machine import one_thread
from recipe.record.drift import Apart, SplitsApart
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

SAMPLE = 2500
"""Items of each side."""
LEAST = 10
MOST_COLUMNS = 64
DRIVERS = 5
CLEAR = 0.65
"""An AUC from which on it is asked whether another scale explains it."""
BLUR = 0.05
"""Noise, in deviations of all numbers, under which another scale is asked for."""
POINTS = 41


class Side(NamedTuple):
    """features: float32 (n, D). columns: float64 (n, P), and what they are called."""

    features: np.ndarray
    columns: np.ndarray
    names: tuple[str, ...]


def measure_splits_apart(scan: Scan, *, seed: int) -> SplitsApart:
    """Each split against train. CannotMeasure where there are fewer than LEAST items on a side."""
    train = scan.splits["train"]
    others = {name: one for name, one in scan.splits.items() if name != "train" and len(one.positions) >= LEAST}
    if not others or len(train.positions) < LEAST:
        raise CannotMeasure("there are too few items in any other split")
    with one_thread():
        tried = [_apart(train, one, np.random.default_rng([seed, 61, k])) for k, one in enumerate(others.values())]
    found = [one for one in tried if one is not None]
    if not found:
        raise CannotMeasure("train has too few items of the classes that the other splits hold")
    return SplitsApart(
        splits=tuple(found),
        varies=train.split.streams and not train.split.inputs.repeats(),
        time=scan.data.time is not None,
    )


def _apart(train: SplitScan, other: SplitScan, generator: np.random.Generator) -> Apart | None:
    """None where train has too few items of the classes that the other split holds."""
    weight = weights_towards(train.targets, other.targets, train.classes)
    a = _drawn(train, generator, weight)
    b = _drawn(other, generator, None)
    if len(a) < LEAST:
        return None
    size = min(len(a), max(len(b) * 4, 200))
    mine, theirs = _sides(train, a[:size], other, b)
    told = {"lines": _tell(mine.features, theirs.features, tell_by_lines, generator)}
    if mine.columns.shape[1]:
        told["trees"] = _tell(mine.columns, theirs.columns, tell_by_trees, generator)
    areas = {how: _area(one) for how, one in told.items()}
    how = max(areas, key=lambda key: areas[key].mean)
    affine, after = None, None
    if areas[how].low > CLEAR and train.pictures is not None:
        affine, after = _rescaled(train, other, mine.features, theirs.features, generator)
    return Apart(
        split=other.split.name,
        items=len(b),
        auc=areas[how],
        how=how,
        curve=_curve(told[how]),
        drivers=_drivers(train, other, mine, theirs, a[:size], b),
        mixed=weight is not None,
        affine=affine,
        after=after,
    )


def _drawn(one: SplitScan, generator: np.random.Generator, weight: np.ndarray | None) -> np.ndarray:
    """Readable items, drawn without replacement; with chances in proportion to their weights.

    Of equal items, and of a group, only one: what is kept together by a fair split would be told by its twins.
    """
    usable = _single(one, generator)
    usable = usable[one.finite[usable] if weight is None else one.finite[usable] & (weight[usable] > 0)]
    if weight is None:
        return np.asarray(generator.permutation(usable)[:SAMPLE])
    # Gumbel's trick: the largest of noise plus log weight are a weighted sample without replacement.
    key = np.log(weight[usable]) + generator.gumbel(size=len(usable))
    most = min(SAMPLE, max(LEAST, int(weight[usable].sum() / weight[usable].max(initial=1e-12))))
    return np.asarray(usable[np.argsort(-key, kind="stable")[:most]])


def _single(one: SplitScan, generator: np.random.Generator) -> np.ndarray:
    """One item of each content and of each group, drawn at random."""
    order = generator.permutation(len(one.positions))
    keys = [one.contents[order]]
    if one.split.groups is not None:
        keys.append(one.split.groups[one.positions[order]].astype(str))
    first = np.ones(len(order), dtype=bool)
    for key in keys:
        own = np.zeros(len(order), dtype=bool)
        own[np.unique(key, return_index=True)[1]] = True
        first &= own
    return np.asarray(order[first])


def _sides(train: SplitScan, a: np.ndarray, other: SplitScan, b: np.ndarray) -> tuple[Side, Side]:
    """Both sides' numbers.

    What was fitted on train's texts (which words count, and in which directions) fits them better than any others: a
    fair split of AG News was told with an AUC of 0.71 by that alone. Here words are fitted on both sides together.
    """
    mine, theirs = _side(train, a), _side(other, b)
    if train.split.texts is None or other.split.texts is None:
        return mine, theirs
    texts = [*train.split.texts.take(train.positions[a]), *other.split.texts.take(other.positions[b])]
    features = TextLooks(Texts(texts)).features(Texts(texts))
    return mine._replace(features=features[: len(a)]), theirs._replace(features=features[len(a) :])


def _side(one: SplitScan, chosen: np.ndarray) -> Side:
    """Numbers for lines and for trees: the columns of a table as they were read, of all else attributes."""
    cells = one.split.cells
    if cells is not None:
        rows = cells.take(one.positions[chosen])
        codes = np.where(rows.codes < 0, np.nan, rows.codes.astype(np.float64))
        names = (*rows.numeric_names, *rows.category_names)
        columns = np.concatenate([rows.numeric, codes], axis=1)
    else:
        names = tuple(one.attributes)
        columns = (
            np.stack([one.attributes[n][chosen].astype(np.float64) for n in names], axis=1)
            if names
            else np.zeros((len(chosen), 0))
        )
    return Side(one.features[chosen], columns[:, :MOST_COLUMNS], names[:MOST_COLUMNS])


def _tell(
    a: np.ndarray, b: np.ndarray, tell: Callable[[np.ndarray, Target], Told], generator: np.random.Generator
) -> Told:
    """1 for the split, 0 for train, in random order."""
    order = generator.permutation(len(a) + len(b))
    x = np.concatenate([a, b])[order]
    y = np.concatenate([np.zeros(len(a)), np.ones(len(b))])[order]
    target = Target((y - y.mean())[:, None], ("",), np.array([True]))
    return tell(x, target)


def _area(told: Told) -> Interval:
    theirs = told.target.values[:, 0] > 0
    # Folds differ in their mean prediction, which says nothing of an item.
    score = told.said[:, 0] - told.mean[:, 0]
    return area_under_curve(score[theirs], score[~theirs])


def _curve(told: Told) -> tuple[tuple[float, float], ...]:
    theirs, score = told.target.values[:, 0] > 0, told.said[:, 0] - told.mean[:, 0]
    order = np.argsort(-score, kind="stable")
    hits, alarms = np.cumsum(theirs[order]) / theirs.sum(), np.cumsum(~theirs[order]) / (~theirs).sum()
    at = np.linspace(0, 1, POINTS)
    return ((0.0, 0.0), *zip(at.tolist(), np.interp(at, alarms, hits).tolist(), strict=True))


def _rescaled(
    train: SplitScan, other: SplitScan, mine: np.ndarray, theirs: np.ndarray, generator: np.random.Generator
) -> tuple[tuple[float, float], Interval]:
    """The line that gives the split's numbers train's mean and deviation, and what is left to tell after it."""
    like = np.corrcoef(mine.mean(axis=0), theirs.mean(axis=0))[0, 1] if mine.shape[1] > 2 else 1.0
    sign = -1.0 if like < -0.3 else 1.0
    times = sign * train.std / max(other.std, 1e-12)
    fitted = (theirs - theirs.mean()) * (sign * mine.std() / max(float(theirs.std()), 1e-12)) + mine.mean()
    # A mean is not known exactly, and a border that never varies would tell by the last digit: a little noise on both.
    mine, fitted = (x + BLUR * float(mine.std()) * generator.normal(size=x.shape) for x in (mine, fitted))
    # With squares lines see what noise or blur changes, too.
    a, b = (np.concatenate([x, x * x], axis=1) for x in (mine, fitted))
    return (times, train.mean - times * other.mean), _area(_tell(a, b, tell_by_lines, generator))


def _drivers(
    train: SplitScan, other: SplitScan, mine: Side, theirs: Side, a: np.ndarray, b: np.ndarray
) -> tuple[tuple[str, float], ...]:
    """Attributes, columns and ninths of the picture by how well each alone tells the two apart."""
    pairs = {name: (mine.columns[:, k], theirs.columns[:, k]) for k, name in enumerate(mine.names)}
    if train.pictures is not None and other.pictures is not None and min(train.pictures.shape[2:]) >= 6:
        pairs |= _ninths(train.pictures[a], other.pictures[b])
    found = []
    for name, (x, y) in pairs.items():
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        if len(x) and len(y):
            area = area_under_curve(y, x).mean
            found.append((name, max(area, 1 - area)))
    return tuple(sorted(found, key=lambda one: -one[1])[:DRIVERS])


def _ninths(mine: np.ndarray, theirs: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    words = {"top": 0, "middle": 1, "bottom": 2}, {"left": 0, "centre": 1, "right": 2}
    h, w = mine.shape[2] // 3, mine.shape[3] // 3
    found = {}
    for down, i in words[0].items():
        for across, j in words[1].items():
            cells = [p[:, :, i * h : (i + 1) * h, j * w : (j + 1) * w].mean(axis=(1, 2, 3)) for p in (mine, theirs)]
            found[f"{down} {across} of the picture"] = (cells[0], cells[1])
    return found
