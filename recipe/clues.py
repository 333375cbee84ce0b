"""How much of a target a few numbers tell, out of sample: by bins of one number, by lines, by neighbours, by trees.

Whatever the target is, it is a matrix (N, T): one-hot classes, several labels, or a number. What is told is the share
of its squared error about the mean that a model removes on items it was not fitted on (Brier skill, R² for a number).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recipe.record.interval import Interval

FOLDS = 3
BINS = 32
LEAST = 20
"""Items of a class below which nothing is said about it alone."""
MOST_TARGETS = 64
NEIGHBOURS = 8
DIRECTIONS = 40


@dataclass(frozen=True, eq=False)
class Target:
    """values: float64 (N, T), centred. names: of the T columns; enough: bool (T), columns that can be judged alone."""

    values: np.ndarray
    names: tuple[str, ...]
    enough: np.ndarray

    def take(self, rows: np.ndarray) -> Target:
        """Some of the items; which columns can be judged alone is asked of them again."""
        values = self.values[rows]
        return Target(values, self.names, self.enough & _enough(values))

    def column(self, k: int) -> Target:
        """One class against the rest, or one of several numbers."""
        return Target(self.values[:, k : k + 1], self.names[k : k + 1], self.enough[k : k + 1])


@dataclass(frozen=True, eq=False)
class Told:
    """What a model said (N, T) of items it was not fitted on; mean: what the mean of those it was fitted on says."""

    target: Target
    said: np.ndarray
    mean: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Squared errors (N, T)."""
        return np.asarray((self.target.values - self.said) ** 2)

    @property
    def blind(self) -> np.ndarray:
        """Squared errors (N, T) of the mean."""
        return np.asarray((self.target.values - self.mean) ** 2)

    def gain(self, column: int | None = None) -> Interval:
        """Share of the blind error that is removed, of one column or of all, with its 95 % interval over items."""
        return _share(self.blind - self.error, self.blind, column)

    def gains(self) -> np.ndarray:
        """float64 (T)."""
        blind = self.blind.sum(axis=0)
        return np.asarray(1 - self.error.sum(axis=0) / np.where(blind > 0, blind, np.inf))

    def beyond(self, less: Told, column: int | None = None) -> Interval:
        """Share of the blind error that this removes and `less`, told of the same items, does not."""
        return _share(less.error - self.error, self.blind, column)


def _share(removed: np.ndarray, blind: np.ndarray, column: int | None) -> Interval:
    """Sum of one over sum of the other, of (N, T), with the interval by the delta method."""
    part = slice(None) if column is None else slice(column, column + 1)
    r, b = removed[:, part].sum(axis=1), blind[:, part].sum(axis=1)
    n, base = len(b), float(b.mean())
    if base <= 0:
        return Interval(0.0, 0.0, 0.0, n)
    share = float(r.mean()) / base
    half = 1.96 * float((r - share * b).std()) / (base * math.sqrt(n))
    return Interval(share, share - half, share + half, n)


def target_of(targets: np.ndarray, classes: tuple[str, ...] | None) -> Target:
    """Class indices (N), or numbers (N) or (N, K), as a centred matrix; of very many classes the commonest."""
    if classes is not None and targets.ndim == 1:
        labels = targets.astype(np.int64)
        kept = np.sort(np.argsort(-np.bincount(labels, minlength=len(classes)), kind="stable")[:MOST_TARGETS])
        values = (labels[:, None] == kept[None, :]).astype(np.float64)
        names = tuple(classes[k] for k in kept.tolist())
    else:
        values = targets.reshape(len(targets), -1)[:, :MOST_TARGETS].astype(np.float64)
        names = ("",) if values.shape[1] == 1 else tuple(f"target {k}" for k in range(values.shape[1]))
    return Target(values - values.mean(axis=0), names, _enough(values))


def _enough(values: np.ndarray) -> np.ndarray:
    """bool (T): columns of two values need LEAST of the rarer one; numbers need LEAST items."""
    low, high = values.min(axis=0), values.max(axis=0)
    ends = np.minimum((values == high).sum(axis=0), (values == low).sum(axis=0))
    flags = ((values == low) | (values == high)).all(axis=0)
    return np.asarray((high > low) & np.where(flags, ends >= LEAST, len(values) >= LEAST))


