"""Files that hold texts → rows of cells: csv, tsv, json lines, parquet, or a label and a text on each line."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from recipe.record.refusal import Refusal

MARKS = ("\t", ",", ";", "|")
LABEL_FIRST = re.compile(r"(?:__label__)?(\S+)\s+(\S.*)")
LOST = re.compile("[\udc80-\udcff]")
"""A byte that is no UTF-8, as `decode` marks it."""
LABELS = 100


@dataclass(frozen=True)
class Rows:
    """columns: names. rows: (where in the file, its cells). broken: (where, why) of rows that are left out."""

    columns: tuple[str, ...]
    rows: list[tuple[str, list[str]]]
    broken: list[tuple[str, str]] = field(default_factory=list)


def read_rows(file: Path, header: bool | str, separator: str, encoding: str) -> Rows:
    """The rows of one file. Refusal when it holds none, or is no text.

    separator: the mark between cells, or "label": each line is a label and a text; "auto" looks.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Refusal(f"cannot be read ({error.strerror or error})", where=str(file)) from error
    if not data.strip():
        raise Refusal("is empty", where=str(file))
    ending = file.suffix.lower()
    if ending == ".parquet":
        return _parquet(file)
    text = decode(data, encoding, str(file))
    if ending in (".jsonl", ".ndjson", ".json"):
        return _json(text, file)
    mark = _separator(text, ending) if separator == "auto" else separator
    found = _label_first(text, file) if mark == "label" else _table(text, mark, header, file)
    if not found.rows:
        raise Refusal("holds no rows", where=str(file))
    return found


