"""A picture file: what it says of itself, what is odd about it, and its pixels."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from recipe.data.data import UnreadableItem

GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
LOSSLESS = {"1", "L", "P", "RGB"}
"""Modes that become L or RGB without a guess; they are odd only where few pictures have them."""
ORIENTATION = 0x0112
THREADS = os.cpu_count() or 1


class Header(NamedTuple):
    """What a file says of itself: size after turning it upright, Pillow's mode, frames and bytes on the disk.

    clear: it says which of its colours are transparent. turned: its EXIF says that it lies on its side or head.
    """

    width: int
    height: int
    mode: str
    frames: int
    bytes: int
    clear: bool = False
    turned: bool = False


def headers_of(files: Sequence[Path]) -> list[Header | None]:
    """Of each file, read in parallel without decoding; None where even that fails (decoding will say why)."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(_header, files))


def _header(file: Path) -> Header | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as picture:
                width, height = picture.size
                way = picture.getexif().get(ORIENTATION, 1)
                if way in (5, 6, 7, 8):
                    width, height = height, width
                frames, clear = getattr(picture, "n_frames", 1), "transparency" in picture.info
                return Header(width, height, picture.mode, frames, file.stat().st_size, clear, way in range(2, 9))
    except Exception:
        return None


def rare_modes(seen: Sequence[Header]) -> set[str]:
    """The modes that less than a tenth of the pictures have: there a conversion is an exception, not the rule."""
    count = Counter(h.mode for h in seen)
    return {mode for mode, n in count.items() if n < 0.1 * len(seen)}


def oddity_of(header: Header | None, mode: str, rare: set[str]) -> tuple[str, bool]:
    """(what had to be done to read it, whether nothing was lost). mode: what it is converted to."""
    if header is None:
        return "", True
    lost, kept = [], []
    if header.frames > 1:
        lost.append(f"{header.frames} frames; the first is used")
    elif header.mode not in LOSSLESS or header.clear:
        clear = ", its transparency over white" if header.clear or "A" in header.mode.upper() else ""
        lost.append(f"mode {header.mode}, converted to {mode}{clear}")
    elif header.mode in rare and header.mode not in ("L", "RGB"):
        lost.append(f"mode {header.mode}, converted to {mode}")
    if header.mode == "L" and mode == "RGB":
        kept.append("grey among colour")
    if header.turned:
        kept.append("turned upright, as its EXIF says")
    return "; ".join([*lost, *kept]), not lost


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
        raise UnreadableItem(printable(path), _reason(path, error)) from error
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
    if "truncated" in text.lower():
        return f"the file is truncated ({text[:120]})"
    return "it is no picture" if "cannot identify" in text else text[:120] or type(error).__name__


def printable(name: str) -> str:
    """The name with bytes that are no UTF-8 escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
