"""Frames of rows → a source's mapping; every cell that is odd is listed, none is guessed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.data.cells import Cells
from recipe.data.data import Trouble
from recipe.data.frame import PLAIN, Dialect
from recipe.data.numbers import MOSTLY, as_float
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    import polars as pl

ROW = "\0row"
"""Name of the column that counts the rows."""


def rows(
    frames: dict[str, pl.DataFrame],
    called: Mapping[str, str],
    target: str | int,
    *,
    drop: Sequence[str | int] = (),
    id: str | int | None = None,
    group: str | int | None = None,
    time: str | int | None = None,
    written: Dialect = PLAIN,
) -> dict[str, Any]:
    """frames: {split: rows}, of which train says what columns there are; called: what messages call each.

    target, drop, id, group, time: columns by name or position, as in recipe.data.table. written: their files' dialect.
    """
    columns = frames["train"].columns
    for split, frame in frames.items():
        _same_columns(columns, frame.columns, called[split])
    given = _given(target, id, group, time)
    names = {key: _column(value, columns, called["train"], key) for key, value in given.items()}
    left = {_column(value, columns, called["train"], "drop") for value in drop} | set(names.values())
    places = {split: Path(name).name for split, name in called.items()}
    unlabelled = _leave_out_unlabelled(frames, names["target"], places)
    odd: list[Trouble] = []
    cells = _cells(frames, [c for c in columns if c not in left], odd, written)
    mapping: dict[str, Any] = {
        split: (cells[split], _target(frame, names["target"], called[split])) for split, frame in frames.items()
    }
    return mapping | {
        "kind": "table",
        "ids": {split: _ids(frame, places[split], names.get("id")) for split, frame in frames.items()},
        "groups": {split: _values(frame, names["group"]) for split, frame in frames.items() if "group" in names},
        "attributes": {s: {names["time"]: _values(f, names["time"])} for s, f in frames.items() if "time" in names},
        "time": names.get("time"),
        "unreadable": unlabelled,
        "odd": odd,
    }


def _leave_out_unlabelled(frames: dict[str, pl.DataFrame], target: str, places: Mapping[str, str]) -> list[Trouble]:
    """Takes the rows without a target out of the frames; the others keep the number they have in the file."""
    found = []
    for split, frame in frames.items():
        missing = frame[target].is_null().to_numpy()
        names = [f"{places[split]} row {i + 1}" for i in np.flatnonzero(missing)]
        found += [Trouble(split, name, "has no target") for name in names]
        frames[split] = frame.with_row_index(ROW).filter(~missing)
    return found


def _given(target: Any, id: Any, group: Any, time: Any) -> dict[str, Any]:
    if target is None:
        raise Refusal(
            "which column is the target?", where="data.target", fix="data.target=NAME, or its position (-1: the last)"
        )
    chosen = {"target": target, "id": id, "group": group, "time": time}
    return {key: value for key, value in chosen.items() if value is not None}


def _same_columns(columns: Sequence[str], others: Sequence[str], file: str) -> None:
    missing = [c for c in columns if c not in others]
    if missing:
        raise Refusal(
            f"has no column {missing[0]!r}, which train has",
            where=file,
            fix=f"its columns: {', '.join(others)[:300]}",
        )


def _column(given: str | int, columns: Sequence[str], file: str, key: str) -> str:
    if isinstance(given, str):
        if given in columns:
            return given
    elif -len(columns) <= given < len(columns):
        return columns[given]
    hint = " (if the cells look joined, name data.separator)" if len(columns) == 1 else ""
    raise Refusal(
        f"there is no column {given!r}{hint}",
        where=f"data.{key} in {file}",
        fix=f"its columns: {', '.join(columns)[:300]}",
    )


def _target(frame: pl.DataFrame, name: str, file: str) -> np.ndarray:
    """Whole numbers, numbers, or texts."""
    import polars as pl

    column = frame[name]
    if column.len() == 0:
        raise Refusal("no row has a target", where=f"{name} in {file}", fix="data.target=COLUMN")
    if column.dtype == pl.String:
        for kind in (pl.Int64, pl.Float64):
            numbers = column.cast(kind, strict=False)
            if numbers.null_count() == 0:
                return np.asarray(numbers.to_numpy())
        return np.asarray(column.to_list())
    if column.dtype == pl.Boolean or column.dtype.is_integer() or column.dtype.is_float():
        return np.asarray(column.to_numpy())
    return np.asarray(column.cast(pl.String).to_list())


def _cells(
    frames: Mapping[str, pl.DataFrame], names: Sequence[str], odd: list[Trouble], written: Dialect
) -> dict[str, Cells]:
    """Columns of numbers and columns of texts; which is which is decided over all splits together."""
    import polars as pl

    if not names:
        raise Refusal("there is no column left to learn from", where="data.drop")
    made = {split: as_float(frame, names) for split, frame in frames.items()}
    filled = _count(
        {split: frame.select(names).select(pl.all().is_not_null().sum()) for split, frame in frames.items()}
    )
    numbers = _count({split: frame.select(pl.all().is_not_null().sum()) for split, frame in made.items()})
    numeric = [n for n in names if not filled[n] or filled[n] - numbers[n] <= (1 - MOSTLY) * filled[n]]
    texts = [n for n in names if n not in set(numeric)]
    for name in numeric:
        if numbers[name] < filled[name]:
            odd += _strays(frames, made, name)
    columns = {split: frame.select(pl.col(texts).cast(str, strict=False)) for split, frame in frames.items()}
    levels = {name: _levels([frame[name] for frame in columns.values()]) for name in texts}
    return {
        split: Cells(
            made[split].select(numeric).to_numpy().astype(np.float64).reshape(frame.height, len(numeric)),
            _codes(columns[split], levels, frame.height),
            tuple(numeric),
            tuple(texts),
            tuple(levels.values()),
            written,
        )
        for split, frame in frames.items()
    }


def _count(frames: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Sums over the splits of one row of counts each."""
    rows = [frame.row(0, named=True) for frame in frames.values()]
    return {name: sum(row[name] for row in rows) for name in rows[0]}


def _codes(frame: pl.DataFrame, levels: Mapping[str, tuple[str, ...]], rows: int) -> np.ndarray:
    codes = np.full((rows, len(levels)), -1, dtype=np.int32)
    for k, (name, texts) in enumerate(levels.items()):
        place = {text: code for code, text in enumerate(texts)}
        codes[:, k] = [-1 if text is None else place[text] for text in frame[name].to_list()]
    return codes


def _levels(columns: Sequence[pl.Series]) -> tuple[str, ...]:
    return tuple(sorted({text for column in columns for text in column.unique().to_list() if text is not None}))


def _strays(frames: Mapping[str, pl.DataFrame], made: Mapping[str, pl.DataFrame], name: str) -> list[Trouble]:
    """The cells of a column of numbers that are none."""
    found = []
    for split, frame in frames.items():
        stray = frame.filter(made[split][name].is_null() & frame[name].is_not_null())
        for row, cell in stray.select(ROW, name).iter_rows():
            found.append(Trouble(split, f"row {row + 1}, column {name}", f"{cell!r} is no number; taken as empty"))
    return found


def _values(frame: pl.DataFrame, name: str) -> np.ndarray:
    return np.asarray(frame[name].to_list())


def _ids(frame: pl.DataFrame, file: str, column: str | None) -> list[str]:
    if column is not None:
        return [str(v) for v in frame[column].to_list()]
    return [f"{file} row {row + 1}" for row in frame[ROW].to_list()]
