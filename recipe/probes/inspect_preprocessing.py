"""D10: the preprocessing that suits the data, fitted on train only, each feature before and after."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.data import Data
from recipe.data.preprocess import propose
from recipe.record.evidence import CannotMeasure
from recipe.record.features import BeforeAfter, Preprocessing
from recipe.tree import Tree, leaves

SAMPLE = 4096
SHOWN = 24
BINS = 40


def measure_preprocessing(data: Data, settings: Mapping[str, Any], *, given: bool) -> Preprocessing:
    """What `data.preprocess` came to. settings: the data node of the config; given: whether the user fixed the key.

    CannotMeasure when transforms of the user's come first: what reaches the net is for `baseline` to look at.
    """
    if settings["eval_transform"]:
        raise CannotMeasure("data.eval_transform prepares the inputs; baseline looks at what reaches the net")
    raw = _sample(data)
    ready = data.preprocess(raw)
    proposed, because = propose(data.train.inputs if not data.train.streams else raw, data.kind)
    numbers = torch.cat([leaf.to(torch.float32).reshape(-1) for leaf in leaves(ready)])
    numbers = numbers[numbers.isfinite()]
    pairs = [] if data.train.texts is not None else zip(leaves(raw), leaves(ready), strict=True)
    features = [f for a, b in pairs for f in _features(a, b, data.features)]
    return Preprocessing(
        name=data.preprocess.name,
        proposed=proposed,
        because=because,
        given=given and settings["preprocess"] != "auto",
        low=float(numbers.min()),
        high=float(numbers.max()),
        mean=float(numbers.mean()),
        std=float(numbers.std(correction=0)),
        features=tuple(features[:SHOWN]),
    )


def _sample(data: Data) -> Tree:
    """Items spread over train, as one batch."""
    places = np.unique(np.linspace(0, len(data.train) - 1, min(len(data.train), SAMPLE)).astype(int))
    return data.train.sample(places)


def _features(raw: Tensor, ready: Tensor, names: tuple[str, ...] | None) -> list[BeforeAfter]:
    """One for each channel or column (axis 1); zeros and ones, which nothing happens to, are left out."""
    if raw.ndim == 1 or (raw.ndim > 2 and raw.shape[1] > 4):
        return [_feature("all values", raw.reshape(-1), ready.reshape(-1))]
    found = []
    for k in range(raw.shape[1]):
        a, b = raw[:, k].reshape(-1).to(torch.float32), ready[:, k].reshape(-1).to(torch.float32)
        if raw.ndim == 2 and bool(((a == 0) | (a == 1)).all()):
            continue
        name = (
            names[k]
            if names
            else f"channel {k}"
            if raw.ndim > 2 and raw.shape[1] > 1
            else f"column {k}"
            if raw.ndim == 2
            else "all values"
        )
        found.append(_feature(name, a, b))
    return found


def _feature(name: str, raw: Tensor, ready: Tensor) -> BeforeAfter:
    (edges, counts), (edges_after, counts_after) = _histogram(raw), _histogram(ready)
    a, b = raw.to(torch.float64), ready.to(torch.float64)
    a, b = a[a.isfinite()], b[b.isfinite()]
    return BeforeAfter(
        feature=name,
        edges=edges,
        counts=counts,
        edges_after=edges_after,
        counts_after=counts_after,
        mean=float(a.mean()),
        std=float(a.std(correction=0)),
        mean_after=float(b.mean()),
        std_after=float(b.std(correction=0)),
    )


def _histogram(values: Tensor) -> tuple[tuple[float, ...], tuple[int, ...]]:
    x = values.to(torch.float32).numpy()
    x = x[np.isfinite(x)]
    counts, edges = np.histogram(x, BINS)
    # Equal ends (a constant) still need edges that rise.
    assert all(a < b for a, b in pairwise(edges.tolist()))
    return tuple(edges.tolist()), tuple(counts.tolist())
