"""D6, tables: one column, or a few, that tell the target all but alone: chosen on one half, measured on the other."""

from __future__ import annotations

import numpy as np

from recipe.clues import Target, Told, binned, target_of, tell_by_bins, tell_by_lines, tell_by_trees
from recipe.data.data import Data, Split
from recipe.machine import one_thread
from recipe.record.evidence import CannotMeasure
from recipe.record.shortcuts import Combination, Combinations

SAMPLE = 4000
LEAST = 120
BINS = 8
MOST = 128
"""Columns beyond which combinations are not looked at."""
MOST_VALUES = 10
"""Values of the target whose sums are kept for each pair of cells."""
EXTENDED = 8
"""Pairs to which a third column is added."""
LARGE = 0.5
"""A gain beyond which it is asked what the parts and all other columns tell."""


def measure_combinations(data: Data, *, seed: int) -> Combinations:
    """The most telling column, pair and three of train's. CannotMeasure when inputs have no columns, or very many."""
    if data.without_label:
        raise CannotMeasure(data.without_label)
    columns, names = _columns(data.train)
    if len(columns) < LEAST or not 1 < len(names) <= MOST:
        raise CannotMeasure(f"{len(columns):,} rows of {len(names):,} columns: too few, or too many columns")
    chosen = np.random.default_rng([seed, 59]).permutation(len(columns))[:SAMPLE]
    target = target_of(data.train.targets.numpy(), data.classes).take(chosen)
    x, half = columns[chosen], len(chosen) // 2
    first, second = target.take(np.arange(half)), target.take(np.arange(half, len(chosen)))
    picked, tried = _pick(x[:half], first)
    with one_thread():
        everything = _all(x[half:], second)
        found = [_combination(some, names, x[half:], second) for some in picked]
        if len(target.names) > 2 and (one := _pick_class(x[:half], first)) is not None:
            column, k = one
            found.append(_combination((column,), names, x[half:], second.column(k), target.names[k]))
    return Combinations(
        columns=len(names),
        items=len(chosen),
        everything=everything.gain(),
        tried=tried,
        found=tuple(found),
        named=data.train.cells is not None,
    )


def _columns(split: Split) -> tuple[np.ndarray, tuple[str, ...]]:
    """float64 (N, P): numbers, and codes of texts; not a number where a cell is empty."""
    if split.cells is not None:
        codes = np.where(split.cells.codes < 0, np.nan, split.cells.codes.astype(np.float64))
        return np.concatenate([split.cells.numeric, codes], axis=1), (
            *split.cells.numeric_names,
            *split.cells.category_names,
        )
    if split.streams or not hasattr(split.inputs, "ndim") or split.inputs.ndim != 2:
        raise CannotMeasure("the inputs are no table, and no array of a few columns")
    values = split.inputs.numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan), tuple(f"column {k}" for k in range(values.shape[1]))


def _pick(x: np.ndarray, target: Target) -> tuple[list[tuple[int, ...]], int]:
    """The most telling column, pair and three on these items, and how many were tried."""
    cells = np.stack([_binned(column) for column in x.T], axis=1)
    columns = cells.shape[1]
    strength = np.argsort(-target.values.var(axis=0), kind="stable")[:MOST_VALUES]
    y = target.values[:, strength]
    every = _one_hot(cells)
    pairs = _gains(every, every, y).reshape(columns, columns)
    alone = np.diag(pairs).copy()
    pairs[np.tril_indices(columns)] = -np.inf
    picked: list[tuple[int, ...]] = [(int(alone.argmax()),)]
    best = [divmod(int(k), columns) for k in np.argsort(-pairs, axis=None, kind="stable")[:EXTENDED]]
    best = [(a, b) for a, b in best if a < b]
    # What two tell together and neither tells alone (one or the other, not both) is picked whatever singles tell.
    joint = pairs - np.maximum(alone[:, None], alone[None, :])
    odd = divmod(int(joint.argmax()), columns)
    picked += list(dict.fromkeys([best[0], odd]))
    threes = {}
    for a, b in dict.fromkeys([*best, odd]):
        both = _one_hot((cells[:, a] * (BINS + 1) + cells[:, b])[:, None], (BINS + 1) ** 2)
        gains = _gains(both, every, y)[0]
        gains[[a, b]] = -np.inf
        c = int(gains.argmax())
        threes[tuple(sorted((a, b, c)))] = float(gains[c])
    if columns > 2:
        picked.append(max(threes, key=lambda key: threes[key]))
    return picked, columns + columns * (columns - 1) // 2 + EXTENDED * max(0, columns - 2)


