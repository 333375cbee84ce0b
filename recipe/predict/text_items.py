"""New texts: written on the command line, one a line of a text file, rows of a table, or one a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from recipe.data.text_encoders import TextEncoder, TokenEncoder
from recipe.data.text_files import LOST, decode, read_rows
from recipe.data.texts import Texts, split_text
from recipe.record.refusal import Refusal

FILES = ("file",)
"""What `Texts.columns` says of texts that were files."""
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
STRANGE = 0.5
"""A text is unlike the training data when more than this share of its words never occurred there."""


class NewText(NamedTuple):
    """What it is called and what it says; or why it cannot be read."""

    name: str
    text: str
    trouble: str = ""


def read_texts(given: str, columns: tuple[str, ...]) -> Iterator[NewText]:
    """The texts that one word of the command line stands for. columns: of the training file that held the texts."""
    path = Path(given).expanduser()
    if not _exists(path):
        if path.suffix.lower() in (*TABLES, ".txt"):
            raise Refusal("there is no such file", where=given, fix="a file, a folder, or a text in quotes")
        yield NewText(given, given.strip())
    elif path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                yield from read_texts(str(file), columns)
    elif path.suffix.lower() in TABLES:
        yield from _from_table(path, columns)
    else:
        told = decode(path.read_bytes(), "auto", str(path))
        lines = [told.strip()] if columns == FILES else told.split("\n")
        for number, line in enumerate(lines, 1):
            if line.strip() or columns == FILES:
                yield _told(str(path) if columns == FILES else f"{path.name} line {number}", line.strip())


def strange(texts: Texts, encoder: TextEncoder) -> dict[int, str]:
    """{position: why} of the texts whose words training never saw."""
    unit = encoder.unit if isinstance(encoder, TokenEncoder) else "words"
    found = {}
    for place, text in enumerate(texts):
        words = split_text(text, unit)
        new = sum(word not in encoder.places for word in words)
        if new > STRANGE * len(words):
            found[place] = f"{new} of its {len(words)} {unit} are unknown to the model"
    return found


def _from_table(path: Path, columns: tuple[str, ...]) -> Iterator[NewText]:
    rows = read_rows(path, "auto", "auto", "auto")
    yield from (NewText(f"{path.name} {where}", "", why) for where, why in rows.broken)
    known = [rows.columns.index(name) for name in columns if name in rows.columns]
    if len(known) < len(columns) and len(rows.columns) > 1:
        raise Refusal(
            f"has no column {next(c for c in columns if c not in rows.columns)!r}",
            where=str(path),
            fix=f"the model reads: {', '.join(columns)}; the file has {', '.join(rows.columns)[:200]}",
        )
    for where, cells in rows.rows:
        chosen = known or [0]
        yield _told(f"{path.name} {where}", " ".join(cells[k].strip() for k in chosen if cells[k].strip()))


def _told(name: str, text: str) -> NewText:
    if not text:
        return NewText(name, "", "the text is empty")
    if LOST.search(text):
        return NewText(name, "", "holds bytes that cannot be decoded")
    return NewText(name, text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A long text is no file name.
        return False
