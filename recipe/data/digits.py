"""scikit-learn's digits: 1,797 grey pictures of 8 by 8 in 17 levels, 10 classes; comes with it, no download."""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

LEVELS = 16


def digits() -> dict[str, Any]:
    """One split; val and test are split off. Pictures are uint8 (1, 8, 8) from 0 to 16."""
    rows = _rows()
    pictures = torch.from_numpy(rows[:, :64].reshape(-1, 1, 8, 8))
    return {
        "train": (pictures, torch.from_numpy(rows[:, 64].astype(np.int64))),
        "classes": [str(k) for k in range(10)],
        "ids": {"train": [f"digit {k}" for k in range(len(rows))]},
        "decode": brighten,
        "kind": "image",
    }


def brighten(picture: Tensor) -> Tensor:
    """0…16 → 0…255."""
    return (picture.to(torch.float32) * (255 / LEVELS)).to(torch.uint8)


def _rows() -> np.ndarray:
    """uint8 (1797, 65): pixels and label. The file is read without scikit-learn, whose import takes seconds."""
    spec = importlib.util.find_spec("sklearn")
    file = Path(str(spec and spec.origin)).parent / "datasets" / "data" / "digits.csv.gz"
    if file.exists():
        cells = gzip.decompress(file.read_bytes()).replace(b"\n", b",").rstrip(b",").split(b",")
        return np.array(cells, dtype="S6").astype(np.float32).astype(np.uint8).reshape(-1, 65)
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.concatenate([pixels, labels[:, None]], axis=1).astype(np.uint8)
