"""A file of rows → a polars frame: csv, tsv, parquet or json lines, whatever their encoding, separator and header."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from recipe.data.numbers import points_for_commas
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    import polars as pl

EMPTY = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-")
"""Cells that stand for nothing."""
MARKS = (",", "\t", ";", "|")
MOST = 20_000
"""Columns beyond which a file is no table."""


class Dialect(msgspec.Struct, frozen=True):
    """How the cells of a file of texts are written, for other files like it.

    empty: cells that stand for nothing. decimal: "," or "."; "" where no cell shows it.
    """

    empty: tuple[str, ...] = EMPTY
    decimal: str = ""


PLAIN = Dialect()


def read_frame(
    file: Path,
    header: bool | str,
    separator: str,
    written: Dialect,
    skip: int = 0,
    passed: list[str] | None = None,
) -> tuple[pl.DataFrame, Dialect]:
    """The file's table, its cells tidied, and its dialect. Refusal when it is none, or holds no rows.

    header: whether the first row names the columns; separator: the mark between cells; "auto" for both looks. skip:
    lines above the table. written: what its own cells do not show.
    A first line of one cell above rows of several is passed over too, and told in `passed`.
    """
    import polars as pl

    try:
        if file.suffix == ".parquet":
            frame = pl.read_parquet(file)
        elif file.suffix in (".jsonl", ".ndjson"):
            frame = pl.read_ndjson(file, infer_schema_length=None)
        else:
            frame, written = _read_text(file, header, separator, written, skip, passed if passed is not None else [])
    except Refusal:
        raise
    except OSError as error:
        raise Refusal(f"cannot be read ({error.strerror or error})", where=str(file)) from error
    except Exception as error:  # polars raises a family of its own, and panics on some damaged files
        reason = str(error).strip().split("\n")[0][:200]
        raise Refusal(
            f"is not a table that can be read ({reason})", where=str(file), fix="mend the file, or name data.separator"
        ) from error
    if frame.height == 0:
        raise Refusal("holds no rows", where=str(file))
    return frame, written


def _read_text(
    file: Path, header: bool | str, separator: str, written: Dialect, skip: int, passed: list[str]
) -> tuple[pl.DataFrame, Dialect]:
    """Every cell as text first, then numbers where a column has them: so a space or a stray word costs nothing."""
    import polars as pl

    text = _decode(file)
    for _ in range(skip):
        text = text.partition("\n")[2]
    if not text.strip():
        raise Refusal("is empty", where=str(file))
    _refuse_wide(text, file)
    if line := _no_row(text, separator):
        passed.append(line)
        text = text.partition("\n")[2]
    first = [line for line in text.split("\n", 20)[:20] if line.strip()]
    mark = _separator(first) if separator == "auto" else separator
    row = next(csv.reader(io.StringIO(first[0]), delimiter=mark, skipinitialspace=True))
    has = _has_header(row) if header == "auto" else bool(header)
    if has:
        names = [name.strip() for name in row]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise Refusal(
                f"two columns are called {twice[0]!r}", where=str(file), fix="rename one, or say data.header=false"
            )
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()),
            separator=mark,
            has_header=has,
            infer_schema=False,
            null_values=list(written.empty),
            quote_char='"',
        )
    except pl.exceptions.ComputeError:
        _refuse_ragged(text, mark, len(row), file)
        raise
    frame = frame.rename(
        {c: c.strip() for c in frame.columns} if has else {c: f"column {k}" for k, c in enumerate(frame.columns)}
    )
    tidy = frame.with_columns(pl.all().str.strip_chars())
    known = tidy.with_columns(pl.when(pl.all().is_in(list(written.empty))).then(None).otherwise(pl.all()).name.keep())
    # An empty line is no row.
    frame, decimal = points_for_commas(known.filter(~pl.all_horizontal(pl.all().is_null())), mark, written.decimal)
    return frame, Dialect(written.empty, decimal)


def _refuse_wide(text: str, file: Path) -> None:
    """Before anything is split: a line of a million cells takes long."""
    for line in text.split("\n", 2)[:2]:
        if (cells := max(line.count(mark) for mark in MARKS)) > MOST:
            raise Refusal(
                f"has {cells + 1:,} columns; {MOST:,} are the most",
                where=str(file),
                fix="use data=arrays for such data",
            )


def _refuse_ragged(text: str, mark: str, width: int, file: Path) -> None:
    """The first line with more cells than there are columns, by its number."""
    reader = csv.reader(io.StringIO(text), delimiter=mark, skipinitialspace=True)
    for row in reader:
        if len(row) > width:
            raise Refusal(
                f"line {reader.line_num} of its table has {len(row)} cells, and there are {width} columns",
                where=str(file),
                fix="mend the line, put quotes around a cell that holds the mark between cells, or name data.separator",
            )


def _no_row(text: str, separator: str) -> str:
    """The first line, where it is one cell and the lines after it are several each: a title, or a remark."""
    lines = [line for line in text.split("\n", 21)[:21] if line.strip()]
    if len(lines) < 3:
        return ""
    # A mark that splits them all speaks first: rows may share another one, the comma of their decimals.
    marks = [_separator(lines), _separator(lines[1:])] if separator == "auto" else [separator]
    for mark in marks:
        widths = [len(next(csv.reader([line], delimiter=mark, skipinitialspace=True))) for line in lines]
        if len(set(widths[1:])) == 1 and widths[1] > 1:
            return lines[0].strip() if widths[0] == 1 else ""
    return ""


def _decode(file: Path) -> str:
    data = file.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[: 1 << 16]:
        raise Refusal("is not a text file", where=str(file), fix="data.path takes csv, tsv, parquet or json lines")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _separator(lines: Sequence[str]) -> str:
    """The mark that splits all of the first lines into the same number of cells, at least two."""
    best, cells = ",", 1
    for mark in MARKS:
        widths = {
            len(row) for row in csv.reader([line for line in lines if line], delimiter=mark, skipinitialspace=True)
        }
        if len(widths) == 1 and (width := widths.pop()) > cells:
            best, cells = mark, width
    return best


def _has_header(row: Sequence[str]) -> bool:
    """A first row with a number or an empty cell in it is data."""
    return not any(_is_number(cell) for cell in row) and all(cell.strip() for cell in row[1:])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
