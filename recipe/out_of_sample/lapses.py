"""Wrong labels that are not spread evenly: from one class to another, and in rows that follow each other.

Two classes that are hard to tell apart are confused less and less the surer a model is; labels that were swapped are
wrong however sure it is. So the curve "given j, of items that are k or j" against the model's margin between the two
has a floor (a lapse rate; Wichmann and Hill 2001) exactly where labels are wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

PASSED = 0.05
"""Share of a class that may be labelled as one other without a word."""
NATS = 6.0
"""Log likelihood ratio against that share at which a pair is named: by chance once in 2,000 pairs (chi-square)."""
TRIED = 12
LEAST = 50
CLOSE = 0.8
"""Probability that two classes must share for an item to tell about the pair."""
CHANCE = 7.0
"""Nats of a run beyond the logarithm of the number of rows: by chance once in a thousand data sets."""
MOST_RUNS = 5
SURE = 4.0
"""Nats that one row can bring: no simple model is surer than that, and one row alone is no run.

Set after one false run of a single row; planted runs are still found (tests), other doses were not measured."""


class Lapse(NamedTuple):
    """share of the items that are `k` which are labelled `j`; nats: against PASSED; items: that told."""

    k: int
    j: int
    share: float
    nats: float
    items: int


class Segment(NamedTuple):
    """Positions first … last (inclusive) of a sequence; nats of evidence."""

    first: int
    last: int
    nats: float


def find_lapses(q: np.ndarray, labels: np.ndarray, rate: float) -> list[Lapse]:
    """Pairs beyond what is ambiguous. q: (N, K) out-of-sample probabilities; rate: evenly spread wrong labels."""
    classes = q.shape[1]
    even = rate / max(1, classes - 1)
    count = np.zeros((classes, classes))
    np.add.at(count, (q.argmax(axis=1), labels), 1)
    np.fill_diagonal(count, 0)
    found = []
    for place in np.argsort(-count, axis=None, kind="stable")[:TRIED]:
        k, j = divmod(int(place), classes)
        if count[k, j] < 5:
            break
        # Models' doubts beyond the pair say nothing about it.
        rows = np.flatnonzero((q[:, k] + q[:, j] > CLOSE) & ((labels == k) | (labels == j)))
        if len(rows) < LEAST:
            continue
        margin = np.log(q[rows, k] + 1e-9) - np.log(q[rows, j] + 1e-9)
        share, nats = _lapse(margin, labels[rows] == j, PASSED + even)
        if nats > NATS:
            found.append(Lapse(k, j, share, nats, len(rows)))
    return found


def _lapse(margin: np.ndarray, given: np.ndarray, passed: float) -> tuple[float, float]:
    """(share at the sure end, nats by which it is likelier than `passed`; 0 where it is no larger)."""
    free, loss = _fit(margin, given, None)
    if free <= passed:
        return free, 0.0
    return free, max(0.0, _fit(margin, given, passed)[1] - loss)


def _fit(margin: np.ndarray, given: np.ndarray, fixed: float | None) -> tuple[float, float]:
    """(share, negative log likelihood): slope, middle and the floors at both ends, from two starts."""
    from scipy.optimize import minimize

    def share_of(at: np.ndarray) -> float:
        return fixed if fixed is not None else 0.5 * float(_sigmoid(at[3]))

    def loss(at: np.ndarray) -> float:
        own, other = share_of(at), 0.5 * _sigmoid(at[2])
        p = own + (1 - own - other) * _sigmoid(-(at[1] + np.exp(np.clip(at[0], -5, 5)) * margin))
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return -float(np.log(np.where(given, p, 1 - p)).sum())

    starts = [[0.0, 0.0, -5.0, -5.0], [0.0, 0.0, -1.0, -1.0]]
    tried = [minimize(loss, start[: 3 + (fixed is None)], method="L-BFGS-B") for start in starts]
    best = min(tried, key=lambda one: float(one.fun))
    return share_of(best.x), float(best.fun)


def _sigmoid(x: np.ndarray | float) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -40, 40))))


def find_runs(nats: np.ndarray, alike: Sequence[Hashable] | None = None) -> list[Segment]:
    """Stretches of rows that speak for wrong labels. nats: (N) of evidence for "wrong half of the time", row by row.

    alike: (N) equal where input and label are: models err alike on equal rows, so that all say no more than the first.

    Were no row special, a stretch that begins at a given row would reach t nats with a probability below exp(-t):
    likelihood ratios have mean one. The largest over all rows is therefore beyond chance from log N on.
    """
    limit, rest = run_limit(len(nats)), np.minimum(nats.astype(np.float64), SURE)
    first = {one: k for k, one in reversed(list(enumerate(alike or ())))}
    rest[[k for k, one in enumerate(alike or ()) if first[one] != k]] = 0.0
    found: list[Segment] = []
    while len(found) < MOST_RUNS:
        one = _heaviest(rest)
        if one.nats <= limit:
            break
        found.append(one)
        rest[one.first : one.last + 1] = -np.inf
    return sorted(found)


def run_limit(rows: int) -> float:
    """Nats that chance reaches once in a thousand data sets of this many rows."""
    return float(np.log(max(1, rows)) + CHANCE)


def _heaviest(values: np.ndarray) -> Segment:
    """The stretch with the largest sum (Kadane)."""
    best, start, total = Segment(0, 0, -np.inf), 0, 0.0
    for k, value in enumerate(values.tolist()):
        if total <= 0 or total == -np.inf:
            start, total = k, 0.0
        total += value
        if total > best.nats:
            best = Segment(start, k, total)
    return best
