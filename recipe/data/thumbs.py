"""Items as a person looks at them in small: pictures, or text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recipe.data.data import Data
from recipe.data.pictures import picture_of
from recipe.data.scan import Scan, SplitScan
from recipe.data.sprites import reduced
from recipe.tree import leaves, map_tree

CHUNK = 512
PIXELS = 2e9
"""Pixels that are decoded again for thumbnails; beyond, the small pictures of the scan have to do."""
NUMBERS = 24
"""Numbers of an array that are shown as text."""


def thumbs_of(scan: Scan, split: str, which: Sequence[int], side: int) -> list[np.ndarray]:
    """uint8 (h, w, 3) or (h, w) of some readable items, their longer side at most `side`."""
    one = scan.splits[split]
    kept = one.pictures
    if kept is None or not len(which):
        return []
    if scan.data.decode is None and (kept.shape[2:] == _raw_size(one) or side <= max(kept.shape[2:])):
        return [_upright(kept[k]) for k in which]
    found: list[np.ndarray] = []
    for start in range(0, len(which), CHUNK):
        some = np.asarray(which[start : start + CHUNK])
        first = next(leaves(one.split.sample(one.positions[some])))
        if len(first) != len(some):  # an item that could be read before cannot be read now
            return [_upright(kept[k]) for k in which]
        found += [reduced(picture_of(scan.data, raw, (one.low, one.high)), side) for raw in first]
    return found


def pixels_of(one: SplitScan, items: int) -> float:
    """Pixels that reading some of its items again decodes; none of those that are held in memory."""
    if not one.split.streams:
        return 0.0
    width, height = (one.split.attributes.get(name) for name in ("width", "height"))
    known = width is not None and height is not None
    each = float((np.asarray(width) * np.asarray(height)).mean()) if known else float(np.prod(_raw_size(one)))
    return each * items


def has_pictures(data: Data, one: SplitScan) -> bool:
    """Whether its items are something to look at (and not text, by the data's own `decode`)."""
    return one.pictures is not None and not isinstance(_decoded(data, one, 0), str)


def texts_of(data: Data, one: SplitScan, which: Sequence[int], most: int) -> list[str]:
    """Items that are no pictures, as text of at most `most` characters."""
    if one.split.texts is not None:
        return [_cut(one.split.texts[int(one.positions[k])], most) for k in which]
    return [_cut(_told(_decoded(data, one, k)), most) for k in which]


def _decoded(data: Data, one: SplitScan, k: int) -> Any:
    raw = map_tree(lambda leaf: leaf[0], one.split.sample([int(one.positions[k])]))
    return data.decode(raw) if data.decode is not None else raw


def _told(shown: Any) -> str:
    if isinstance(shown, str):
        return shown
    try:
        parts = [np.asarray(leaf).reshape(-1) for leaf in leaves(shown)]
    except TypeError:
        return str(shown)
    return "; ".join(" ".join(f"{v:.4g}" for v in part[:NUMBERS]) + " …" * (len(part) > NUMBERS) for part in parts)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 2] + " …"


def _raw_size(one: SplitScan) -> tuple[int, ...]:
    """(height, width) of its pictures as the source gives them."""
    shape = one.shape[-3:]
    if len(shape) == 3:
        return shape[:2] if shape[2] in (1, 3, 4) and shape[0] not in (1, 3, 4) else shape[1:]
    return shape


def _upright(picture: np.ndarray) -> np.ndarray:
    """(C, h, w) as Pillow has it."""
    return np.asarray(picture[:3].transpose(1, 2, 0) if len(picture) >= 3 else picture[0])
