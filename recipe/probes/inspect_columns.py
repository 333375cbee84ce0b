"""The columns of a table: empty cells, columns that are no input, row numbers in disguise, ones that tell all."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recipe.data.cells import Cells
from recipe.data.data import Data, Split
from recipe.record.evidence import CannotMeasure
from recipe.record.features import ColumnFact, Columns

BINS = 64
MOST = 512
"""Columns beyond which each cannot be looked at."""


def measure_columns(data: Data) -> Columns:
    """One fact sheet a column. CannotMeasure when inputs have no columns, or too many to look at each."""
    if data.train.texts is not None:
        raise CannotMeasure("the inputs are texts")
    splits = {s.name: s for s in (data.train, data.val, data.compare_test()) if s is not None}
    tables = {name: _cells(split) for name, split in splits.items()}
    cells = tables["train"]
    left_out = data.encoder.left_out if data.encoder else {}
    numbers = [_number(k, name, tables, data, left_out) for k, name in enumerate(cells.numeric_names)]
    texts = [_text(k, name, tables, data, left_out) for k, name in enumerate(cells.category_names)]
    return Columns(columns=tuple(numbers + texts), rows=len(data.train), named=data.train.cells is not None)


def _cells(split: Split) -> Cells:
    """The split's rows; an array of few columns is a table of numbers."""
    if split.cells is not None:
        return split.cells
    if split.streams or not isinstance(split.inputs, Tensor) or split.inputs.ndim != 2 or split.inputs.shape[1] > MOST:
        raise CannotMeasure("the inputs are no table, and no array of a few columns")
    values = split.inputs.to(torch.float64).numpy()
    names = tuple(f"column {k}" for k in range(values.shape[1]))
    return Cells(values, np.zeros((len(values), 0), dtype=np.int32), names, (), ())


def _number(k: int, name: str, tables: dict[str, Cells], data: Data, left_out: dict[str, str]) -> ColumnFact:
    columns = {split: cells.numeric[:, k] for split, cells in tables.items()}
    train = columns["train"]
    known = np.isfinite(train)
    edges = np.unique(np.quantile(train[known], np.linspace(0, 1, BINS + 1)[1:-1])) if known.any() else np.zeros(0)
    # Bin 0 holds the empty cells.
    bins = {split: np.where(np.isnan(v), 0, 1 + np.searchsorted(edges, v, side="left")) for split, v in columns.items()}
    return ColumnFact(
        name=name,
        kind="number",
        different=len(np.unique(train[known])),
        empty={split: float(np.isnan(v).mean()) for split, v in columns.items()},
        left_out=left_out.get(name, ""),
        order=_order(train[known], data.train.rows.numpy()[known]),
        numbering=_numbers_rows(np.concatenate([v[np.isfinite(v)] for v in columns.values()])),
        gain=_gain(bins["train"], bins["val"], data),
        blank=sum(int(np.isnan(v).sum()) for v in columns.values()),
    )


def _text(k: int, name: str, tables: dict[str, Cells], data: Data, left_out: dict[str, str]) -> ColumnFact:
    codes = {split: cells.codes[:, k] for split, cells in tables.items()}
    return ColumnFact(
        name=name,
        kind="text",
        different=len(np.unique(codes["train"][codes["train"] >= 0])),
        empty={split: float((v < 0).mean()) for split, v in codes.items()},
        left_out=left_out.get(name, ""),
        gain=_gain(codes["train"] + 1, codes["val"] + 1, data),
        blank=sum(int((v < 0).sum()) for v in codes.values()),
    )


def _numbers_rows(values: np.ndarray) -> bool:
    """Whether the numbers of all splits are whole, each once, and lie as close as numbers of rows do."""
    if len(values) < 2 or not (values == values.round()).all() or len(np.unique(values)) < len(values):
        return False
    return bool(values.max() - values.min() < 2 * len(values))


def _order(values: np.ndarray, rows: np.ndarray) -> float:
    """Spearman's correlation of a column with the position of its rows."""
    if len(np.unique(values)) < 3:
        return 0.0
    return float(np.corrcoef(_ranks(values), _ranks(rows))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks; equal values share their mean."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def _gain(train: np.ndarray, val: np.ndarray, data: Data) -> float | None:
    """What a guess from this column's bin alone removes of the blind guess's error on val, learnt from train."""
    a, b = data.train.targets.numpy(), data.val.targets.numpy()
    if a.ndim > 1:
        return None
    size = int(max(train.max(), val.max())) + 1
    if data.classes is None:
        count = np.bincount(train, minlength=size)
        guess = np.where(count > 0, np.bincount(train, a, minlength=size) / np.maximum(count, 1), a.mean())
        blind = float(((b - a.mean()) ** 2).mean())
        return 1 - float(((b - guess[val]) ** 2).mean()) / blind if blind > 0 else None
    a, b = a.astype(np.int64), b.astype(np.int64)
    table = np.zeros((size, len(data.classes)), dtype=np.int64)
    np.add.at(table, (train, a), 1)
    table[table.sum(axis=1) == 0] = np.bincount(a, minlength=len(data.classes))
    wrong, blind = float((table.argmax(axis=1)[val] != b).mean()), float((b != np.bincount(a).argmax()).mean())
    return 1 - wrong / blind if blind > 0 else None
