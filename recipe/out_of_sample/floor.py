"""How sure a model is, and how many labels are wrong: one fit for both.

An item that a model takes for k is labelled j with the probability
    (1 - rate) q_j + rate (1 - q_j) / (K - 1),       q = softmax(sum of weight * scores + bias),
so wrong labels are what remains where the model is sure (a floor), and what is ambiguous fades as it gets surer. The
floor is the lapse rate of psychometrics (Wichmann and Hill 2001), and the "sure" items are the anchors of Liu and Tao
2016. Weights and biases calibrate (Guo and others 2017) beside the floor: a temperature fitted without it would take
wrong labels for doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.intervals import wilson
from recipe.record.interval import Interval

TINY = 1e-12
START = -3.0
"""Log-odds of the rate at which the fit begins: about 5 %."""
HALF_LEVEL = 1.92
"""Half of the 95 % point of chi-square with one degree of freedom: how far the log likelihood falls at an end."""
TEMPERATURES = (0.35, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
SUREST = (0.5, 0.3, 0.2, 0.1)
Pairs = Mapping[tuple[int, int], float]


@dataclass(frozen=True, eq=False)
class Floor:
    """weights: (M) of the models' scores; bias: (K); rate: of labels drawn anew; loss: nats an item.

    pairs: {(k, j): further share of the items that are k which are labelled j}.
    """

    weights: Tensor
    bias: Tensor
    rate: float
    loss: float
    pairs: Pairs

    def probabilities(self, scores: Sequence[Tensor]) -> Tensor:
        """float64 (N, K): what each item is, from the models' scores (N, K), as if no label were wrong."""
        return F.softmax(_logits(scores, self.weights, self.bias), dim=1)

    def labelled(self, q: Tensor, labels: Tensor, rate: float | None = None) -> Tensor:
        """(N): the probability of the label that each item was given."""
        return _labelled(q, labels, self.rate if rate is None else rate, self.pairs)

    def posterior(self, q: Tensor, labels: Tensor, rate: float | None = None) -> Tensor:
        """(N, K): what each item is, now that its label is known too."""
        table = flips(q.shape[1], self.rate if rate is None else rate, self.pairs)
        joint = q * table[:, labels].T
        return joint / joint.sum(dim=1, keepdim=True).clamp(min=TINY)


def flips(classes: int, rate: float, pairs: Pairs) -> Tensor:
    """float64 (K, K): probability of each label (column) for each true class (row)."""
    table = torch.full((classes, classes), rate / max(1, classes - 1), dtype=torch.float64)
    table.fill_diagonal_(1 - rate)
    for (k, j), share in pairs.items():
        table[k, j] += share
        table[k, k] -= share
    return table.clamp(min=0)


def fit_floor(scores: Sequence[Tensor], labels: Tensor, pairs: Pairs | None = None) -> Floor:
    """Weights, biases and rate that make the given labels likeliest. scores: float64 (N, K), about one in size."""
    classes = scores[0].shape[1]
    start = torch.cat([torch.zeros(len(scores)), torch.zeros(classes), torch.tensor([START])]).to(torch.float64)
    start[: len(scores)] = float(np.log(4 / len(scores)))
    return _fit(scores, labels, start, None, pairs or {})


def rate_interval(scores: Sequence[Tensor], labels: Tensor, floor: Floor) -> Interval:
    """The rate with its profile likelihood's interval, widened by what holds without the model of ambiguity.

    Downwards: the rate among the surer half of the items, with a temperature of their own. Upwards: the share of items
    that are labelled otherwise than models say, where they are surest; some of it may be ambiguous, so no more is even.
    """
    n, best = len(labels), floor.loss * len(labels)
    start = torch.cat([floor.weights.log(), floor.bias, torch.tensor([START], dtype=torch.float64)])

    def falls(rate: float) -> float:
        return _fit(scores, labels, start, rate, floor.pairs, steps=12).loss * n - best - HALF_LEVEL

    low = 0.0 if floor.rate < TINY or falls(TINY) <= 0 else _root(falls, TINY, floor.rate)
    spread = max(floor.rate - low, 2 / n)
    high = floor.rate + spread
    while falls(high) < 0 and high < 0.95:
        high = min(0.95, floor.rate + 2 * (high - floor.rate))
    high = _root(falls, high, floor.rate)
    q = floor.probabilities(scores)
    half = _surer_half(q, labels)
    return Interval(floor.rate, min(low, half), max(high, half, _most(q, labels)), n)


