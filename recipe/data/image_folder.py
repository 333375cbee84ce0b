"""Pictures in folders: one folder a class, under train, val and test or directly. Decoded in parallel by Pillow."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from recipe.data.data import Trouble, UnreadableItem
from recipe.record.refusal import Refusal

WORDS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
BESIDE = {".txt", ".md", ".csv", ".json", ".xml", ".db", ".ini", ".html", ".pdf", ".yaml", ".yml", ".py", ".log"}
"""Endings of files that lie beside pictures and are none."""
GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
USUAL = {"L", "RGB"}
ORIENTATION = 0x0112
THREADS = os.cpu_count() or 1


class Header(NamedTuple):
    """What a file says of itself: size after turning it upright, Pillow's mode, frames and bytes on the disk."""

    width: int
    height: int
    mode: str
    frames: int
    bytes: int


def image_folder(root: str, *, size: int | Sequence[int] | None = None, mode: str = "auto") -> dict[str, Any]:
    """Pictures as uint8 (C, H, W). size: resize to it (a number: a square); mode: L, RGB, or auto for what they are."""
    if root is None:
        raise Refusal("which folder?", where="data.root", fix="data.root=FOLDER with one folder of pictures a class")
    top = Path(root).expanduser()
    listed = {split: _listing(folder) for split, folder in _split_folders(top).items()}
    classes = sorted({name for by_class in listed.values() for name in by_class})
    _refuse_empty(top, listed, classes)
    files = {split: [(f, classes.index(c)) for c, found in by.items() for f in found] for split, by in listed.items()}
    headers = {split: _headers([file for file, _ in found]) for split, found in files.items()}
    seen = [header for one in headers.values() for header in one if isinstance(header, Header)]
    if not seen:
        raise Refusal("no picture in it can be read", where=str(top))
    shape = _shape(seen, size, top)
    chosen = mode if mode != "auto" else "L" if all(h.mode in GREY for h in seen) else "RGB"
    mapping: dict[str, Any] = {
        "classes": [_printable(c) for c in classes],
        "kind": "image",
        "ids": {},
        "attributes": {},
    }
    odd: list[Trouble] = []
    for split, found in files.items():
        mapping[split] = Pictures([str(f) for f, _ in found], [label for _, label in found], shape, chosen)
        names = [_printable(os.path.relpath(f, top)) for f, _ in found]
        mapping["ids"][split] = names
        mapping["attributes"][split] = _attributes(headers[split])
        odd += [
            Trouble(split, n, why) for n, h in zip(names, headers[split], strict=True) if (why := _oddity(h, chosen))
        ]
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


def decode(path: str, shape: tuple[int, int], mode: str) -> Tensor:
    """uint8 (C, H, W): turned upright as its EXIF says, alpha over white, 16 bits to 8, resized when it must be."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as file:
                file.load()
                picture = _plain(ImageOps.exif_transpose(file), mode)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise of everything for damaged files
        raise UnreadableItem(_printable(path), _reason(path, error)) from error
    if picture.size != (shape[1], shape[0]):
        picture = picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    array = np.array(picture)
    return torch.from_numpy(array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1)))


def _plain(picture: Image.Image, mode: str) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        # Sixteen bits: Pillow's own conversion would cut them off at 255.
        values = np.asarray(picture, dtype=np.float64)
        top = 65535 if values.max(initial=0) > 255 else 255
        picture = Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8))
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode in ("RGBA", "LA", "La", "PA"):
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    return picture.convert(mode)


def _reason(path: str, error: Exception) -> str:
    if isinstance(error, (Image.DecompressionBombWarning, Image.DecompressionBombError)):
        return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: it could be a bomb"
    try:
        if Path(path).stat().st_size == 0:
            return "the file is empty"
    except OSError as missing:
        return str(missing.strerror)
    text = str(error).split("\n")[0].replace(path, "").replace("''", "").strip()
    return "it is no picture" if "cannot identify" in text else text[:120] or type(error).__name__


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


def _refuse_empty(top: Path, listed: dict[str, dict[str, list[Path]]], classes: list[str]) -> None:
    for split, by_class in listed.items():
        if not any(by_class.values()):
            raise Refusal(f"{split} holds no pictures", where=str(top), fix="one folder a class, with pictures in it")
    for name in classes:
        if not any(by_class.get(name) for by_class in listed.values()):
            raise Refusal(
                f"the class folder {_printable(name)!r} holds no pictures", where=str(top), fix="fill it, or remove it"
            )


def _headers(files: Sequence[Path]) -> list[Header | None]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(_header, files))


def _header(file: Path) -> Header | None:
    """Without decoding; None where even that fails (decoding will say why)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as picture:
                width, height = picture.size
                if picture.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8):
                    width, height = height, width
                return Header(width, height, picture.mode, getattr(picture, "n_frames", 1), file.stat().st_size)
    except Exception:
        return None


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
    known = [h or Header(0, 0, "", 0, 0) for h in headers]
    return {
        "width": [float(h.width) for h in known],
        "height": [float(h.height) for h in known],
        "file bytes": [float(h.bytes) for h in known],
    }


def _oddity(header: Header | None, mode: str) -> str:
    if header is None:
        return ""
    if header.frames > 1:
        return f"{header.frames} frames; the first is used"
    if header.mode not in USUAL:
        return f"mode {header.mode}, converted to {mode}"
    return "grey among colour" if header.mode == "L" and mode == "RGB" else ""


def _printable(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")
