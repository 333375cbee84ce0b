"""Whether pictures are laid out as they say: (H, W, C) forced into (C, H, W) by reshape is smoother read back."""

from __future__ import annotations

import torch
from torch import Tensor

from recipe.data.data import Data
from recipe.record.evidence import CannotMeasure
from recipe.record.features import Layout
from recipe.tree import is_tree

SAMPLE = 2000


def measure_layout(data: Data) -> Layout:
    """Correlations between neighbouring pixels of train, as given and with the reshape undone."""
    shape = data.input_shape
    if data.kind != "image" or not isinstance(shape, tuple) or len(shape) != 3 or not is_tree(data.train.sample([0])):
        raise CannotMeasure("the inputs are no pictures with channels")
    x = data.train.sample(data.train.spread(SAMPLE))
    if not isinstance(x, Tensor) or x.shape[1] not in (3, 4) or min(x.shape[2:]) < 4:
        raise CannotMeasure("layouts can be told apart for pictures (C, H, W) of three or four channels only")
    x = x.to(torch.float32).nan_to_num()
    n, channels, height, width = x.shape
    undone = x.reshape(n, height, width, channels).permute(0, 3, 1, 2)
    return Layout(
        shape=(channels, height, width),
        vertical=_alike(x[:, :, 1:], x[:, :, :-1]),
        across=_alike(x[:, 1:], x[:, :-1]),
        vertical_undone=_alike(undone[:, :, 1:], undone[:, :, :-1]),
        across_undone=_alike(undone[:, 1:], undone[:, :-1]),
    )


def _alike(a: Tensor, b: Tensor) -> float:
    """Correlation over all pairs."""
    a, b = a - a.mean(), b - b.mean()
    size = float(a.square().sum().sqrt() * b.square().sum().sqrt())
    return float((a * b).sum()) / size if size > 0 else 0.0
