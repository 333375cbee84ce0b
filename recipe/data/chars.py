"""A text for language models: cut into blocks of equal length, or one item a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipe.data.data import Trouble
from recipe.data.text_files import LOST, decode
from recipe.data.texts import UNITS, Texts, split_text
from recipe.record.refusal import Refusal

WORDS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
SHORT = 40
"""Lines of at most so many characters on average, without blanks, are items of their own: names, words."""


def chars(
    path: str, *, block_size: int = 64, lines: bool | str = "auto", encoding: str = "auto", unit: str = "characters"
) -> dict[str, Any]:
    """Each item is a piece of the text of block_size + 1 characters (or words), or a line; its targets are the next.

    path: a text file, or a folder with train.txt, val.txt and test.txt. Blocks are ordered by their position. unit:
    characters or words; words are in lower case, punctuation marks by themselves.
    """
    if unit not in UNITS:
        raise Refusal(f"there is no unit {unit!r}", where="data.unit", fix=f"one of: {', '.join(UNITS)}")
    if path is None:
        raise Refusal("which file?", where="data.path", fix="data.path=FILE.txt")
    found = {split: _read(file, encoding) for split, file in _files(Path(path).expanduser()).items()}
    by_line = _are_lines(found["train"]) if lines == "auto" else bool(lines)
    mapping: dict[str, Any] = {"kind": "text", "ids": {}, "unreadable": []}
    for split, told in found.items():
        if by_line:
            items = [(f"line {k}", line.strip()) for k, line in enumerate(told.split("\n"), 1) if line.strip()]
        else:
            items = _blocks(told, block_size, unit)
        items = _sound(items, split, mapping["unreadable"])
        if not items:
            raise Refusal(f"{split} has fewer {unit} than one block", where=path, fix="data.block_size=16")
        mapping[split] = (Texts([text for _, text in items], whole=by_line, unit=unit), None)
        mapping["ids"][split] = [f"{split}: {name}" if len(found) > 1 else name for name, _ in items]
    if by_line:
        return mapping | {"notes": ["Each line is an item by itself: data.lines=false cuts the text into blocks."]}
    order: dict[str, Sequence[int]] = {split: range(len(ids)) for split, ids in mapping["ids"].items()}
    notes = [f"The text is cut into blocks of {block_size} {unit}, each with the one that comes next."]
    return mapping | {"attributes": {s: {"block": list(v)} for s, v in order.items()}, "time": "block", "notes": notes}


def _blocks(told: str, size: int, unit: str) -> list[tuple[str, str]]:
    """(name, text) of each block with the unit that comes after it."""
    units: Sequence[str] = told if unit == "characters" else split_text(told, unit)
    gap = "" if unit == "characters" else " "
    starts = range(0, len(units) - size, size)
    return [(f"{unit.removesuffix('s')} {k + 1}", gap.join(units[k : k + size + 1])) for k in starts]


def _files(top: Path) -> dict[str, Path]:
    if not top.exists():
        raise Refusal(
            "there is no such file", where=str(top), fix="data.path=FILE.txt, as seen from where you type this"
        )
    if not top.is_dir():
        return {"train": top}
    inside = sorted(f for f in top.iterdir() if f.is_file() and not f.name.startswith("."))
    named = {split: next((f for f in inside if f.stem.lower() in words), None) for split, words in WORDS.items()}
    if named["train"] is None:
        if len(inside) == 1:
            return {"train": inside[0]}
        raise Refusal("holds no train.txt", where=str(top), fix="data.path=FILE.txt")
    return {split: file for split, file in named.items() if file is not None}


def _read(file: Path, encoding: str) -> str:
    try:
        told = decode(file.read_bytes(), encoding, str(file))
    except OSError as error:
        raise Refusal(f"cannot be read ({error.strerror or error})", where=str(file)) from error
    if not told.strip():
        raise Refusal("is empty", where=str(file))
    return told.replace("\r\n", "\n")


def _are_lines(told: str) -> bool:
    lines = [line for line in told.split("\n") if line.strip()]
    words = sum(len(line.split()) for line in lines)
    return len(lines) >= 20 and words <= 1.05 * len(lines) and sum(map(len, lines)) <= SHORT * len(lines)


def _sound(items: list[tuple[str, str]], split: str, lost: list[Trouble]) -> list[tuple[str, str]]:
    lost += [Trouble(split, name, "holds bytes that cannot be decoded") for name, text in items if LOST.search(text)]
    return [(name, text) for name, text in items if not LOST.search(text)]
