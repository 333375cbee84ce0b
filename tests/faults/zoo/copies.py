"""Data sets in which something is nearly there twice, for inspect-data; each has the digits as its healthy twin."""

from __future__ import annotations

from typing import Any

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]


def subject_in_both(variants: int = 5, noise: float = 0.05, flat: bool = False) -> dict[str, Any]:  # D10
    """Noisy variants of each digit, divided at random, with no word of which belong together."""
    x, y = _pixels()
    rng = np.random.default_rng(0)
    kept = len(x) // 3
    x, y = np.repeat(x[:kept], variants, axis=0), np.repeat(y[:kept], variants)
    x = (x + noise * rng.normal(size=x.shape)).astype("float32")
    x = x.reshape(len(x), -1) if flat else x
    return _divided(x, y, rng)


def rows_of_one_subject(variants: int = 5, noise: float = 0.05) -> dict[str, Any]:  # D10
    """A table of measurements, each made a few times."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    rng = np.random.default_rng(0)
    x = np.repeat(found.data[:300], variants, axis=0)
    x = x + noise * x.std(axis=0) * rng.normal(size=x.shape)
    return _divided(x.astype("float32"), np.repeat(found.target[:300], variants), rng)


def copied_into_val(share: float = 0.3, noise: float = 0.02, light: float = 0.9) -> dict[str, Any]:  # D08
    """Pictures of val again in train, in a little less light, so that no two are equal."""
    (x, y), (vx, vy) = _halves()
    take = np.random.default_rng(0).permutation(len(vx))[: int(share * len(vx))]
    copies = light * vx[take] + noise * np.random.default_rng(1).random(vx[take].shape)
    return {"train": (np.concatenate([x, copies.astype("float32")]), np.concatenate([y, vy[take]])), "val": (vx, vy)}


def mirrored_into_val(share: float = 0.3) -> dict[str, Any]:
    """Pictures flipped as augmentation before they were divided."""
    (x, y), (vx, vy) = _halves()
    take = np.random.default_rng(0).permutation(len(vx))[: int(share * len(vx))]
    return {"train": (np.concatenate([x, vx[take][:, :, :, ::-1]]), np.concatenate([y, vy[take]])), "val": (vx, vy)}


def copied_with_another_label(share: float = 0.1, light: float = 0.95) -> dict[str, Any]:  # D19
    (x, y), val = _halves()
    take = np.random.default_rng(0).permutation(len(x))[: int(share * len(x))]
    copies, labels = (light * x[take]).astype("float32"), (y[take] + 1) % 10
    return {"train": (np.concatenate([x, copies]), np.concatenate([y, labels])), "val": val}


def one_picture_with_noise(noise: float = 0.02) -> dict[str, Any]:  # D22
    """A data set that ignores its index, behind an augmentation."""
    (x, y), (_, vy) = _halves()
    rng = np.random.default_rng(0)
    same, other = (x[3] + noise * rng.normal(size=(n, 1, 8, 8)) for n in (len(y), len(vy)))
    return {"train": (same.astype("float32"), y), "val": (other.astype("float32"), vy)}


def texts_again(share: float = 0.3) -> dict[str, Any]:  # D08
    """Sentences of train again in val, with other numbers, case and marks."""
    rng = np.random.default_rng(0)
    words = np.array([a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrst"])
    texts = [" ".join(row) + f" {k}." for k, row in enumerate(rng.choice(words, (800, 14)))]
    labels = rng.integers(0, 2, 800)
    later = [texts[k].upper().replace(".", f"{k} !") if k < share * 200 else texts[600 + k] for k in range(200)]
    return {
        "train": (texts[:600], labels[:600]),
        "val": (later, np.concatenate([labels[: int(share * 200)], labels[600 + int(share * 200) :]])),
        "kind": "text",
    }


def _divided(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    order = rng.permutation(len(x))
    cut = int(0.75 * len(x))
    return {"train": (x[order[:cut]], y[order[:cut]]), "val": (x[order[cut:]], y[order[cut:]])}


def _pixels() -> Pair:
    """float32 (1797, 1, 8, 8) in [0, 1], and labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return (x[order] / 16).astype("float32").reshape(-1, 1, 8, 8), y[order]


def _halves(items: int = 1300) -> tuple[Pair, Pair]:
    x, y = _pixels()
    return (x[:items].copy(), y[:items].copy()), (x[items:].copy(), y[items:].copy())
