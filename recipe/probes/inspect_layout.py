"""Whether pictures are laid out as they say: an array forced into another shape by reshape is smoother read back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recipe.data.data import Data
from recipe.record.evidence import CannotMeasure
from recipe.record.features import Layout, OtherLayout
from recipe.tree import is_tree

SAMPLE = 2000


def measure_layout(data: Data) -> Layout:
    """Correlations between neighbouring pixels of train, as given and with a reshape undone."""
    shape = data.input_shape
    if data.kind != "image" or not isinstance(shape, tuple) or len(shape) != 3 or not is_tree(data.train.sample([0])):
        raise CannotMeasure("the inputs are no pictures with channels")
    x = data.train.sample(data.train.spread(SAMPLE))
    if not isinstance(x, Tensor) or x.shape[1] > 4 or min(x.shape[2:]) < 4:
        raise CannotMeasure("layouts can be told apart for pictures (C, H, W) of up to four channels only")
    n, channels, height, width = x.shape
    down, right, across = _smoothness(x)
    undone = _smoothness(x.reshape(n, height, width, channels).permute(0, 3, 1, 2))
    return Layout(
        shape=(channels, height, width),
        vertical=down,
        horizontal=right,
        across=across,
        vertical_undone=undone[0],
        across_undone=undone[2],
        others=tuple(_others(data, x)),
    )


def _others(data: Data, x: Tensor) -> list[OtherLayout]:
    """The same with other reshapes undone: of arrays whose items came last, and of pictures (C, W, H)."""
    n, channels, height, width = x.shape
    found = []
    if height != width:
        down, right, _ = _smoothness(x.reshape(n, channels, width, height).transpose(2, 3))
        found.append(OtherLayout(way="(C, W, H)", vertical=down, horizontal=right))
    whole = data.train.inputs
    # A split of recipe's own took rows out of the array: then it cannot be read back.
    rows = data.train.rows.numpy()
    if isinstance(whole, Tensor) and len(whole) > 1 and np.array_equal(rows, np.arange(len(rows))):
        some = torch.linspace(0, len(whole) - 1, min(len(whole), SAMPLE)).long()
        flat = whole.reshape(-1)
        for way, shape, order in (
            ("(H, W, C, N)", (height, width, channels, len(whole)), (3, 2, 0, 1)),
            ("(C, H, W, N)", (channels, height, width, len(whole)), (3, 0, 1, 2)),
        ):
            down, right, _ = _smoothness(flat.view(shape)[..., some].permute(order))
            found.append(OtherLayout(way=way, vertical=down, horizontal=right))
    return found


def _smoothness(x: Tensor) -> tuple[float, float, float]:
    """Correlations with the pixel below, to the right, and in the next channel, each picture about its own mean."""
    x = x.to(torch.float32).nan_to_num()
    x = x - x.mean(dim=(1, 2, 3), keepdim=True)
    across = _alike(x[:, 1:], x[:, :-1]) if x.shape[1] > 1 else 0.0
    return _alike(x[:, :, 1:], x[:, :, :-1]), _alike(x[..., 1:], x[..., :-1]), across


def _alike(a: Tensor, b: Tensor) -> float:
    """Correlation over all pairs."""
    a, b = a - a.mean(), b - b.mean()
    size = float(a.square().sum().sqrt() * b.square().sum().sqrt())
    return float((a * b).sum()) / size if size > 0 else 0.0
