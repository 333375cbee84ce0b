"""Many small pictures on few sheets, as small as they may be: lossless where that is cheap, else nearly so."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, features

EACH, ACROSS = 1024, 32
LOSSLESS = 6_000_000
"""Bytes up to which sheets are kept without loss; beyond, WebP of quality 90 is a quarter to a third of that."""
QUALITY = 90


def encoded(pictures: Sequence[np.ndarray]) -> list[bytes]:
    """Sheets of EACH pictures of one size, uint8 (h, w) or (h, w, 3), ACROSS a row: WebP (PNG, JPEG without it)."""
    starts = range(0, len(pictures), EACH)
    parts = [np.stack(pictures[start : start + EACH]) for start in starts]
    # The first sheet tells what all of them would take.
    first = _save(parts[0], lossless=True)
    lossless = len(first) / len(parts[0]) * len(pictures) <= LOSSLESS
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rest = list(pool.map(lambda part: _save(part, lossless=lossless), parts[1:] if lossless else parts))
    return [first, *rest] if lossless else rest


def _save(part: np.ndarray, *, lossless: bool) -> bytes:
    """One sheet; cells without a picture are black."""
    down = -(-len(part) // ACROSS)
    across = min(ACROSS, len(part))
    height, width = part.shape[1:3]
    canvas = np.zeros((down * across, *part.shape[1:]), dtype=np.uint8)
    canvas[: len(part)] = part
    rows = canvas.reshape(down, across, *part.shape[1:]).swapaxes(1, 2)
    picture = Image.fromarray(rows.reshape(down * height, across * width, *part.shape[3:]))
    out = io.BytesIO()
    if features.check("webp"):
        picture.save(out, "WEBP", lossless=lossless, quality=30 if lossless else QUALITY, method=0 if lossless else 2)
    else:
        picture.save(out, "PNG") if lossless else picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """The picture with its longer side at most `side`."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= side:
        return picture
    size = max(1, round(width * side / longer)), max(1, round(height * side / longer))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX, reducing_gap=2.0))
