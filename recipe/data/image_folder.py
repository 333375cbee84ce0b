"""Pictures in folders: one folder a class, under train, val and test or directly. Decoded in parallel by Pillow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from recipe.data.data import Trouble, UnreadableItem
from recipe.data.picture_files import GREY, THREADS, Header, decode, headers_of, oddity_of, printable, rare_modes
from recipe.data.targets import plain_name
from recipe.record.refusal import Refusal

WORDS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
BESIDE = {".txt", ".md", ".csv", ".json", ".xml", ".db", ".ini", ".html", ".pdf", ".yaml", ".yml", ".py", ".log"}
"""Endings of files that lie beside pictures and are none."""


def image_folder(root: str, *, size: int | Sequence[int] | None = None, mode: str = "auto") -> dict[str, Any]:
    """Pictures as uint8 (C, H, W). size: resize to it (a number: a square); mode: L, RGB, or auto for what they are."""
    if root is None:
        raise Refusal("which folder?", where="data.root", fix="data.root=FOLDER with one folder of pictures a class")
    top = Path(root).expanduser()
    folders = _split_folders(top)
    listed = {split: _listing(folder) for split, folder in folders.items()}
    renamed = _spellings(listed)
    classes = sorted({name for by_class in listed.values() for name in by_class} - set(renamed))
    _refuse_empty(top, listed, classes)
    files = {
        split: [(f, classes.index(renamed.get(c, c))) for c, found in by.items() for f in found]
        for split, by in listed.items()
    }
    headers = {split: headers_of([file for file, _ in found]) for split, found in files.items()}
    seen = [header for one in headers.values() for header in one if isinstance(header, Header)]
    if not seen:
        raise Refusal("no picture in it can be read", where=str(top))
    shape = _shape(seen, size, top)
    chosen = mode if mode != "auto" else "L" if all(h.mode in GREY for h in seen) else "RGB"
    rare = rare_modes(seen)
    mapping: dict[str, Any] = {
        "classes": [printable(c) for c in classes],
        "renamed": {printable(other): printable(name) for other, name in renamed.items()},
        "kind": "image",
        "ids": {},
        "attributes": {},
        "unreadable": [
            Trouble(split, printable(os.path.relpath(f, top)), "lies in no class folder: unlabelled")
            for split, folder in folders.items()
            for f in _loose(folder)
        ],
    }
    odd: list[Trouble] = []
    for split, found in files.items():
        mapping[split] = Pictures([str(f) for f, _ in found], [label for _, label in found], shape, chosen)
        names = [printable(os.path.relpath(f, top)) for f, _ in found]
        mapping["ids"][split] = names
        mapping["attributes"][split] = _attributes(headers[split])
        for name, header in zip(names, headers[split], strict=True):
            why, harmless = oddity_of(header, chosen, rare)
            odd += [Trouble(split, name, why, harmless)] if why else []
    return mapping | {"odd": odd}


@dataclass(eq=False)
class Pictures(Dataset[tuple[Tensor, int]]):
    """(uint8 (C, H, W), class) by index; raises UnreadableItem, with path and reason, for what cannot be decoded."""

    paths: list[str]
    targets: list[int]
    shape: tuple[int, int]
    mode: str

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return decode(self.paths[index], self.shape, self.mode), self.targets[index]

    def read_many(self, rows: Sequence[int] | np.ndarray) -> Iterator[Any]:
        """Many items in order, decoded by threads (Pillow leaves Python free); an UnreadableItem in place of one."""
        with ThreadPoolExecutor(THREADS) as pool:
            yield from pool.map(self._read, [int(row) for row in rows])

    def _read(self, row: int) -> Any:
        try:
            return self[row]
        except UnreadableItem as error:
            return error


def _split_folders(top: Path) -> dict[str, Path]:
    if not top.is_dir():
        what = "is a file, not a folder" if top.exists() else "there is no such folder"
        raise Refusal(what, where=str(top), fix="data.root=FOLDER with one folder of pictures a class")
    folders = _folders(top)
    by_name = {folder.name.lower(): folder for folder in folders}
    found = {split: by_name[w] for split, words in WORDS.items() for w in words if w in by_name}
    if "train" in found:
        return found
    if not folders:
        raise Refusal("no folder in it", where=str(top), fix="put the pictures of each class in a folder of its own")
    return {"train": top}


def _folders(top: Path) -> list[Path]:
    try:
        return sorted(entry for entry in top.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError as error:
        raise Refusal(f"cannot be read ({error.strerror})", where=str(top)) from error


def _listing(folder: Path) -> dict[str, list[Path]]:
    """{class: its files in order}; hidden files and those with a text's ending are left out."""
    by_class: dict[str, list[Path]] = {}
    for place in _folders(folder):
        found = []
        for parent, names, files in os.walk(place):
            names.sort()
            found += [
                Path(parent, f) for f in sorted(files) if not f.startswith(".") and Path(f).suffix.lower() not in BESIDE
            ]
        by_class[place.name] = found
    return by_class


