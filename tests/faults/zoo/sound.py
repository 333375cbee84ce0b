"""Healthy data sets that set a trap for naive rules of inspect-data: none of them may be warned about."""

from __future__ import annotations

from typing import Any

import numpy as np


def imbalanced_grey() -> dict[str, Any]:
    """Half of the digits' classes with 20 items each, an eighth of the others: uneven, as data are."""
    x, y = _pixels()
    kept = np.concatenate([np.flatnonzero(y == k)[: None if k < 5 else 20] for k in range(10)])
    return {"train": (x[np.sort(kept)], y[np.sort(kept)])}


def sparse_strokes() -> dict[str, Any]:
    """28 × 28 pictures that are nine tenths black, as MNIST's are: one digit of 8 × 8 somewhere on a black ground."""
    x, y = _pixels()
    canvas = np.zeros((len(x), 1, 28, 28), np.uint8)
    for k, (top, left) in enumerate(np.random.default_rng(0).integers(8, 13, (len(x), 2)).tolist()):
        canvas[k, 0, top : top + 8, left : left + 8] = (255 * x[k, 0] * (x[k, 0] > 0.3)).astype(np.uint8)
    return {"train": (canvas, y)}


def sorted_by_class() -> dict[str, Any]:
    """A file in the order of its labels, which training shuffles."""
    x, y = _pixels()
    order = np.argsort(y, kind="stable")
    return {"train": (x[order], y[order])}


def iris_like() -> dict[str, Any]:
    """Three classes of two hundred rows, four columns in centimetres."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 200)
    centre = np.array([[5.0, 3.4, 1.5, 0.25], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.5, 2.0]])
    spread = np.array([[0.35, 0.38, 0.17, 0.1], [0.5, 0.31, 0.47, 0.2], [0.63, 0.32, 0.55, 0.27]])
    return {"train": (rng.normal(centre[y], spread[y]).astype(np.float32), y)}


def breast_cancer() -> dict[str, Any]:
    """scikit-learn's: 569 rows of 30 measurements with long tails, two classes."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    return {"train": (found.data.astype(np.float32), found.target), "classes": list(found.target_names)}


def diabetes() -> dict[str, Any]:
    """scikit-learn's: 442 rows of 10 scaled measurements, a number to predict."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return {"train": (x.astype(np.float32), y.astype(np.float32))}


def heavy_tails() -> dict[str, Any]:
    """Incomes, counts and times: long tails without a mistake in them, and a number to predict."""
    rng = np.random.default_rng(0)
    x = np.stack(
        [
            rng.lognormal(10, 0.8, 3000),
            rng.exponential(3, 3000),
            rng.poisson(2, 3000),
            rng.standard_t(5, 3000),
            rng.normal(size=3000),
        ],
        axis=1,
    )
    y = np.log(x[:, 0]) + 0.1 * x[:, 1] + rng.normal(0, 0.3, 3000)
    return {"train": (x.astype(np.float32), y.astype(np.float32))}


def grey_photographs(folder: str, items: int = 2000) -> dict[str, Any]:
    """H19: a few of CIFAR-10's pictures, without colour: small, hard, and nothing wrong with them."""
    from recipe.data.torchvision_files import cifar10

    x, y = (np.asarray(part)[:items] for part in cifar10(folder)["train"])
    grey = (x.astype(np.float32) * np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]).sum(axis=1)
    return {"train": (grey.round().astype(np.uint8)[:, None], y)}


def _pixels() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32").reshape(-1, 1, 8, 8), y[order]
