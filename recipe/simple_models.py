"""Models that need no net: what a net has to beat. Each takes rows (N, D) with targets and predicts other rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

NEIGHBOURS = 5


def standardised(x: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the mean and deviation of the first; columns that do not vary stay 0."""
    mean, deviation = x.mean(dim=0), x.std(dim=0)
    scale = torch.where(deviation > 0, deviation, 1.0)
    return (x - mean) / scale, (others - mean) / scale


def neighbours(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
    """(M, K, ...) the targets of the nearest rows, by Euclidean distance."""
    nearest = torch.cdist(others, x).topk(min(NEIGHBOURS, len(x)), largest=False).indices
    return y[nearest]


def vote_of_neighbours(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
    """(M,) the class that most of the nearest rows have; ties go to the lowest index."""
    return F.one_hot(neighbours(x, y, others)).sum(dim=1).argmax(dim=1)


def mean_of_neighbours(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
    """(M, T) mean target of the nearest rows."""
    return neighbours(x, y, others).mean(dim=1)


def nearest_class_mean(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
    """(M,) the class whose mean is nearest."""
    classes: Tensor = torch.unique(y)
    means = torch.stack([x[y == k].mean(dim=0) for k in classes])
    return classes[torch.cdist(others, means).argmin(dim=1)]


def logistic_regression(
    x: Tensor, y: Tensor, others: Tensor, *, penalty: float = 1e-3, steps: int = 60, scaled: bool = True
) -> Tensor:
    """(M,) classes by a linear softmax model, fitted by L-BFGS with a squared penalty on its weights.

    scaled: columns are standardised first, which rare words would not stand.
    """
    x, others = standardised(x, others) if scaled else (x, others)
    weight = torch.zeros(x.shape[1], int(y.max()) + 1, requires_grad=True)
    bias = torch.zeros(weight.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(x @ weight + bias, y) + penalty * (weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return (others @ weight + bias).argmax(dim=1).detach()


def next_token_counts(x: Tensor, y: Tensor, others: Tensor, vocabulary: int, *, order: int) -> Tensor:
    """(M, T, vocabulary) log-probabilities of what comes next, counted in x and y (N, T); targets below 0 do not count.

    order 0: any token is as likely; 1: how often each occurs; 2: after the token before it, each counted once more.
    """
    if order == 0:
        return torch.zeros(*others.shape, vocabulary).log_softmax(dim=-1)
    asked = y >= 0
    before = x if order == 2 else torch.zeros_like(x)
    width = max(int(before.max()), int(others.max()) if order == 2 else 0) + 1
    pairs = (before * vocabulary + y)[asked]
    counts = torch.bincount(pairs, minlength=width * vocabulary).reshape(width, vocabulary).float()
    table = (counts + 1).log() - (counts + 1).sum(dim=1, keepdim=True).log()
    return table[others] if order == 2 else table[0].expand(*others.shape, vocabulary)


def principal_components(x: Tensor, others: Tensor, count: int) -> Tensor:
    """(M, D) the rows of `others` through the first components of x and back."""
    mean = x.mean(dim=0)
    _, _, right = torch.linalg.svd(x - mean, full_matrices=False)
    kept = right[:count]
    back: Tensor = (others - mean) @ kept.T @ kept + mean
    return back


def ridge_regression(x: Tensor, y: Tensor, others: Tensor, *, penalty: float = 1e-2) -> Tensor:
    """(M, T) a linear model with a squared penalty of `penalty` times the number of rows."""
    x, others = standardised(x, others)
    centre = y.mean(dim=0)
    a = (x.T @ x).double() + penalty * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    weight = torch.linalg.solve(a, (x.T @ (y - centre)).double())
    said: Tensor = (others.double() @ weight).float() + centre
    return said


def boosted_trees(x: Tensor, y: Tensor, others: Tensor, *, classes: bool, rounds: int = 50) -> Tensor:
    """(M,) classes or (M, 1) numbers by scikit-learn's histogram gradient boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind: Any = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    trees = kind(max_iter=rounds, random_state=0).fit(x.numpy(), y.reshape(len(y)).numpy())
    said: Tensor = torch.as_tensor(trees.predict(others.numpy()))
    return said if classes else said.reshape(-1, 1).float()
