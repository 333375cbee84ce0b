"""One number an item, along the axes that the kind of data has: by them outliers and drift are looked for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recipe.data.cells import Cells
from recipe.tree import Tree, leaves

LEVELS = 256
"""Levels of grey of a picture's histogram: entropy and percentiles are CleanVision's, which counts bytes."""
DARK = 12
"""Levels up to this one, a twentieth of the range, are dark."""
COLUMNS = 128
"""Arrays of more columns are described by their rows' mean and deviation only."""


def attributes_of(
    kind: str, cells: Cells | None, positions: np.ndarray, inputs: Tree, reach: tuple[float, float]
) -> dict[str, np.ndarray]:
    """{attribute: float32 (n)}. reach: the ends of the range of train's numbers."""
    if cells is not None:
        return _of_rows(cells.take(positions))
    found: dict[str, Tensor] = {}
    for number, leaf in enumerate(leaves(inputs)):
        own = _of_pictures(leaf, reach) if kind == "image" and leaf.ndim in (3, 4) else _of_numbers(leaf)
        found |= {f"{name} {number}" if number else name: values for name, values in own.items()}
    return {name: values.numpy().astype(np.float32) for name, values in found.items()}


def _of_rows(cells: Cells) -> dict[str, np.ndarray]:
    """The numeric columns, and how many cells of a row are empty."""
    found = {name: cells.numeric[:, k].astype(np.float32) for k, name in enumerate(cells.numeric_names)}
    empty = np.isnan(cells.numeric).sum(axis=1) + (cells.codes < 0).sum(axis=1)
    return found | {"empty cells": empty.astype(np.float32)}


def _of_numbers(leaf: Tensor) -> dict[str, Tensor]:
    x = leaf.reshape(len(leaf), -1).to(torch.float32)
    found = {"mean": x.mean(dim=1), "deviation": x.std(dim=1, correction=0)}
    if leaf.ndim == 2 and leaf.shape[1] <= COLUMNS:
        found |= {f"column {k}": x[:, k] for k in range(x.shape[1])}
    return found


def _of_pictures(leaf: Tensor, reach: tuple[float, float]) -> dict[str, Tensor]:
    """Of pictures (n, H, W), (n, C, H, W) or (n, H, W, C), in units of the range: brightness … colour.

    darkest 5 %, brightest 1 %: the levels that bound these shares of the pixels. entropy: in bits, of 256 levels.
    sharpness: deviation of the Laplacian. colour: how far pixels are from grey; 0 is grey.
    """
    x = leaf.to(torch.float32)
    if x.ndim == 4 and x.shape[3] in (1, 3, 4) and x.shape[1] not in (1, 3, 4):
        x = x.movedim(3, 1)
    x = (x - reach[0]) / max(reach[1] - reach[0], 1e-12)
    grey = _grey(x)
    flat = grey.reshape(len(grey), -1)
    share = _histogram(flat)
    below = share.cumsum(dim=1)
    found = {
        "brightness": flat.mean(dim=1),
        "contrast": flat.std(dim=1, correction=0),
        "dark share": below[:, DARK],
        "darkest 5 %": _percentile(below, 0.05),
        "brightest 1 %": _percentile(below, 0.99),
        "entropy": -torch.xlogy(share, share).sum(dim=1) / np.log(2),
    }
    if min(grey.shape[1:]) >= 3:
        inner = grey[:, 1:-1, 1:-1]
        edges = grey[:, 2:, 1:-1] + grey[:, :-2, 1:-1] + grey[:, 1:-1, 2:] + grey[:, 1:-1, :-2] - 4 * inner
        found["sharpness"] = edges.reshape(len(edges), -1).std(dim=1, correction=0)
    if x.ndim == 4 and x.shape[1] == 3:
        found["colour"] = _colour(x)
    return found


def _grey(x: Tensor) -> Tensor:
    """(n, H, W): luma of three channels (BT.601), the mean of any other number."""
    if x.ndim == 3:
        return x
    if x.shape[1] == 3:
        return 0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]
    return x.mean(dim=1)


def _histogram(flat: Tensor) -> Tensor:
    """(n, LEVELS) share of each picture's pixels at each level of the range."""
    n, pixels = flat.shape
    level = (flat.nan_to_num(nan=0, posinf=1, neginf=0).clamp(0, 1) * (LEVELS - 1)).round().to(torch.int64)
    place = (level + LEVELS * torch.arange(n)[:, None]).reshape(-1)
    return torch.bincount(place, minlength=n * LEVELS).view(n, LEVELS) / max(1, pixels)


def _percentile(below: Tensor, share: float) -> Tensor:
    """The lowest level, in units of the range, up to which at least this share of the pixels lie."""
    return (below < share - 1e-6).sum(dim=1) / (LEVELS - 1)


def _colour(x: Tensor) -> Tensor:
    """How far pixels are from grey (Hasler & Süsstrunk 2003, the deviations' part)."""
    red, green, blue = (x[:, k].reshape(len(x), -1) for k in range(3))
    first, second = red - green, (red + green) / 2 - blue
    return (first.var(dim=1, correction=0) + second.var(dim=1, correction=0)).sqrt()