def rate_of(floor: Floor, q: Tensor, labels: Tensor) -> Interval:
    """The rate among other items, with a temperature of their own: models may be surer of them than they ought to be.

    Profile likelihood's interval.
    """
    rates = np.array([0.0, *np.geomspace(1e-4, 1e-2, 20)[:-1], *np.linspace(0.01, 0.95, 189)])
    logits = q.clamp(min=TINY).log()
    told = np.max([_told(floor, logits * heat, labels, rates) for heat in TEMPERATURES], axis=0)
    inside = np.flatnonzero(told >= told.max() - HALF_LEVEL)
    low, high = rates[max(0, inside[0] - 1) if inside[0] > 1 else inside[0]], rates[min(inside[-1] + 1, len(rates) - 1)]
    return Interval(float(rates[told.argmax()]), float(low), float(high), len(labels))


def _told(floor: Floor, logits: Tensor, labels: Tensor, rates: np.ndarray) -> np.ndarray:
    """Log likelihood of the labels at each rate. The probability of a label is a straight line in the rate."""
    q = F.softmax(logits, dim=1)
    none, all_ = (floor.labelled(q, labels, rate).numpy() for rate in (0.0, 1.0))
    return np.array([np.log(np.clip((1 - r) * none + r * all_, TINY, None)).sum() for r in rates.tolist()])


def _logits(scores: Sequence[Tensor], weights: Tensor, bias: Tensor) -> Tensor:
    total = bias
    for weight, one in zip(weights, scores, strict=True):
        total = total + weight * one
    return total


def _labelled(q: Tensor, labels: Tensor, rate: Tensor | float, pairs: Pairs) -> Tensor:
    own = q.gather(1, labels[:, None])[:, 0]
    found = (1 - rate) * own + rate * (1 - own) / max(1, q.shape[1] - 1)
    for (k, j), share in pairs.items():
        found = found + share * q[:, k] * ((labels == j).double() - (labels == k).double())
    return found


def _fit(
    scores: Sequence[Tensor], labels: Tensor, start: Tensor, rate: float | None, pairs: Pairs, steps: int = 100
) -> Floor:
    """From `start` (log weights, biases, log-odds of the rate) by L-BFGS; with `rate` fixed where it is given."""
    models, n = len(scores), len(labels)

    def loss(at: Tensor) -> Tensor:
        q = F.softmax(_logits(scores, at[:models].exp(), at[models:-1]), dim=1)
        share = torch.sigmoid(at[-1]) if rate is None else rate
        return -_labelled(q, labels, share, pairs).clamp(min=TINY).log().mean()

    # The faint pull keeps what the labels say nothing about (a sum added to all biases) where it is.
    at = _minimum(lambda at: loss(at) + (at[models:-1] ** 2).sum() * (0.01 / n), start, steps)
    found = float(torch.sigmoid(at[-1])) if rate is None else rate
    return Floor(at[:models].exp(), at[models:-1].clone(), found, float(loss(at)), pairs)


def _most(q: Tensor, labels: Tensor) -> float:
    """An upper bound of the rate: of the disagreement among the surest items, over several meanings of "surest"."""
    sure, said = q.max(dim=1)
    wrong = (said != labels)[sure.argsort(descending=True, stable=True)].double().cumsum(dim=0)
    sizes = [max(1, int(len(labels) * share)) for share in SUREST]
    return min(wilson(float(wrong[n - 1]), n).high for n in sizes)


def _surer_half(q: Tensor, labels: Tensor) -> float:
    """The rate among the half of the items that the models are surer of, with a temperature of their own."""
    sure = q.max(dim=1).values
    rows = (sure >= sure.median()).nonzero()[:, 0]
    logits = q[rows].clamp(min=TINY).log()

    def loss(at: Tensor) -> Tensor:
        hot = F.softmax(logits * at[0].exp(), dim=1)
        return -_labelled(hot, labels[rows], torch.sigmoid(at[1]), {}).clamp(min=TINY).log().mean()

    return float(torch.sigmoid(_minimum(loss, torch.tensor([0.0, START], dtype=torch.float64), 60)[1]))


def _minimum(loss: Callable[[Tensor], Tensor], start: Tensor, steps: int) -> Tensor:
    """Where a loss is least, by L-BFGS from `start` (P)."""
    from scipy.optimize import minimize

    def told(at: np.ndarray) -> tuple[float, np.ndarray]:
        theta = torch.from_numpy(at).requires_grad_()
        value = loss(theta)
        return float(value.detach()), torch.autograd.grad(value, theta)[0].numpy()

    found = minimize(
        told, start.numpy(), jac=True, method="L-BFGS-B", options={"maxiter": steps, "ftol": 1e-11, "gtol": 1e-7}
    )
    return torch.from_numpy(found.x)


def _root(falls: Callable[[float], float], outside: float, inside: float, steps: int = 7) -> float:
    """Between a rate where the likelihood has fallen too far and one where it has not, by halving."""
    for _ in range(steps):
        middle = (outside + inside) / 2
        if falls(middle) > 0:
            outside = middle
        else:
            inside = middle
    return outside
