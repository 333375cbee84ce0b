"""Three hosts that train in seconds: pictures with a ConvNet, a table with an MLP, sequences with a GRU.

Each has a data set with a validation and a test split, and a net of three parts: `encoder` (as the host is), `hidden`
(one layer with a ReLU) and `head`. Faults are planted in the same place of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor, nn

HOSTS = ("picture", "table", "sequence")
WIDTH = 64
TRAIN, VAL = 1200, 300

Arrays = tuple[np.ndarray, np.ndarray]


def data(host: str = "picture") -> dict[str, Any]:
    """The healthy data set of a host: a mapping as users' sources return it."""
    inputs, labels = whole(host)
    return divided(inputs, labels)


def divided(inputs: np.ndarray, labels: np.ndarray, **more: Any) -> dict[str, Any]:
    """Train, val and test by position (the rows are drawn at random already)."""
    ends = (0, TRAIN, TRAIN + VAL, len(inputs))
    named = zip(("train", "val", "test"), ends[:-1], ends[1:], strict=True)
    splits: dict[str, Any] = {name: (inputs[a:b], labels[a:b]) for name, a, b in named}
    classes = {"classes": [f"class {k}" for k in range(int(labels.max()) + 1)]} if labels.dtype.kind == "i" else {}
    return splits | classes | more


def whole(host: str) -> Arrays:
    """(inputs float32 (N, ...), labels int64 (N)) in a drawn order that never changes."""
    made: dict[str, Callable[[], Arrays]] = {"picture": _digits, "table": _table, "sequence": _sequences}
    inputs, labels = made[host]()
    order = np.random.default_rng(0).permutation(len(inputs))
    return inputs[order].astype(np.float32), labels[order].astype(np.int64)


def numbers(host: str, *, mean: float = 0.0, scale: float = 1.0) -> Arrays:
    """The host's inputs with a numeric target: a bent function of all of them, with noise of a tenth."""
    inputs, _ = whole(host)
    rng = np.random.default_rng(1)
    flat = inputs.reshape(len(inputs), -1)
    flat = (flat - flat.mean(axis=0)) / (flat.std(axis=0) + 1e-6)
    value = np.tanh(flat @ rng.normal(size=flat.shape[1]) / math.sqrt(flat.shape[1]))
    value = value + 0.1 * rng.normal(size=len(value))
    value = (value - value.mean()) / value.std() * scale + mean
    return inputs, value.astype(np.float32)


def _digits() -> Arrays:
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    return (pictures / 16).reshape(-1, 1, 8, 8), labels


def _table() -> Arrays:
    """1,800 rows of 12 numbers in 5 classes of two clusters each: a linear model knows two thirds of them."""
    from sklearn.datasets import make_classification

    rows, labels = make_classification(
        1800, 12, n_informative=8, n_redundant=2, n_classes=5, n_clusters_per_class=2, class_sep=1.8, flip_y=0.0,
        random_state=3,
    )  # fmt: skip
    return rows, labels


def _sequences() -> Arrays:
    """1,800 series of 16 steps and 3 channels: a pulse in one channel, later one in another; the pair is the class."""
    rng = np.random.default_rng(5)
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]
    labels = np.arange(1800) % len(pairs)
    series = 0.15 * rng.normal(size=(1800, 16, 3))
    for row, label in enumerate(labels):
        first, second = pairs[label]
        start = int(rng.integers(0, 6))
        series[row, start : start + 3, first] += 1
        start = int(rng.integers(start + 4, 14))
        series[row, start : start + 3, second] += 1
    return series, labels


class LastState(nn.Module):
    """A GRU over (B, T, F); its state after the last step (B, WIDTH)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gru = nn.GRU(features, WIDTH, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, WIDTH)."""
        last: Tensor = self.gru(x)[0][:, -1]
        return last


def encoder_for(input_shape: tuple[int, ...], *, momentum: float | None = None) -> nn.Module:
    """What the host is made of: (B, *input_shape) → (B, WIDTH). momentum: of batch norm, where there is to be one."""

    def norm(width: int, kind: type[nn.Module]) -> list[nn.Module]:
        return [] if momentum is None else [kind(width, momentum=momentum)]

    if len(input_shape) == 3:
        layers = [nn.Conv2d(input_shape[0], 16, 3, padding=1), *norm(16, nn.BatchNorm2d), nn.ReLU(), nn.MaxPool2d(2)]
        flat = 16 * (input_shape[1] // 2) * (input_shape[2] // 2)
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(flat, WIDTH), *norm(WIDTH, nn.BatchNorm1d), nn.ReLU())
    if len(input_shape) == 2:
        return nn.Sequential(LastState(input_shape[1]), *norm(WIDTH, nn.BatchNorm1d))
    size = math.prod(input_shape)
    return nn.Sequential(nn.Linear(size, WIDTH), *norm(WIDTH, nn.BatchNorm1d), nn.ReLU())


class Net(nn.Module):
    """The healthy net of a host. Faults subclass it."""

    def __init__(self, input_shape: tuple[int, ...], num_outputs: int, momentum: float | None = None) -> None:
        super().__init__()
        self.encoder = encoder_for(input_shape, momentum=momentum)
        self.hidden: nn.Module = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU())
        self.head = nn.Linear(WIDTH, num_outputs)

    def features(self, x: Tensor) -> Tensor:
        """(B, WIDTH) what the head sees."""
        seen: Tensor = self.hidden(self.encoder(x))
        return seen

    def forward(self, x: Tensor) -> Tensor:
        """(B, num_outputs) raw scores."""
        scores: Tensor = self.head(self.features(x))
        return scores
