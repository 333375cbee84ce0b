"""Raw inputs as something to look at: small colour pictures, put together on sheets."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from recipe.data.data import Data

SMALL, LARGE = 32, 96
"""Sides between which pictures are shown: smaller ones are enlarged by a whole number, larger ones reduced."""


def picture_of(data: Data, raw: Any, reach: tuple[float, float]) -> np.ndarray:
    """uint8 (H, W, 3) of one raw input: by the data's own `decode`, else from the range `reach` to black … white."""
    if data.decode is None:
        return drawn(raw, reach)
    shown = data.decode(raw)
    if isinstance(shown, Image.Image):
        return np.asarray(shown.convert("RGB"))
    return drawn(shown, None)


def drawn(shown: Any, reach: tuple[float, float] | None) -> np.ndarray:
    """uint8 (H, W, 3) of a picture's numbers, (C, H, W), (H, W, C) or (H, W). reach: what is black and what white.

    None: uint8 as they are, others by their own range.
    """
    array = shown.detach().cpu().numpy() if isinstance(shown, Tensor) else np.asarray(shown)
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    array = array[:, :, None] if array.ndim == 2 else array
    if array.ndim != 3:
        raise ValueError(f"an input of shape {array.shape} is no picture")
    if array.dtype != np.uint8 or (reach is not None and reach[1] <= 64):
        low, high = reach or (float(np.nanmin(array)), float(np.nanmax(array)))
        scaled = (np.nan_to_num(array.astype(np.float32)) - low) / max(high - low, 1e-12)
        array = (scaled.clip(0, 1) * 255).round().astype(np.uint8)
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array[:, :, :3])


def sheet(pictures: Sequence[np.ndarray | None], across: int) -> tuple[bytes, int]:
    """(PNG, rows) of equally large cells without gaps; None leaves a cell light grey."""
    first = next(p for p in pictures if p is not None)
    height, width = _cell(*first.shape[:2])
    down = -(-len(pictures) // across)
    canvas = np.full((down * height, across * width, 3), 224, dtype=np.uint8)
    for k, picture in enumerate(pictures):
        if picture is not None:
            top, left = height * (k // across), width * (k % across)
            canvas[top : top + height, left : left + width] = _resized(picture, height, width)
    out = io.BytesIO()
    Image.fromarray(canvas).save(out, "PNG", optimize=True)
    return out.getvalue(), down


def _cell(height: int, width: int) -> tuple[int, int]:
    side = max(height, width)
    if side < SMALL:
        times = -(-SMALL // side)
        return height * times, width * times
    if side > LARGE:
        return max(1, round(height * LARGE / side)), max(1, round(width * LARGE / side))
    return height, width


def _resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return picture
    how = Image.Resampling.NEAREST if picture.shape[0] < height else Image.Resampling.BOX
    return np.asarray(Image.fromarray(picture).resize((width, height), how))


def over_mean(pictures: np.ndarray, table: np.ndarray) -> bytes:
    """PNG of two cells: the mean of uint8 (N, C, h, w) in grey, and it again with `table` (h, w) above it in red."""
    grey = pictures.mean(axis=(0, 1))
    grey = 255 * (grey - grey.min()) / max(float(np.ptp(grey)), 1e-12)
    plain = np.repeat(grey[:, :, None], 3, axis=2)
    strength = (table / max(float(table.max()), 0.05))[:, :, None]
    coloured = plain * 0.5 * (1 - strength) + np.array([224.0, 60.0, 40.0]) * strength
    return sheet([cell.round().astype(np.uint8) for cell in (plain, coloured)], 2)[0]
