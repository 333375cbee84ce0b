"""Ridge regression, cross-validated at the price of one fit: sums of squares are added fold by fold.

The matrix of products of all features is the dear part. It is a sum over items, so that what a fold's model needs is
the total less the fold's own part.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PENALTIES = (3e-3, 3e-2, 0.3, 3.0)
"""Tried on the first fold, in units of the number of items times a feature's variance; the least error wins."""
BLOCK = 512


@dataclass(frozen=True, eq=False)
class Ridge:
    """own: (N, T) what models say of items that they did not see. weight, bias: of the model of all items."""

    own: Tensor
    weight: Tensor
    bias: Tensor
    penalty: float

    def __call__(self, features: Tensor) -> Tensor:
        """(M, D) → (M, T)."""
        return torch.addmm(self.bias, features, self.weight)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Over the items of a part, float64: their number, sum (D), products with each other (D, D) and targets (D, T)."""

    items: int
    total: Tensor
    products: Tensor
    sides: Tensor
    targets: Tensor

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.items - other.items,
            self.total - other.total,
            self.products - other.products,
            self.sides - other.sides,
            self.targets - other.targets,
        )


def cross_validate(features: Tensor, targets: Tensor, ends: list[int]) -> Ridge:
    """features: float32 (N, D). targets: float32 (N, T). ends: where each fold ends; folds lie one after the other."""
    folds = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    parts = [_sums(features[fold], targets[fold]) for fold in folds]
    total = _Sums(
        *(sum(getattr(p, name) for p in parts) for name in ("items", "total", "products", "sides", "targets"))
    )
    errors = {}
    for penalty in PENALTIES:
        said = _apply(_solve(total - parts[0], penalty), features[folds[0]])
        errors[penalty] = float((said - targets[folds[0]]).square().mean())
    penalty = min(errors, key=lambda one: errors[one])
    own = torch.cat(
        [_apply(_solve(total - part, penalty), features[fold]) for part, fold in zip(parts, folds, strict=True)]
    )
    weight, bias = _solve(total, penalty)
    return Ridge(own, weight, bias, penalty)


def _sums(x: Tensor, y: Tensor) -> _Sums:
    """Only one half of the products is computed: they are symmetric."""
    size = x.shape[1]
    found = torch.zeros(size, size)
    for start in range(0, size, BLOCK):
        part = slice(start, min(start + BLOCK, size))
        found[start:, part] = x[:, start:].T @ x[:, part]
    wide = (found.tril() + found.tril(-1).T).to(torch.float64)
    ones = torch.ones(1, len(x))
    return _Sums(len(x), (ones @ x)[0].to(torch.float64), wide, (x.T @ y).to(torch.float64), y.double().sum(dim=0))


def _solve(part: _Sums, penalty: float) -> tuple[Tensor, Tensor]:
    """float32 weights (D, T) and bias (T) of least squared error, each feature counted in its own deviations."""
    n = part.items
    mean, target = part.total / n, part.targets / n
    gram = part.products - n * torch.outer(mean, mean)
    side = part.sides - n * torch.outer(mean, target)
    scale = 1 / ((gram.diagonal() / n).clamp(min=0).sqrt() + 1e-4)
    gram = gram * scale * scale[:, None]
    gram.diagonal().add_(penalty * n)
    weight = torch.cholesky_solve(side * scale[:, None], torch.linalg.cholesky(gram)) * scale[:, None]
    return weight.to(torch.float32), (target - mean @ weight).to(torch.float32)


def _apply(model: tuple[Tensor, Tensor], features: Tensor) -> Tensor:
    return torch.addmm(model[1], features, model[0])
