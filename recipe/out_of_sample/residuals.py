"""How far a number may lie from what models say: its own expected deviation, and the share drawn at random.

Out-of-sample residuals over their expected size follow Student's distribution with as heavy tails as they need; a
target that belongs to another item follows the distribution of all targets. The share of the latter is fitted beside
the former, so that heavy tails are not taken for wrong targets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.record.interval import Interval

BINS = 20
SHARES = np.concatenate([[0.0], np.geomspace(5e-4, 0.01, 12)[:-1], np.linspace(0.01, 0.9, 90)])
TAILS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
SCALES = (0.6, 0.75, 0.9, 1.0, 1.15, 1.3)


@dataclass(frozen=True, eq=False)
class Residuals:
    """deviation: (N) expected; distance: (N) in deviations; wrong: (N) probability; rate: share drawn at random.

    nats: (N) by which "drawn at random" is likelier than "as models say".
    """

    deviation: np.ndarray
    distance: np.ndarray
    wrong: np.ndarray
    rate: Interval
    nats: np.ndarray


def judge_residuals(said: np.ndarray, targets: np.ndarray) -> Residuals:
    """said, targets: float64 (N)."""
    residual = targets - said
    deviation = _expected(said, residual)
    z = residual / deviation
    apart = _density(targets)
    best: tuple[float, float, float] | None = None
    told = np.full(len(SHARES), -np.inf)
    for tail in TAILS:
        for scale in SCALES:
            own = _student(z / scale, tail) / (scale * deviation)
            found = np.array([np.log(np.clip((1 - r) * own + r * apart, 1e-300, None)).sum() for r in SHARES])
            told = np.maximum(told, found)
            if best is None or found.max() > best[0]:
                best = float(found.max()), tail, scale
    assert best is not None
    rate, inside = float(SHARES[told.argmax()]), np.flatnonzero(told >= told.max() - 1.92)
    own = _student(z / best[2], best[1]) / (best[2] * deviation)
    wrong = rate * apart / np.clip((1 - rate) * own + rate * apart, 1e-300, None)
    low, high = SHARES[max(0, inside[0] - (inside[0] > 1))], SHARES[min(len(SHARES) - 1, inside[-1] + 1)]
    nats = np.log(np.clip(apart, 1e-300, None)) - np.log(np.clip(own, 1e-300, None))
    # A target near what models say is not wrong, whatever the mixture has it for.
    wrong = np.where(np.abs(z) > 1.5, wrong, 0.0)
    return Residuals(deviation, z, wrong, Interval(rate, float(low), float(high), len(z)), nats)


def _expected(said: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Expected deviation (N) by what is said: the median size of the residuals in bins, drawn through smoothly."""
    bins = max(1, min(BINS, len(said) // 50))
    order = np.argsort(said, kind="stable")
    parts = np.array_split(order, bins)
    middle = np.array([said[p].mean() for p in parts])
    size = np.array([np.median(np.abs(residual[p])) for p in parts]) * 1.4826
    floor = max(1e-9, 0.05 * float(np.median(size)))
    keep = np.concatenate([[True], np.diff(middle) > 0])
    return np.asarray(np.maximum(np.interp(said, middle[keep], size[keep]), floor))


def _density(targets: np.ndarray) -> np.ndarray:
    """Density of all targets at each: a histogram with as many items in each bin."""
    edges = np.unique(np.quantile(targets, np.linspace(0, 1, max(2, min(50, len(targets) // 20)))))
    if len(edges) < 2:
        return np.ones(len(targets))
    count, _ = np.histogram(targets, edges)
    place = np.clip(np.searchsorted(edges, targets, side="right") - 1, 0, len(edges) - 2)
    return np.asarray((count / len(targets) / np.diff(edges))[place])


def _student(z: np.ndarray, tail: float) -> np.ndarray:
    from scipy.stats import t

    return np.asarray(t.pdf(z, tail))
