"""Data sets with one planted bug each, made from scikit-learn's digits; `digits` is their healthy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor


def digits(items: int = 1200) -> dict[str, Any]:
    inputs, labels = _digits(items)
    return {"train": (inputs[:-300], labels[:-300]), "val": (inputs[-300:], labels[-300:]), "classes": _names()}


def shuffled_pairs(seed: int) -> dict[str, Any]:  # D03
    given = digits()
    inputs, labels = given["train"]
    return given | {"train": (inputs[np.random.default_rng(seed).permutation(len(inputs))], labels)}


def swapped_in_train() -> dict[str, Any]:  # D05
    given = digits()
    inputs, labels = given["train"]
    swapped = np.where(labels == 3, 8, np.where(labels == 8, 3, labels))
    return given | {"train": (inputs, swapped)}


def two_classes() -> dict[str, Any]:  # H18
    inputs, labels = _digits(1700)
    chosen = (labels == 0) | (labels == 1)
    return {"train": (inputs[chosen], labels[chosen]), "classes": ["zero", "one"]}


def two_classes_exchanged(share: float = 0.2) -> dict[str, Any]:
    """Some of the zeros are called one, and some of the ones zero."""
    given = two_classes()
    inputs, labels = given["train"]
    other = np.random.default_rng(1).random(len(labels)) < share
    return given | {"train": (inputs, np.where(other, 1 - labels, labels))}


def one_of_three_questions_at_random() -> dict[str, Any]:
    given = three_questions()
    inputs, asked = given["train"]
    asked = asked.copy()
    asked[:, 1] = np.random.default_rng(1).random(len(asked)) < 0.5
    return given | {"train": (inputs, asked)}


def unseeded_noise() -> dict[str, Any]:  # B06
    given = digits()
    inputs, labels = given["train"]
    return given | {"train": (inputs + np.random.default_rng().normal(0, 0.01, inputs.shape).astype("float32"), labels)}


def bytes_as_they_are() -> dict[str, Any]:  # P01
    inputs, labels = _digits(1200)
    return {"train": (inputs * 255, labels), "classes": _names()}


def few_for_validation() -> dict[str, Any]:  # D18
    inputs, labels = _digits(1200)
    return {"train": (inputs[20:], labels[20:]), "val": (inputs[:20], labels[:20]), "classes": _names()}


def imbalanced() -> dict[str, Any]:  # H11: ten to one for half of the classes
    inputs, labels = _digits(1797)
    rng = np.random.default_rng(0)
    kept = (labels < 5) | (rng.random(len(labels)) < 0.1)
    return {"train": (inputs[kept], labels[kept]), "classes": _names()}


def is_it_a_seven() -> dict[str, Any]:  # H12: one to nine
    inputs, labels = _digits(1797)
    return {"train": (inputs, (labels == 7).astype("float32"))}


def three_questions() -> dict[str, Any]:  # H13: several labels
    inputs, labels = _digits(1797)
    asked = np.stack([labels % 2 == 0, labels > 4, labels % 3 == 0], axis=1)
    return {"train": (inputs, asked.astype("float32"))}


def how_much_ink(mean: float = 0.0, scale: float = 1.0) -> dict[str, Any]:  # H14, H15, P15
    inputs, _ = _digits(1797)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=64)
    value = np.tanh(inputs.reshape(len(inputs), -1) @ weights / 4) + 0.1 * rng.normal(size=len(inputs))
    value = (value - value.mean()) / value.std() * scale + mean
    return {"train": (inputs, value.astype("float32"))}


class RandomNoise:  # P11, as an eval_transform
    def __call__(self, picture: Tensor) -> Tensor:
        return picture + 0.3 * torch.randn_like(torch.as_tensor(picture).float())


def _digits(items: int) -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    inputs, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(inputs))[:items]
    return (inputs[order] / 16).astype("float32").reshape(-1, 1, 8, 8), labels[order]


def _names() -> list[str]:
    return [str(k) for k in range(10)]


def random_class() -> dict[str, Any]:
    """What is labelled 4 are items of any class, in train and in val."""
    given = digits()
    return given | {split: _with_random_fours(*given[split]) for split in ("train", "val")}


def _with_random_fours(inputs: Any, labels: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    others = np.flatnonzero(labels != 4)
    drawn = rng.choice(others, size=int((labels == 4).sum()), replace=False)
    changed = labels.copy()
    changed[drawn] = 4
    kept = np.ones(len(labels), bool)
    kept[labels == 4] = False
    return inputs[kept], changed[kept]


def two_units() -> dict[str, Any]:
    """A tenth of the numbers were entered in another unit."""
    given = how_much_ink(mean=3.0)
    inputs, values = given["train"]
    other = np.random.default_rng(1).random(len(values)) < 0.1
    return {"train": (inputs, np.where(other, values * 100, values).astype("float32"))}
