"""Sequences of different lengths → one tensor, filled up at the end, that says itself which steps are there.

Numbers get one column more, 1 where a step is there and 0 where it only fills up; whole numbers (tokens) are filled up
with 0, which sequence nets read as padding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.record.refusal import Refusal


def is_ragged(values: Any) -> bool:
    """Whether it is a list (or an array of objects) of arrays that differ in length alone."""
    if not (isinstance(values, list) or (isinstance(values, np.ndarray) and values.dtype == object)) or not len(values):
        return False
    if not all(hasattr(one, "shape") or isinstance(one, (list, tuple)) for one in values):
        return False
    return len({len(one) for one in values}) > 1


def filled_up(mapping: Mapping[str, Any], target: str) -> tuple[Mapping[str, Any], bool]:
    """The mapping with one tensor in place of the sequences of each split, as long in all; whether it has the column.

    Refusal, naming the sequence that is of another kind than the first.
    """
    pairs = {name: mapping[name] for name in ("train", "val", "test") if isinstance(mapping.get(name), tuple)}
    pairs = {name: pair for name, pair in pairs.items() if len(pair) == 2}
    if not any(is_ragged(pair[0]) for pair in pairs.values()):
        return mapping, False
    arrays = {name: [np.asarray(one) for one in pair[0]] for name, pair in pairs.items()}
    first = arrays["train"][0]
    for name, some in arrays.items():
        for k, one in enumerate(some):
            if one.ndim not in (1, 2) or one.shape[1:] != first.shape[1:] or one.dtype.kind not in "iufb":
                raise Refusal(
                    f"sequence {k} of {name} is {one.dtype} of shape {one.shape}, the first of train {first.shape}",
                    where=target,
                    fix="sequences may differ in length alone: (T) or (T, F) numbers",
                )
    every = [one for some in arrays.values() for one in some]
    longest = max(map(len, every))
    tokens = first.ndim == 1 and all(one.dtype.kind in "iu" for one in every)
    fill = _tokens if tokens else _numbers
    made = {name: (fill(some, longest, target), pairs[name][1]) for name, some in arrays.items()}
    notes = [*(mapping.get("notes") or ()), _told(every, tokens)]
    return {**({} if tokens else {"kind": "series"}), **mapping, **made, "notes": notes}, not tokens


def _told(arrays: Sequence[np.ndarray], tokens: bool) -> str:
    lengths = sorted(map(len, arrays))
    how = "with token 0, which is padding" if tokens else "with 0; the last column says which steps are there"
    return f"Sequences of {lengths[0]} to {lengths[-1]} steps (median {lengths[len(lengths) // 2]}), filled up {how}."


def _numbers(arrays: Sequence[np.ndarray], longest: int, _: str) -> Tensor:
    width = arrays[0].shape[1] if arrays[0].ndim == 2 else 1
    found = torch.zeros(len(arrays), longest, width + 1)
    for row, one in zip(found, arrays, strict=True):
        row[: len(one), :width] = torch.from_numpy(one.reshape(len(one), width).astype(np.float32))
        row[: len(one), width] = 1
    return found


def _tokens(arrays: Sequence[np.ndarray], longest: int, where: str) -> Tensor:
    if any((one == 0).any() for one in arrays):
        raise Refusal(
            "a sequence holds the token 0, which fills up shorter ones", where=where, fix="number tokens from 1"
        )
    found = torch.zeros(len(arrays), longest, dtype=torch.int64)
    for row, one in zip(found, arrays, strict=True):
        row[: len(one)] = torch.from_numpy(one.astype(np.int64))
    return found
