"""Scores of items as side files: written by the probe that gives them, read by the data browser."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import numpy as np

from recipe.data.scan import SplitScan
from recipe.record.evidence import Shelf
from recipe.record.scores import ItemScores


def put_scores(
    shelf: Shelf,
    splits: Mapping[str, SplitScan],
    title: str,
    values: Mapping[str, np.ndarray],
    about: str = "",
    words: tuple[str, ...] = (),
) -> ItemScores:
    """Writes {split: a number (N) for each readable item}; splits may be left out. The result goes into the record."""
    slug = re.sub(r"\W+", "-", title).strip("-").lower()
    sides = {}
    for name, scores in values.items():
        one = splits[name]
        by_position = np.full(len(one.split), np.nan, dtype=np.float32)
        by_position[one.positions] = scores
        file = io.BytesIO()
        np.lib.format.write_array(file, by_position, allow_pickle=False)
        sides[name] = shelf.put_side(f"score-{slug}-{name}.npy", file.getvalue())
    return ItemScores(title=title, sides=sides, about=about, words=words)


def read_scores(shelf: Shelf, scores: ItemScores) -> dict[str, np.ndarray]:
    """{split: float32 (positions of the split)}."""
    return {name: np.load(shelf.side(side), allow_pickle=False) for name, side in scores.sides.items()}