def _loose(folder: Path) -> list[Path]:
    """Pictures, by their ending, that lie beside the class folders and not in one."""
    endings = Image.registered_extensions()
    return [
        f
        for f in sorted(folder.iterdir())
        if f.is_file() and not f.name.startswith(".") and f.suffix.lower() in endings and f.suffix.lower() not in BESIDE
    ]


def _spellings(listed: dict[str, dict[str, list[Path]]]) -> dict[str, str]:
    """{class folder of a later split: the one of train that differs by case, space or a trailing dot only}."""
    alike = {plain_name(name): name for name in sorted(listed["train"], reverse=True)}
    others = {name for by_class in listed.values() for name in by_class} - set(listed["train"])
    return {name: alike[plain_name(name)] for name in sorted(others) if plain_name(name) in alike}


def _refuse_empty(top: Path, listed: dict[str, dict[str, list[Path]]], classes: list[str]) -> None:
    for split, by_class in listed.items():
        if not any(by_class.values()):
            raise Refusal(f"{split} holds no pictures", where=str(top), fix="one folder a class, with pictures in it")
    for name in classes:
        if not any(by_class.get(name) for by_class in listed.values()):
            raise Refusal(
                f"the class folder {printable(name)!r} holds no pictures", where=str(top), fix="fill it, or remove it"
            )


def _shape(seen: Sequence[Header], size: Any, top: Path) -> tuple[int, int]:
    """(height, width) of all pictures. Refusal when they differ and no size is given."""
    if size is not None:
        pair = [size, size] if isinstance(size, int) else list(size)
        if len(pair) != 2 or min(pair) < 1:
            raise Refusal(f"{size} is no size", where="data.size", fix="data.size=64, or data.size=[height,width]")
        return int(pair[0]), int(pair[1])
    shapes = {(h.height, h.width) for h in seen}
    if len(shapes) > 1:
        small, large = min(shapes, key=lambda s: s[0] * s[1]), max(shapes, key=lambda s: s[0] * s[1])
        middle = int(np.median([min(h.width, h.height) for h in seen]))
        raise Refusal(
            f"the pictures have {len(shapes):,} sizes, from {small[1]}×{small[0]} to {large[1]}×{large[0]}",
            where=str(top),
            fix=f"resize all to one: data.size={min(middle, 224)}",
        )
    return shapes.pop()


def _attributes(headers: Sequence[Header | None]) -> dict[str, list[float]]:
    nan = float("nan")
    known = [h or Header(0, 0, "", 0, 0) for h in headers]
    return {
        "width": [float(h.width or nan) for h in known],
        "height": [float(h.height or nan) for h in known],
        "aspect ratio": [h.width / h.height if h.height else nan for h in known],
        "file bytes": [float(h.bytes or nan) for h in known],
    }
