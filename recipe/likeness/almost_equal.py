"""Rows of a table that are equal in all columns but one, or but those that only number the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Alone(NamedTuple):
    """columns: the only ones in which rows differ. row, other: (M) a row, and the first that is equal but for them."""

    columns: tuple[int, ...]
    row: np.ndarray
    other: np.ndarray


def rows_that_differ_in_one(codes: np.ndarray) -> Iterator[Alone]:
    """Column by column, for int64 rows (N, C) that are all different; equal codes are equal cells."""
    if codes.shape[1] < 3:
        return
    parts = _mixed(codes)
    whole = parts.sum(axis=1, dtype=np.uint64)
    for column in range(codes.shape[1]):
        yield _repeats((column,), whole - parts[:, column])


def rows_that_differ_in(codes: np.ndarray, columns: tuple[int, ...]) -> Alone:
    """Rows that are equal once some columns are left out."""
    rest = np.delete(np.arange(codes.shape[1]), columns)
    return _repeats(columns, _mixed(codes)[:, rest].sum(axis=1, dtype=np.uint64))


def coded(columns: list[np.ndarray]) -> np.ndarray:
    """int64 (N, C): each column's values by their rank; not-a-number is a value."""
    return np.stack([np.unique(values, return_inverse=True)[1].reshape(-1) for values in columns], axis=1)


def _repeats(columns: tuple[int, ...], told: np.ndarray) -> Alone:
    _, first, which = np.unique(told, return_index=True, return_inverse=True)
    other = first[which.reshape(-1)]
    row = np.flatnonzero(other != np.arange(len(told)))
    return Alone(columns, row, other[row])


def _mixed(codes: np.ndarray) -> np.ndarray:
    """uint64 (N, C): 64 well mixed bits a cell, by column (Steele et al. 2014, SplitMix64); their sum tells a row."""
    x = codes.astype(np.uint64) + (np.arange(codes.shape[1], dtype=np.uint64) << np.uint64(40))
    with np.errstate(over="ignore"):
        x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