def decode(data: bytes, encoding: str, where: str) -> str:
    """Bytes as text; a byte that is none in the encoding becomes a lone surrogate, for `LOST` to find.

    auto: what a byte order mark says; UTF-8 where all or most lines with marks beyond ASCII are; else Windows-1252,
    which is Latin-1 with printable characters at 0x80 … 0x9f.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[: 1 << 16]:
        raise Refusal("is not a text file", where=where, fix="csv, tsv, json lines, parquet or plain text")
    if encoding != "auto":
        try:
            name = codecs.lookup(encoding).name
        except LookupError as error:
            raise Refusal(
                f"there is no encoding {encoding!r}", where="data.encoding", fix="utf-8, latin-1, cp1252 …"
            ) from error
        return data.decode("utf-8-sig" if name == "utf-8" else name, errors="surrogateescape")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        lines = [line for line in data.split(b"\n") if not line.isascii()]
        sound = sum(_is_utf8(line) for line in lines)
        if sound > len(lines) - sound:
            return data.decode("utf-8-sig", errors="surrogateescape")
        return codecs.charmap_decode(data, "strict", _WINDOWS)[0]


_WINDOWS = "".join(bytes([k]).decode("cp1252", errors="replace").replace("�", chr(k)) for k in range(256))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _separator(text: str, ending: str) -> str:
    """The mark that cuts nearly all of the first lines into the same number of cells; else "label"."""
    head = text[: 1 << 18]
    usual = {".tsv": "\t", ".csv": ","}.get(ending)
    for mark in MARKS:
        for quoted in (True, False):
            rows = [row for row in _cells(head, mark, quoted)[:200] if row]
            width, count = Counter(map(len, rows)).most_common(1)[0]
            if width > 1 and count >= 0.98 * len(rows):
                return mark
    lines = text.split("\n")
    # The file may be sorted by label: lines are looked at all over it.
    return "label" if not usual or _labels(lines[:: max(1, len(lines) // 5000)]) else usual


def _cells(text: str, mark: str, quoted: bool) -> list[list[str]]:
    csv.field_size_limit(1 << 30)
    lines = io.StringIO(text, newline="")
    if quoted:
        return list(csv.reader(lines, delimiter=mark))
    return list(csv.reader(lines, delimiter=mark, quoting=csv.QUOTE_NONE))


def _table(text: str, mark: str, header: bool | str, file: Path) -> Rows:
    """Cells in quotes or not: quotes are taken for what they look like where reading them breaks rows."""
    if len(mark) != 1:
        raise Refusal(f"{mark!r} is no separator", where="data.separator", fix='one mark, or "label", or auto')
    try:
        found = [_cells(text, mark, True)]
    except csv.Error:
        found = []
    if not found or _misfits(found[0], mark):
        found.append(_cells(text, mark, False))
    rows = [row for row in min(found, key=lambda one: _misfits(one, mark)) if any(cell.strip() for cell in row)]
    if not rows:
        raise Refusal("holds no rows", where=str(file))
    width = Counter(map(len, rows)).most_common(1)[0][0]
    has = _has_header(rows, width) if header == "auto" else bool(header)
    columns = tuple(c.strip() for c in rows[0]) if has else tuple(f"column {k}" for k in range(width))
    sound, broken = [], []
    for number, row in enumerate(rows[has:], 1):
        where = f"row {number}"
        if len(row) != len(columns):
            broken.append((where, f"has {len(row)} cells, others {len(columns)}"))
        else:
            sound.append((where, row))
    return Rows(columns, sound, broken)


def _misfits(rows: Sequence[Sequence[str]], mark: str) -> int:
    """Rows of another width than most, and cells that swallowed a line end where tabs part them."""
    filled = [row for row in rows if row]
    usual = Counter(map(len, filled)).most_common(1)[0][0] if filled else 0
    swallowed = sum("\n" in cell for row in filled for cell in row) if mark == "\t" else 0
    return sum(len(row) != usual for row in filled) + swallowed


def _has_header(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Names are short, different, no numbers, and do not come again below, as a label would."""
    first = [cell.strip() for cell in rows[0]]
    if len(first) != width or len(set(first)) < width or not all(first):
        return False
    if any(len(cell) > 40 or len(cell.split()) > 3 or _is_number(cell) for cell in first):
        return False
    below = [row for row in rows[1:2000] if len(row) == width]
    return not any(first[k] == row[k].strip() for row in below for k in range(width))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _labels(lines: Sequence[str]) -> bool:
    """Whether each line starts with one of a few words that come again and again."""
    firsts = Counter(match[1] for line in lines if (match := LABEL_FIRST.match(line)))
    filled = sum(bool(line.strip()) for line in lines)
    few = 2 <= len(firsts) <= min(LABELS, max(2, filled // 10))
    return few and sum(firsts.values()) >= 0.98 * filled and min(firsts.values()) >= min(2, filled // 20)


def _label_first(text: str, file: Path) -> Rows:
    rows, broken = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        match = LABEL_FIRST.match(line.strip())
        if match is None:
            broken.append((f"line {number}", "has a label and no text"))
        else:
            rows.append((f"line {number}", [match[1], match[2]]))
    if not _labels([f"{label} {words}" for _, (label, words) in rows]):
        raise Refusal(
            "has neither columns nor a label at the start of each line",
            where=str(file),
            fix="name data.separator, or put the texts of each class into a folder of its own",
        )
    return Rows(("label", "text"), rows, broken)


def _json(text: str, file: Path) -> Rows:
    """One object a line, or one list of objects."""
    found: list[tuple[str, object]] = []
    broken = []
    if text.lstrip().startswith("["):
        try:
            found = [(f"row {k}", one) for k, one in enumerate(json.loads(text), 1)]
        except ValueError as error:
            raise Refusal(f"is no JSON ({error})", where=str(file), fix="one object a line") from error
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    found.append((f"row {number}", json.loads(line)))
                except ValueError:
                    broken.append((f"row {number}", "is no JSON"))
    objects = [(where, one) for where, one in found if isinstance(one, dict)]
    broken += [(where, "is no JSON object") for where, one in found if not isinstance(one, dict)]
    columns = tuple(dict.fromkeys(key for _, one in objects for key in one))
    if not objects:
        raise Refusal("holds no rows", where=str(file), fix="one JSON object a line")
    return Rows(columns, [(where, [_cell(one.get(c)) for c in columns]) for where, one in objects], broken)


def _cell(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parquet(file: Path) -> Rows:
    import polars as pl

    try:
        frame = pl.read_parquet(file)
    except Exception as error:  # polars raises a family of its own
        raise Refusal(f"cannot be read ({str(error).splitlines()[0][:200]})", where=str(file)) from error
    rows = frame.with_columns(pl.all().cast(pl.String, strict=False).fill_null("")).rows()
    return Rows(tuple(frame.columns), [(f"row {k}", list(row)) for k, row in enumerate(rows, 1)])
