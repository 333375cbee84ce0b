"""Tables from files: csv, tsv, parquet or json lines, read by polars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.data.data import Trouble
from recipe.data.frame import EMPTY, Dialect, read_frame
from recipe.data.rows import rows
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    import polars as pl

ENDINGS = (".csv", ".tsv", ".txt", ".data", ".parquet", ".jsonl", ".ndjson")


def table(
    path: str,
    target: str | int,
    *,
    val_path: str | None = None,
    test_path: str | None = None,
    header: bool | str = "auto",
    separator: str = "auto",
    skip_lines: int | Mapping[str, int] = 0,
    columns: Sequence[str] | None = None,
    empty: Sequence[str] = EMPTY,
    drop: Sequence[str | int] = (),
    id: str | int | None = None,
    group: str | int | None = None,
    time: str | int | None = None,
) -> dict[str, Any]:
    """Rows of a table. path: a file, or a folder with train.*, val.* and test.*; target: a column by name or position.

    skip_lines: lines above each file's table, or {split: lines}. columns: their names, where the file has none. empty:
    cells that stand for nothing.
    id, group, time: columns that name a row, belong together, or order the rows; none of them is an input.
    """
    files = _files(path, val_path, test_path)
    odd: list[Trouble] = []
    frames: dict[str, pl.DataFrame] = {}
    written = Dialect(tuple(map(str, empty)))
    # Train comes first: what its cells show of how numbers are written, those of the others may not.
    for split, file in files.items():
        frames[split], own = _read(split, file, header, separator, written, _lines(skip_lines, split), odd)
        written = own if split == "train" else written
    if columns is not None:
        frames = {split: _named(frame, columns, files[split]) for split, frame in frames.items()}
    called = {split: str(file) for split, file in files.items()}
    made = rows(frames, called, target, drop=drop, id=id, group=group, time=time, written=written)
    return made | {"odd": [*odd, *made["odd"]]}


def _read(
    split: str, file: Path, header: bool | str, separator: str, written: Dialect, skip: int, odd: list[Trouble]
) -> tuple[pl.DataFrame, Dialect]:
    passed: list[str] = []
    frame, written = read_frame(file, header, separator, written, skip, passed)
    odd += [Trouble(split, f"{file.name} line {skip + 1}", f"{line[:60]!r} is no row; passed over") for line in passed]
    return frame, written


def _named(frame: pl.DataFrame, columns: Sequence[str], file: Path) -> pl.DataFrame:
    if len(columns) != frame.width or len(set(columns)) < len(columns):
        raise Refusal(
            f"{len(columns)} names for {frame.width} columns" if len(set(columns)) == len(columns) else "a name twice",
            where=f"data.columns for {file}",
            fix="give every column, the target too, a name of its own",
        )
    return frame.rename(dict(zip(frame.columns, map(str, columns), strict=True)))


def _lines(skip: int | Mapping[str, int], split: str) -> int:
    lines = skip.get(split, 0) if isinstance(skip, Mapping) else skip
    if not isinstance(lines, int) or lines < 0:
        raise Refusal(f"{lines!r} is no number of lines", where="data.skip_lines", fix="data.skip_lines=1")
    return lines


def _files(path: str, val_path: str | None, test_path: str | None) -> dict[str, Path]:
    if path is None:
        raise Refusal("which file?", where="data.path", fix="data.path=table.csv data.target=COLUMN")
    top = Path(path).expanduser()
    if not top.exists():
        raise Refusal(
            "there is no such file", where=str(top), fix="data.path=FILE, as seen from the folder you type this in"
        )
    found: dict[str, Path] = {}
    if top.is_dir():
        for split, words in (("train", ("train",)), ("val", ("val", "valid", "validation")), ("test", ("test",))):
            matches = [f for f in sorted(top.iterdir()) if f.suffix.lower() in ENDINGS and f.stem.lower() in words]
            found |= {split: matches[0]} if matches else {}
        if "train" not in found:
            raise Refusal("no train.csv (or .parquet, .jsonl) in this folder", where=str(top), fix="data.path=FILE")
    else:
        found["train"] = top
    for split, given in (("val", val_path), ("test", test_path)):
        if given is not None:
            found[split] = Path(given).expanduser()
            if not found[split].is_file():
                raise Refusal("there is no such file", where=str(found[split]), fix=f"data.{split}_path=FILE")
    return found
