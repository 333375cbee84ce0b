"""Texts with labels: csv, tsv, json lines or parquet, a label and a text on each line, or a folder of files a class."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from recipe.data.data import Trouble
from recipe.data.text_files import LOST, Rows, decode, read_rows
from recipe.data.texts import Texts
from recipe.record.refusal import Refusal

WORDS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
ENDINGS = (".csv", ".tsv", ".txt", ".all", ".jsonl", ".ndjson", ".json", ".parquet")
TEXT_NAMES = ("text", "sentence", "review", "content", "comment", "message", "tweet", "document", "body")
TARGET_NAMES = ("label", "target", "class", "category", "sentiment", "polarity", "y", "labels")
CLASS_FILES = ("classes.txt", "labels.txt")
GARBLED = ("�", "Ã©", "Ã¨", "â€", "Ã¼", "Ã¶", "Ã¤")
"""What UTF-8 looks like that was read as something else."""


class Read(NamedTuple):
    """One split, item by item."""

    texts: list[str]
    labels: list[str]
    names: list[str]
    beside: dict[str, list[str]]
    columns: tuple[str, ...] = ("file",)


def text(
    path: str,
    *,
    text: str | int | Sequence[str | int] = "auto",
    target: str | int = "auto",
    val_path: str | None = None,
    test_path: str | None = None,
    classes: str | Sequence[str] | None = "auto",
    header: bool | str = "auto",
    separator: str = "auto",
    encoding: str = "auto",
    drop: Sequence[str] = (),
    id: str | int | None = None,
    group: str | int | None = None,
    time: str | int | None = None,
) -> dict[str, Any]:
    """Texts and what they are labelled. path: a file, a folder with train.*, val.*, test.*, or with a folder a class.

    text, target: columns by name or position; several texts are joined. classes: names for labels that count from 0 or
    1, or a file with a name a line. drop: labels to leave out. id, group, time: as for tables.
    """
    if path is None:
        raise Refusal("which file?", where="data.path", fix="data.path=FILE.csv, or a folder with one folder a class")
    lost: list[Trouble] = []
    notes: list[str] = []
    top = Path(path).expanduser()
    found = _files(top, val_path, test_path)
    columns = {"text": text, "target": target, "id": id, "group": group, "time": time}
    splits: dict[str, Read] = {}
    for split, place in found.items():
        if place.is_dir():
            splits[split] = _folder(split, place, encoding, lost)
        else:
            rows = read_rows(place, header, separator, encoding)
            columns = columns if splits else _chosen(rows, columns, place, notes)
            splits[split] = _file(split, place, rows, columns, lost)
    splits = {split: _without(read, set(map(str, drop))) for split, read in splits.items()}
    names = _classes(classes, top, [label for read in splits.values() for label in read.labels])
    return {
        **{
            split: (Texts(read.texts, read.columns), _labels(read.labels, names, splits))
            for split, read in splits.items()
        },
        "kind": "text",
        "classes": names,
        "ids": {split: read.names for split, read in splits.items()},
        "groups": {split: read.beside["group"] for split, read in splits.items() if "group" in read.beside},
        "attributes": {split: {"time": read.beside["time"]} for split, read in splits.items() if "time" in read.beside},
        "time": "time" if time is not None else None,
        "unreadable": lost,
        "odd": [trouble for split, read in splits.items() for trouble in _garbled(split, read)],
        "notes": notes,
    }


def _files(top: Path, val_path: str | None, test_path: str | None) -> dict[str, Path]:
    """The file or folder of each split."""
    if not top.exists():
        raise Refusal("there is no such file or folder", where=str(top), fix="as seen from the folder you type this in")
    found = {"train": top}
    if top.is_dir():
        inside = [entry for entry in sorted(top.iterdir()) if not entry.name.startswith(".")]
        known = [entry for entry in inside if entry.is_dir() or entry.suffix.lower() in ENDINGS]
        named = {
            split: next((e for e in known if (e.name if e.is_dir() else e.stem).lower() in words), None)
            for split, words in WORDS.items()
        }
        if named["train"] is not None:
            found = {split: entry for split, entry in named.items() if entry is not None}
        elif not any(entry.is_dir() for entry in inside):
            raise Refusal(
                "holds no folder and no train file",
                where=str(top),
                fix=f"data.path=FILE; it has {', '.join(e.name for e in inside)[:200] or 'nothing'}",
            )
    for split, given in (("val", val_path), ("test", test_path)):
        if given is not None:
            found[split] = Path(given).expanduser()
            if not found[split].exists():
                raise Refusal("there is no such file", where=str(found[split]), fix=f"data.{split}_path=FILE")
    return found


def _folder(split: str, top: Path, encoding: str, lost: list[Trouble]) -> Read:
    """One text a file, one folder a class."""
    read = Read([], [], [], {})
    for place in sorted(entry for entry in top.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        for file in sorted(place.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                name = os.path.relpath(file, top.parent if split in top.name.lower() else top)
                try:
                    told = decode(file.read_bytes(), encoding, str(file)).strip()
                except (Refusal, OSError) as error:
                    lost.append(Trouble(split, name, str(getattr(error, "what", error))))
                    continue
                _take(read, split, name, told, place.name, {}, lost)
    if not read.texts:
        raise Refusal(f"{split} holds no texts", where=str(top), fix="one folder a class, with a file a text in it")
    return read


def _file(split: str, file: Path, rows: Rows, columns: Mapping[str, Any], lost: list[Trouble]) -> Read:
    lost += [Trouble(split, f"{file.name} {where}", why) for where, why in rows.broken]
    given = columns["text"]
    several = given if isinstance(given, (list, tuple)) else [given]
    texts = [_column(one, rows, file, "text") for one in several]
    target = _column(columns["target"], rows, file, "target")
    beside = {
        key: _column(columns[key], rows, file, key) for key in ("id", "group", "time") if columns[key] is not None
    }
    read = Read([], [], [], {key: [] for key in beside}, tuple(rows.columns[k] for k in texts))
    for where, cells in rows.rows:
        told = " ".join(cells[k].strip() for k in texts if cells[k].strip())
        own = {key: cells[k].strip() for key, k in beside.items()}
        _take(read, split, own.get("id") or f"{file.name} {where}", told, cells[target].strip(), own, lost)
    if not read.texts:
        raise Refusal(f"no row of {split} has a text and a label", where=str(file), fix="data.text=… data.target=…")
    return read


def _take(
    read: Read, split: str, name: str, told: str, label: str, beside: Mapping[str, str], lost: list[Trouble]
) -> None:
    """Appends one item, or lists it with the reason why it cannot be used."""
    name = LOST.sub("?", name)
    if not told:
        lost.append(Trouble(split, name, "the text is empty"))
    elif not label:
        lost.append(Trouble(split, name, "has no label"))
    elif (bad := LOST.search(told) or LOST.search(label)) is not None:
        why = f"byte 0x{ord(bad[0]) - 0xDC00:02x} at character {bad.start() + 1} cannot be decoded"
        lost.append(Trouble(split, name, why))
    else:
        read.texts.append(told)
        read.labels.append(label)
        read.names.append(name)
        for key, values in read.beside.items():
            values.append(beside[key])


def _chosen(rows: Rows, columns: dict[str, Any], file: Path, notes: list[str]) -> dict[str, Any]:
    """The columns with those found that were not named: the label is the one of few values, texts are of many words."""
    chosen = dict(columns)
    used = {_column(v, rows, file, k) for k, v in columns.items() if v not in (None, "auto") and k != "text"}
    if columns["text"] != "auto":
        several = columns["text"] if isinstance(columns["text"], (list, tuple)) else [columns["text"]]
        used |= {_column(one, rows, file, "text") for one in several}
    cells = {k: [row[k].strip() for _, row in rows.rows] for k in range(len(rows.columns)) if k not in used}
    lower = [name.lower() for name in rows.columns]
    if columns["target"] == "auto":
        named = [lower.index(name) for name in TARGET_NAMES if name in lower and lower.index(name) in cells]
        few = [k for k, values in cells.items() if len(set(values)) <= max(2, min(100, len(values) // 10))]
        few = [k for k in few if sum(len(v.split()) for v in cells[k]) <= 2 * len(cells[k])] or few
        if not named and len(few) != 1:
            raise Refusal("which column is the label?", where=f"data.target in {file}", fix=_told(rows))
        chosen["target"] = (named or few)[0]
        cells.pop(chosen["target"])
    if columns["text"] == "auto":
        named = [lower.index(name) for name in TEXT_NAMES if name in lower and lower.index(name) in cells]
        wordy = [k for k, values in cells.items() if sum(len(v.split()) for v in values) >= 3 * len(values)]
        chosen["text"] = named[:1] or wordy
        if not chosen["text"]:
            raise Refusal("which column is the text?", where=f"data.text in {file}", fix=_told(rows))
    if chosen != columns:
        texts = chosen["text"] if isinstance(chosen["text"], list) else [chosen["text"]]
        said = " and ".join(rows.columns[_column(k, rows, file, "text")] for k in texts)
        label = rows.columns[_column(chosen["target"], rows, file, "target")]
        notes.append(f"Texts are taken from {said}, labels from {label}: data.text and data.target say otherwise.")
    return chosen


def _column(given: Any, rows: Rows, file: Path, key: str) -> int:
    if isinstance(given, str) and given in rows.columns:
        return rows.columns.index(given)
    if isinstance(given, int) and -len(rows.columns) <= given < len(rows.columns):
        return given % len(rows.columns)
    raise Refusal(f"there is no column {given!r}", where=f"data.{key} in {file}", fix=_told(rows))


def _told(rows: Rows) -> str:
    return f"its columns, by name or position: {', '.join(rows.columns)[:300]}"


def _without(read: Read, drop: set[str]) -> Read:
    if not drop:
        return read
    kept = [k for k, label in enumerate(read.labels) if label not in drop]
    texts, labels, names = ([column[k] for k in kept] for column in (read.texts, read.labels, read.names))
    beside = {key: [values[k] for k in kept] for key, values in read.beside.items()}
    return Read(texts, labels, names, beside, read.columns)


def _classes(given: str | Sequence[str] | None, top: Path, labels: Sequence[str]) -> list[str] | None:
    """Names of the classes: as given, or a line each of a file; auto: classes.txt beside the data, where it fits."""
    if given is None or not isinstance(given, str):
        return None if given is None else [str(name) for name in given]
    if given != "auto":
        file = Path(given).expanduser()
        if not file.is_file():
            raise Refusal("there is no such file", where=str(file), fix="data.classes=FILE with a name a line, or null")
        return _lines(file)
    folder = top if top.is_dir() else top.parent
    for file in (folder / name for name in CLASS_FILES):
        if file.is_file():
            names = _lines(file)
            numbers = {int(label) for label in labels if label.isdecimal()}
            if all(label.isdecimal() for label in labels) and numbers <= set(range(len(names) + 1)):
                return names
    return None


def _lines(file: Path) -> list[str]:
    lines = decode(file.read_bytes(), "auto", str(file)).splitlines()
    return [line.strip() for line in lines if line.strip()]


def _labels(labels: Sequence[str], names: Sequence[str] | None, splits: Mapping[str, Read]) -> np.ndarray:
    """Whole numbers, numbers, or names; numbers from 1 to K are counted from 0 where K names are known."""
    every = [label for read in splits.values() for label in read.labels]
    for kind in (int, float):
        try:
            numbers = np.array([kind(label) for label in labels])
            least, most = min(map(kind, every)), max(map(kind, every))
        except ValueError:
            continue
        from_one = names is not None and kind is int and least >= 1 and most <= len(names)
        return numbers - 1 if from_one else numbers
    return np.array(labels)


def _garbled(split: str, read: Read) -> list[Trouble]:
    """Texts that were decoded wrongly before they came here."""
    found = []
    for name, told in zip(read.names, read.texts, strict=True):
        mark = next((mark for mark in GARBLED if mark in told), None)
        if mark is not None:
            found.append(Trouble(split, name, f"{mark!r} in it: it was decoded wrongly before"))
    return found
