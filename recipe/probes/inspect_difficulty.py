"""D8: whether val is harder or easier than train for a simple model fitted on a part of train. Test is not touched."""

from __future__ import annotations

import math

import numpy as np

from recipe.clues import lines, neighbours, standardised, target_of
from recipe.data.mix import weights_towards
from recipe.data.scan import Scan
from recipe.machine import one_thread
from recipe.record.drift import Difficulty
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

FITTED, SCORED = 3000, 2500
LEAST = 20


def measure_difficulty(scan: Scan, *, seed: int) -> Difficulty:
    """Scores on train's held-out part and on val. CannotMeasure on few items or several targets an item."""
    train, val = scan.splits["train"], scan.splits["val"]
    if train.targets.ndim > 1 or min(len(train.positions) // 3, len(val.positions)) < LEAST:
        raise CannotMeasure("there are too few items, or several targets an item")
    generator = np.random.default_rng([seed, 71])
    # Twins of an item that was learnt are no test of anything; one of each content is kept.
    single = np.unique(train.contents, return_index=True)[1]
    order = generator.permutation(single[train.finite[single]])
    if len(order) // 3 < LEAST:
        raise CannotMeasure("there are too few different items")
    theirs = generator.permutation(np.flatnonzero(val.finite))[:SCORED]
    cut = min(FITTED, 2 * len(order) // 3)
    fitted, rest = order[:cut], order[cut : cut + SCORED]
    x = standardised(np.concatenate([train.features[fitted], train.features[rest], val.features[theirs]]))
    y = np.concatenate([train.targets[fitted], train.targets[rest], val.targets[theirs]])
    classes = train.classes or (("0", "1") if scan.data.labelled else None)
    values = target_of(y.astype(np.int64) if classes else y, classes).values
    with one_thread():
        said = {n: fit(x[:cut], values[:cut])(x[cut:]) for n, fit in (("lines", lines), ("neighbours", neighbours))}
    score = {name: _score(one, values, cut, classes is not None) for name, one in said.items()}
    model = max(score, key=lambda name: float(score[name][: len(rest)].mean()))
    mine, other = score[model][: len(rest)], score[model][len(rest) :]
    weight = weights_towards(train.targets[rest], val.targets[theirs], train.classes)
    return _told(model, cut, mine, other, weight, _chance(values, cut, classes is not None))


def _score(said: np.ndarray, values: np.ndarray, cut: int, classes: bool) -> np.ndarray:
    """(n) 1 where the class is right; of a number, 1 minus its squared error in units of train's variance."""
    y = values[cut:]
    if classes:
        # The targets are centred: the shares of the classes are put back before the largest is taken.
        share = (values[:cut] > 0).mean(axis=0)
        return np.asarray(((said + share).argmax(axis=1) == y.argmax(axis=1)).astype(np.float64))
    return np.asarray(1 - ((said - y) ** 2)[:, 0] / max(float(values[:cut].var()), 1e-12))


def _chance(values: np.ndarray, cut: int, classes: bool) -> float:
    return float((values[:cut] > 0).mean(axis=0).max()) if classes else 0.0


def _told(
    model: str, fitted: int, rest: np.ndarray, val: np.ndarray, weight: np.ndarray | None, chance: float
) -> Difficulty:
    weight = np.ones(len(rest)) if weight is None else weight
    mean = float((weight * rest).sum() / max(weight.sum(), 1e-12))
    error = math.sqrt(float((weight**2 * (rest - mean) ** 2).sum())) / max(float(weight.sum()), 1e-12)
    other = float(val.mean())
    theirs = float(val.std()) / math.sqrt(len(val))
    # Where all are right there is no variance; an item less would be.
    both = max(math.hypot(error, theirs), 1 / min(len(rest), len(val)))
    return Difficulty(
        model=model,
        fitted=fitted,
        rest=_interval(mean, error, len(rest)),
        val=_interval(other, theirs, len(val)),
        difference=_interval(other - mean, both, len(val)),
        chance=chance,
    )


def _interval(mean: float, error: float, n: int) -> Interval:
    return Interval(mean, mean - 1.96 * error, mean + 1.96 * error, n)