def _pick_class(x: np.ndarray, target: Target) -> tuple[int, int] | None:
    """The column that tells most of one class, and the class; None where no class has enough items."""
    gains = np.stack([tell_by_bins(binned(column), target).gains() for column in x.T])
    gains[:, ~target.enough] = -np.inf
    column, k = divmod(int(gains.argmax()), gains.shape[1])
    return (column, k) if np.isfinite(gains[column, k]) else None


def _binned(column: np.ndarray) -> np.ndarray:
    """int64 (N), 0 … BINS: values of their own where they are few, quantiles otherwise; 0 where a cell is empty."""
    return np.asarray(np.minimum(binned(column, BINS), BINS))


def _one_hot(cells: np.ndarray, size: int = BINS + 1) -> np.ndarray:
    """float32 (columns, N, size)."""
    return np.asarray(cells.T[:, :, None] == np.arange(size)[None, None, :], dtype=np.float32)


def _gains(some: np.ndarray, others: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(columns of one, columns of the other) gain of the mean in each pair of cells, fitted on each half for the other.

    All pairs at once: sums over cells are products of matrices.
    """
    shape = (some.shape[0], some.shape[2], others.shape[0], others.shape[2])
    error, blind = np.zeros((shape[0], shape[2])), 0.0
    parts = [(some[:, k::2], others[:, k::2], y[k::2]) for k in range(2)]
    for (a, b, fit), (c, d, say) in (parts, parts[::-1]):
        mean = fit.mean(axis=0)
        n_fit, n_say = _sums(a, b, None, shape), _sums(c, d, None, shape)
        for t in range(y.shape[1]):
            guess = (_sums(a, b, fit[:, t], shape) + 2 * mean[t]) / (n_fit + 2)
            fitted = n_say * guess * guess - 2 * guess * _sums(c, d, say[:, t], shape)
            error += float((say[:, t] ** 2).sum()) + fitted.sum(axis=(1, 3))
            blind += float(((say[:, t] - mean[t]) ** 2).sum())
    return np.asarray(1 - error / max(blind, 1e-12))


def _sums(a: np.ndarray, b: np.ndarray, weight: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    """(columns, cells, columns, cells) sums of the weight, or counts."""
    left = a if weight is None else a * weight[None, :, None].astype(np.float32)
    flat = [part.transpose(0, 2, 1).reshape(-1, part.shape[1]) for part in (left, b)]
    return np.asarray((flat[0] @ flat[1].T).reshape(shape).astype(np.float64))


def _combination(
    some: tuple[int, ...], names: tuple[str, ...], x: np.ndarray, target: Target, label: str = ""
) -> Combination:
    others = [k for k in range(x.shape[1]) if k not in some]
    gain = _all(x[:, list(some)], target).gain()
    large = gain.mean >= LARGE
    parts = [tell_by_trees(x[:, [k]], target).gain().mean for k in some] if large and len(some) > 1 else []
    return Combination(
        columns=tuple(names[k] for k in some),
        label=label,
        gain=gain,
        parts=tuple(parts),
        others=_all(x[:, others], target).gain() if large and others else None,
    )


def _all(x: np.ndarray, target: Target) -> Told:
    """The better of trees, which also get the best line through the columns, and of that line."""
    filled = _filled(x)
    told = [tell_by_trees(x, target, line=filled), tell_by_lines(filled, target)]
    return max(told, key=lambda one: one.gain().mean)


def _filled(x: np.ndarray) -> np.ndarray:
    """Empty cells hold the column's mean."""
    known = np.isfinite(x)
    mean = np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, x, mean)
