"""Inputs unlike the training data: what is usual is measured once on train, and every new input is held against it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.record.saved_model import Reach
from recipe.tree import Tree, leaves

SAMPLE = 20_000
# The usual range: from the 0.1 % to the 99.9 % point of train, and so much of its width more at both ends; preprocessed
# inputs have a deviation of about one, of which a tenth is no difference either.
_TAIL, _ROOM, _LITTLE = 0.001, 0.25, 0.1
_MOST_COLUMNS = 2000
_TOLD = 2


def measure_reach(inputs: Tree, columns: Sequence[str] = ()) -> tuple[Reach, ...]:
    """inputs: preprocessed training inputs (N, ...), at least two. columns: names, where inputs are rows of a table."""
    found = []
    for name, values in statistics(inputs, columns).items():
        ordered = values.to(torch.float64).sort().values
        last = len(ordered) - 1
        low, high = ordered[int(_TAIL * last)], ordered[last - int(_TAIL * last)]
        room = _ROOM * float(high - low) + _LITTLE
        found.append(Reach(name=name, low=float(low) - room, high=float(high) + room))
    return tuple(found)


def unlike(inputs: Tree, reach: Sequence[Reach], columns: Sequence[str] = ()) -> list[str]:
    """For each of the preprocessed inputs why it is unusual ("brightness 3.1, usual are -1 to 1.2"), or ""."""
    values = statistics(inputs, columns)
    known = [(one, values[one.name].tolist()) for one in reach if one.name in values]
    items = len(next(leaves(inputs)))
    return [
        "; ".join(_odd(one, v[i]) for one, v in known if not one.low <= v[i] <= one.high)[:200] for i in range(items)
    ]


def statistics(inputs: Tree, columns: Sequence[str] = ()) -> dict[str, Tensor]:
    """(N,) numbers of each input by name: columns of a row; of pictures and others brightness, contrast and so on."""
    tensors = [leaf for leaf in leaves(inputs) if leaf.is_floating_point()]
    found: dict[str, Tensor] = {}
    for number, leaf in enumerate(tensors):
        where = f" of input {number + 1}" if len(tensors) > 1 else ""
        flat = leaf.reshape(len(leaf), -1)
        if leaf.ndim == 2 and 0 < leaf.shape[1] <= _MOST_COLUMNS:
            names = columns if len(columns) == leaf.shape[1] else [f"column {k}{where}" for k in range(leaf.shape[1])]
            found |= dict(zip(names, leaf.unbind(dim=1), strict=True))
        else:
            found |= {f"mean{where}": flat.mean(1), f"spread{where}": flat.std(1, correction=0)}
            found |= {f"lowest value{where}": flat.amin(1), f"highest value{where}": flat.amax(1)}
        if leaf.ndim == 4 and min(leaf.shape[2:]) > 1:
            down, across = leaf.diff(dim=2).abs(), leaf.diff(dim=3).abs()
            found[f"roughness{where}"] = (down.flatten(1).mean(1) + across.flatten(1).mean(1)) / 2
    return found


def _odd(reach: Reach, value: float) -> str:
    return f"{reach.name} {value:.3g}, usual are {reach.low:.3g} to {reach.high:.3g}"
