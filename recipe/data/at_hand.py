"""Data that are in memory already, given from Python: frames, arrays, datasets and mappings of them → a source."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from recipe.data.rows import rows
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    import polars as pl

Source = Callable[..., Mapping[str, Any]]
SPLITS = ("train", "val", "test")
SOME = 64
"""Items of a dataset by which it is told from another."""


def source_of(data: Any, target: str | int | None = None) -> Source:
    """A function that returns the mapping of `recipe.data.data`, with the arguments that are still open.

    data: a frame of pandas or polars (with `target`, a column), a pair (X, y), X alone where it is its own target, a
    map-style dataset of (input, target), a mapping of splits of such, or a function that returns one.
    """
    if callable(data) and not _is_dataset(data) and not is_frame(data):
        return data if target is None else partial(data, target=target)
    whole = dict(data) if isinstance(data, Mapping) and "train" in data else {"train": data}
    splits = {name: whole[name] for name in SPLITS if whole.get(name) is not None}
    if any(map(is_frame, splits.values())):
        return partial(_frames, splits, **({} if target is None else {"target": target}))
    if target is not None:
        raise Refusal("a column as target goes with a frame", where="target", fix="give (X, y), or a DataFrame")
    return partial(_given, whole | {name: _pair(value) for name, value in splits.items()})


def _frames(splits: Mapping[str, Any], target: str | int | None = None, **named: Any) -> Mapping[str, Any]:
    if target is None:
        raise Refusal("which column is the target?", where="target", fix='target="NAME", or its position')
    if strange := next((name for name, value in splits.items() if not is_frame(value)), None):
        raise Refusal(f"{strange} is no frame, but another split is", where="data", fix="give each split as a frame")
    return rows({name: as_polars(frame) for name, frame in splits.items()}, {n: n for n in splits}, target, **named)


def _given(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping


def _pair(value: Any) -> Any:
    """(X, y); (X, None) for inputs alone; a dataset as it is."""
    if isinstance(value, (tuple, list)) and len(value) == 2 and not isinstance(value[0], (str, int, float)):
        return tuple(value)
    return (value, None) if isinstance(value, (np.ndarray, Tensor)) else value


def _is_dataset(value: Any) -> bool:
    return hasattr(value, "__getitem__") and hasattr(value, "__len__")


def is_frame(value: Any) -> bool:
    """Whether it is a DataFrame of polars or pandas, neither of which is imported for the question."""
    kinds = [getattr(sys.modules.get(name), "DataFrame", None) for name in ("polars", "pandas")]
    return any(kind is not None and isinstance(value, kind) for kind in kinds)


def as_polars(frame: Any) -> pl.DataFrame:
    """The frame itself, or pandas' columns: its categories and objects as texts, its empty cells empty."""
    import polars as pl

    if isinstance(frame, pl.DataFrame):
        return frame
    return pl.DataFrame([_series(str(name), frame[name]) for name in frame.columns])


def _series(name: str, column: Any) -> pl.Series:
    import polars as pl

    values = [None if empty else value for value, empty in zip(column.tolist(), column.isna().tolist(), strict=True)]
    if column.dtype.kind in "iufb":
        return pl.Series(name, values)
    if column.dtype.kind == "M":
        return pl.Series(name, [value and value.to_pydatetime() for value in values])
    return pl.Series(name, [value if value is None else str(value) for value in values], dtype=pl.String)


def stamp_of(value: Any) -> bytes:
    """A few bytes that other data have not: of frames and arrays by all they hold, of datasets by some items."""
    told = hashlib.blake2b(digest_size=8)
    _stamp(value, told)
    return told.digest()


def _stamp(value: Any, told: Any) -> None:
    if isinstance(value, Mapping):
        for key in value:
            told.update(str(key).encode())
            _stamp(value[key], told)
    elif isinstance(value, Tensor):
        _stamp(value.detach().cpu().numpy(), told)
    elif is_frame(value):
        frame = as_polars(value)
        told.update(repr(frame.schema).encode())
        told.update(frame.hash_rows().to_numpy().tobytes())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        told.update(f"{value.dtype} {value.shape}".encode())
        told.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, (tuple, list)) and len(value) <= SOME:
        for part in value:
            _stamp(part, told)
    elif _is_dataset(value) and not isinstance(value, (str, bytes)):
        told.update(f"{type(value).__qualname__} {len(value)}".encode())
        for index in range(0, len(value), max(1, len(value) // SOME)):
            _stamp(value[index], told)
    else:
        plain = isinstance(value, (str, bytes, int, float))
        told.update(repr(value).encode() if plain else type(value).__name__.encode())
