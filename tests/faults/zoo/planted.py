"""Data sets with one planted fault of the data each, for inspect-data; `digits` is the healthy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch.utils.data import Dataset

Pair = tuple[np.ndarray, np.ndarray]


def digits() -> dict[str, Any]:
    """1,797 digits in [0, 1] in a fixed random order: 1,300 to learn from, the rest as val."""
    train, val = _halves()
    return {"train": train, "val": val}


def rare_class(kept: int = 2) -> dict[str, Any]:  # D15
    (x, y), val = _halves()
    keep = np.setdiff1d(np.arange(len(y)), np.flatnonzero(y == 3)[kept:])
    return {"train": (x[keep], y[keep]), "val": val}


def one_to_a_hundred(share: float = 0.01) -> dict[str, Any]:  # D15, two classes
    x, y = _pixels()
    seven = np.flatnonzero(y == 7)
    rest = np.flatnonzero(y != 7)
    keep = np.sort(np.concatenate([rest, seven[: max(4, int(share * len(rest)))]]))
    return {"train": (x[keep], (y[keep] == 7).astype("int64"))}


def absent_from_train(label: int = 7) -> dict[str, Any]:  # D16
    (x, y), val = _halves()
    return {"train": (x[y != label], y[y != label]), "val": val}


def few_for_validation(items: int = 20) -> dict[str, Any]:  # D18
    train, (x, y) = _halves()
    return {"train": train, "val": (x[:items], y[:items])}


def blank_items(share: float = 0.1, value: float = 0.0, split: str = "train") -> dict[str, Any]:  # D20
    given = digits()
    x, _ = given[split]
    x[np.random.default_rng(0).permutation(len(x))[: int(share * len(x))]] = value
    return given


class _Stuck(Dataset[tuple[np.ndarray, int]]):
    """Knows its length and its labels, and always gives one of a few items."""

    def __init__(self, pair: Pair, items: int) -> None:
        (self.x, self.y), self.items = pair, items

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        if index >= len(self.x):
            raise IndexError(index)
        return self.x[index % self.items], int(self.y[index])


def index_ignored(items: int = 1) -> dict[str, Any]:  # D22
    train, val = _halves()
    return {"train": _Stuck(train, items), "val": val}


def not_a_number(row: int = 17, value: float = float("nan"), split: str = "train") -> dict[str, Any]:  # D23
    given = digits()
    given[split][0][row, 0, 2, 5] = value
    return given


def split_by_position(share: float = 0.8) -> dict[str, Any]:  # D26
    x, y = _pixels()
    order = np.argsort(y, kind="stable")
    cut = int(share * len(y))
    return {"train": (x[order[:cut]], y[order[:cut]]), "val": (x[order[cut:]], y[order[cut:]])}


def scaled_by(factor: float = 255.0, dtype: str = "float32") -> dict[str, Any]:  # P01, P02
    (x, y), (vx, vy) = _halves()
    return {"train": ((x * factor).astype(dtype), y), "val": ((vx * factor).astype(dtype), vy)}


def whole_numbers(dtype: str = "int64") -> dict[str, Any]:  # P05
    (x, y), (vx, vy) = _halves()
    return {"train": (x.astype(dtype), y), "val": (vx.astype(dtype), vy)}


def resized_to(side: int = 2) -> dict[str, Any]:  # P14
    (x, y), (vx, vy) = _halves()

    def small(p: np.ndarray) -> np.ndarray:
        return p.reshape(len(p), 1, side, 8 // side, side, 8 // side).mean(axis=(3, 5))

    return {"train": (small(x), y), "val": (small(vx), vy)}


def a_slip(items: int = 0, value: float = 1e6) -> dict[str, Any]:  # D4, a table with a slip in one cell
    rng = np.random.default_rng(0)
    x = rng.normal(50, 10, (900, 4))
    y = (x[:, 0] + x[:, 1] + rng.normal(0, 5, 900) > 100).astype("int64")
    x[11, 2] = value
    x[:items, 3] = -999
    return {"train": (x.astype("float32"), y)}


def dimmed(share: float = 0.02, factor: float = 0.1) -> dict[str, Any]:  # D20, dark pictures
    given = digits()
    x, _ = given["train"]
    x[: int(share * len(x))] *= factor
    return given


def smeared(share: float = 0.05) -> dict[str, Any]:  # D4, blurry pictures
    x, y = _scenes()
    for k in range(int(share * len(x))):
        for axis in (1, 2):
            for _ in range(12):
                x[k] = (np.roll(x[k], 1, axis) + 2 * x[k] + np.roll(x[k], -1, axis)) / 4
    return {"train": (x, y)}


def spelled_twice() -> dict[str, Any]:  # D2
    x, y = _scenes()
    names = np.where(y == 1, "yes", np.where(np.arange(len(y)) % 3 == 0, "no ", "no"))
    return {"train": (x, names)}


def spelled_with_a_dot() -> dict[str, Any]:  # D2, as adult's test labels are
    x, y = _scenes()
    names = np.where(y == 1, ">50K", "<=50K")
    return {"train": (x[:500], names[:500]), "test": (x[500:], np.char.add(names[500:], "."))}


def capped_target(share: float = 0.05) -> dict[str, Any]:  # D2, a number
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 5))
    y = x @ np.arange(5) + rng.normal(size=1500)
    return {"train": (x.astype("float32"), np.minimum(y, np.quantile(y, 1 - share)).astype("float32"))}


def black() -> dict[str, Any]:  # constant inputs
    (x, y), (vx, vy) = _halves()
    return {"train": (0 * x, y), "val": (0 * vx, vy)}


def other_shape(item: int = 30) -> dict[str, Any]:  # D1
    train, val = _halves()
    return {"train": _Cut(train, item), "val": val}


class _Cut(Dataset[tuple[np.ndarray, int]]):
    """One item has lost its last row."""

    def __init__(self, pair: Pair, item: int) -> None:
        (self.x, self.y), self.item = pair, item

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        if index >= len(self.x):
            raise IndexError(index)
        return self.x[index][:, : 7 if index == self.item else 8], int(self.y[index])


def _scenes(items: int = 700) -> Pair:
    """float32 (N, 1, 24, 24) with soft ground, sharp bars and noise; two classes, by where the bar is."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, items)
    ground = np.repeat(np.repeat(rng.random((items, 1, 4, 4)), 6, 2), 6, 3) * 0.6
    for k, left in enumerate((2 + 12 * y + rng.integers(0, 6, items)).tolist()):
        ground[k, 0, 4:20, left : left + 3] += 0.4
    return (ground + rng.normal(0, 0.02, ground.shape)).clip(0, 1).astype("float32"), y


def _pixels() -> Pair:
    """float32 (1797, 1, 8, 8) in [0, 1], and labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32").reshape(-1, 1, 8, 8), y[order]


def _halves(items: int = 1300) -> tuple[Pair, Pair]:
    x, y = _pixels()
    return (x[:items].copy(), y[:items].copy()), (x[items:].copy(), y[items:].copy())