def binned(values: np.ndarray, most: int = BINS) -> np.ndarray:
    """int64 (N): quantile bins of a number; bin 0 is for what is not finite."""
    known = values[np.isfinite(values)]
    bins = int(min(most, max(2, len(known) // 15)))
    different = np.unique(known)
    if len(different) <= bins:
        edges = different[1:]
    else:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.where(np.isfinite(values), 1 + np.searchsorted(edges, values, side="right"), 0)


def tell_by_bins(bins: np.ndarray, target: Target) -> Told:
    """Means of the target in each bin, drawn a little towards the mean of all."""
    y, size = target.values, int(bins.max()) + 1

    def fit_and_say(fit: np.ndarray, say: np.ndarray) -> np.ndarray:
        mean = y[fit].mean(axis=0)
        count = np.bincount(bins[fit], minlength=size)
        total = np.stack([np.bincount(bins[fit], y[fit, k], minlength=size) for k in range(y.shape[1])], axis=1)
        return np.asarray(((total + 2 * mean) / (count[:, None] + 2))[bins[say]])

    return _told(target, fit_and_say)


def tell_by_lines(x: np.ndarray, target: Target, penalty: float = 1e-3) -> Told:
    """Ridge regression on (N, D), standardised."""
    x = standardised(x)
    return _told(target, lambda fit, say: lines(x[fit], target.values[fit], penalty)(x[say]))


def tell_by_neighbours(x: np.ndarray, target: Target) -> Told:
    """Mean target of the nearest of (N, D)."""
    return _told(target, lambda fit, say: neighbours(x[fit], target.values[fit])(x[say]))


def lines(x: np.ndarray, y: np.ndarray, penalty: float = 1e-3) -> Callable[[np.ndarray], np.ndarray]:
    """Fitted by ridge regression on (N, D) and (N, T)."""
    centre, mean = x.mean(axis=0), y.mean(axis=0)
    a = (x - centre).astype(np.float32)
    gram = (a.T @ a).astype(np.float64) + max(penalty * len(a), 1e-6) * np.eye(a.shape[1])
    weight = np.linalg.solve(gram, a.T.astype(np.float64) @ (y - mean))
    return lambda others: np.asarray((others - centre) @ weight + mean)


def neighbours(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The mean of the nearest of (N, D), in the directions in which they vary most."""
    centre = x.mean(axis=0)
    a = (x - centre).astype(np.float64)
    _, axes = np.linalg.eigh(a.T @ a)
    axes = axes[:, ::-1][:, :DIRECTIONS]
    a = (a @ axes).astype(np.float32)
    k = min(NEIGHBOURS, len(a) - 1)

    def say(others: np.ndarray) -> np.ndarray:
        b = ((others - centre) @ axes).astype(np.float32)
        distance = (a * a).sum(axis=1)[None, :] - 2 * b @ a.T
        return np.asarray(y[np.argpartition(distance, k, axis=1)[:, :k]].mean(axis=1))

    return say


def tell_by_trees(
    x: np.ndarray, target: Target, *, line: np.ndarray | None = None, rounds: int = 40, leaves: int = 8
) -> Told:
    """scikit-learn's histogram gradient boosting on (N, D), not-a-number where a cell is empty.

    line: (N, E) through which a line is fitted first, whose predictions are further columns: a sum is hard for trees.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    y = target.values
    settings: dict[str, Any] = {
        "max_iter": rounds, "max_leaf_nodes": leaves, "learning_rate": 0.15, "random_state": 0, "early_stopping": False,
    }  # fmt: skip
    one_hot = y.shape[1] > 1 and bool(np.allclose(y.sum(axis=1), y.sum(axis=1)[0]))
    flags = np.stack([column > (column.min() + column.max()) / 2 for column in y.T], axis=1)

    given, straight = x, None if line is None else standardised(line)

    def fit_and_say(fit: np.ndarray, say: np.ndarray) -> np.ndarray:
        x = given
        if straight is not None:
            x = np.concatenate([given, lines(straight[fit], y[fit])(straight)], axis=1)
        if one_hot:
            # One that is of none of the commonest classes is of a class of its own.
            label = np.where(flags.any(axis=1), flags.argmax(axis=1), y.shape[1])
            model = HistGradientBoostingClassifier(**settings).fit(x[fit], label[fit])
            share = np.zeros((int(say.sum()), y.shape[1] + 1))
            share[:, model.classes_] = model.predict_proba(x[say])
            return np.asarray(share[:, :-1] + y.min(axis=0))
        columns = [HistGradientBoostingRegressor(**settings).fit(x[fit], c[fit]).predict(x[say]) for c in y.T]
        return np.stack(columns, axis=1)

    return _told(target, fit_and_say)


def _told(target: Target, fit_and_say: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Told:
    """Errors on each fold of a model fitted on the others. Items come in random order, so folds are taken in turn."""
    y = target.values
    fold = np.arange(len(y)) % FOLDS
    said, mean = np.zeros_like(y), np.zeros_like(y)
    for k in range(FOLDS):
        fit, say = fold != k, fold == k
        said[say] = fit_and_say(fit, say)
        mean[say] = y[fit].mean(axis=0)
    return Told(target, said, mean)


def standardised(x: np.ndarray) -> np.ndarray:
    """float32 (N, D); columns that do not vary become 0."""
    x = x.astype(np.float32)
    deviation = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(deviation > 1e-12, deviation, np.inf))
