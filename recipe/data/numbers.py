"""Columns of a frame as numbers: what reads as one, dates as days since 1970, numbers with a comma for the point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    import polars as pl

_DATE = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
_COMMA = r"^[+-]?(\d{1,3}([. ]\d{3})+|\d+),\d+([eE][+-]?\d+)?$"
_POINT = r"^[+-]?\d*\.\d+([eE][+-]?\d+)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+$"
_GROUPS = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
_DAY = 86_400e6
MOSTLY = 0.95
"""A column of texts is one of numbers with odd cells when this share of its cells are numbers."""


def as_float(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The columns as float64, null where a cell is no number. Dates, ISO 8601 texts too, are days since 1970 (UTC)."""
    return frame.select([_column(frame[name]) for name in names])


def points_for_commas(frame: pl.DataFrame, mark: str, decimal: str = "") -> tuple[pl.DataFrame, str]:
    """Columns of "1,5" as columns of "1.5", in a file of texts whose cells `mark` parts; and its decimal mark.

    "1,234" can be either. Between semicolons a comma is the decimal mark, as whoever writes numbers so parts cells so;
    elsewhere it is one only if another cell of the file shows it ("0,25"). A column of "2.5" says that it is none.
    decimal: the mark that other files like this one have, for a file that does not show its own; "" where none did.
    """
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    some = [name for name in texts if frame[name].str.contains(",", literal=True).any()]
    commas = [name for name in some if _mostly(frame[name], _COMMA)]
    shown = any((frame[name].str.contains(_COMMA) & ~frame[name].str.contains(_THOUSANDS)).any() for name in commas)
    points = [name for name in texts if name not in commas and _mostly(frame[name], _POINT)]
    if any(not _mostly(frame[name], _GROUPS) for name in points):
        return frame, "."
    if not shown and (decimal == "." or not (decimal or (commas and mark == ";"))):
        return frame, decimal
    grouped = points if shown or decimal == "," else ()
    return frame.with_columns(_with_point(name) for name in [*commas, *grouped]), ","


def _column(column: pl.Series) -> pl.Series:
    import polars as pl

    kind = column.dtype
    if kind.is_temporal():
        return column.cast(pl.Datetime("us"), strict=False).dt.timestamp("us").cast(pl.Float64) / _DAY
    if kind.is_nested():
        raise Refusal(f"holds {kind} in each cell", where=f"column {column.name}", fix=f"data.drop=[{column.name}]")
    if kind in (pl.Categorical, pl.Enum):
        return pl.Series(column.name, [None] * column.len(), dtype=pl.Float64)
    numbers = column.cast(pl.Float64, strict=False)
    if kind != pl.String or numbers.null_count() == column.null_count() or not column.str.contains(_DATE).any():
        return numbers
    return numbers.zip_with(numbers.is_not_null(), _days(column))


def _days(column: pl.Series) -> pl.Series:
    """Of ISO 8601 dates and times; a time without a zone is taken as UTC, as one of a parquet file is."""
    import polars as pl

    dates = column.str.contains(_DATE)
    told = column.str.replace("T", " ", literal=True).str.replace(r"(Z|[+-]00:?00)$", "")
    zoned = told.str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
    forms = pl.coalesce(
        pl.col("told").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"),
        pl.col("told").str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us"),
        pl.col("told").str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
        pl.col("zoned")
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_unit="us")
        .dt.replace_time_zone(None),
        pl.col("zoned").str.to_datetime("%Y-%m-%d %H:%M%z", strict=False, time_unit="us").dt.replace_time_zone(None),
    )
    frame = pl.DataFrame({"told": told, "zoned": zoned, "dates": dates})
    days = frame.select(pl.when("dates").then(forms).dt.timestamp("us").cast(pl.Float64) / _DAY).to_series()
    return days.alias(column.name)


def _with_point(name: str) -> pl.Expr:
    import polars as pl

    cell = pl.col(name)
    plain = cell.str.replace_all(r"[. ]", "").str.replace(",", ".", literal=True)
    return pl.when(cell.str.contains(f"{_COMMA}|{_GROUPS}")).then(plain).otherwise(cell).alias(name)


def _mostly(column: pl.Series, pattern: str) -> bool:
    """Whether some cells match, and next to all others are whole numbers."""
    matches, whole = (int(column.str.contains(p).sum()) for p in (pattern, r"^[+-]?\d+$"))
    return matches > 0 and matches + whole >= MOSTLY * (column.len() - column.null_count())
