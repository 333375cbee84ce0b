"""Attributes of some items of all splits as columns of equal length: numbers, or words by their position in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from recipe.data.cells import Cells
from recipe.data.data import Data
from recipe.data.scan import SplitScan
from recipe.record.browser import Number

MOST = 64
"""Attributes that are shown; a table of more columns shows the first of them."""
LONGEST = 200
"""Characters of a word."""
_EXACT = 2**24
"""Beyond, float32 does not hold every whole number."""

Splits = Mapping[str, SplitScan]
Chosen = Mapping[str, np.ndarray]


class Values(NamedTuple):
    """One column; see recipe.record.browser.Column."""

    title: str
    values: np.ndarray
    words: tuple[str, ...] | None = None
    about: str = ""
    given: bool = False

    @property
    def number(self) -> Number:
        """The smallest kind of number that holds the values."""
        if self.words is not None or self.values.dtype.kind == "u":
            return "uint32"
        known = self.values[np.isfinite(self.values)]
        whole = self.values.dtype == np.float64 and len(known) and bool((known == np.round(known)).all())
        return "float64" if whole and bool(np.abs(known).max() >= _EXACT) else "float32"


def columns_of(data: Data, splits: Splits, chosen: Chosen, scores: Sequence[Values]) -> Iterator[Values]:
    """Split and label, then the scores, the attributes, what the source gives beside them, and the place in it.

    chosen: {split: readable items (n)}. scores: over all of them already.
    """
    yield Values("split", np.repeat(np.arange(len(splits)), [len(chosen[name]) for name in splits]), tuple(splits))
    yield _labels(data, splits, chosen)
    yield from scores
    own = data.train.cells
    given = set(data.train.attributes) | set(own.numeric_names if own else ())
    columns = [*_cells(own, splits, chosen)] if own is not None else []
    done = {column.title for column in columns}
    measured = [
        Values(name, _joined(splits, chosen, name), given=name in given or name.startswith("column "))
        for name in splits["train"].attributes
        if name not in done
    ]
    yield from [*columns, *measured][:MOST]
    yield from _words_beside(splits, chosen)
    place = [one.split.rows.numpy()[one.positions[chosen[name]]] for name, one in splits.items()]
    yield Values("place in the source", np.concatenate(place).astype(np.float64))


def left_out(data: Data, splits: Splits) -> int:
    """Attributes beyond MOST."""
    cells = data.train.cells
    names = {*splits["train"].attributes, *(cells.numeric_names + cells.category_names if cells is not None else ())}
    return max(0, len(names) - MOST)


def words(title: str, texts: Sequence[str], *, given: bool = False) -> Values:
    """A column of words; an empty text is an empty cell."""
    known, codes = np.unique(np.asarray([text[:LONGEST] for text in texts]), return_inverse=True)
    kept = tuple(known.tolist())
    if kept and kept[0] == "":
        return Values(title, np.where(codes == 0, len(kept) - 1, codes - 1), kept[1:], given=given)
    return Values(title, codes, kept, given=given)


def _labels(data: Data, splits: Splits, chosen: Chosen) -> Values:
    targets = np.concatenate([one.targets[chosen[name]] for name, one in splits.items()])
    if targets.ndim > 1:
        return words("label", [one.label(k) for name, one in splits.items() for k in chosen[name].tolist()])
    if not data.labelled:
        return Values("label", targets.astype(np.float64))
    return Values("label", targets.astype(np.int64), data.classes or ("0", "1"))


def _joined(splits: Splits, chosen: Chosen, name: str) -> np.ndarray:
    nobody = np.full(1, np.nan, dtype=np.float32)
    parts = [
        one.attributes[name][chosen[split]] if name in one.attributes else nobody.repeat(len(chosen[split]))
        for split, one in splits.items()
    ]
    return np.concatenate(parts)


def _cells(own: Cells, splits: Splits, chosen: Chosen) -> Iterator[Values]:
    """The columns of a table, numbers first."""
    parts = [one.split.cells.take(one.positions[chosen[name]]) for name, one in splits.items() if one.split.cells]
    numeric = np.concatenate([part.numeric for part in parts])
    codes = np.concatenate([part.codes for part in parts])
    for k, name in enumerate(own.numeric_names):
        yield Values(name, numeric[:, k], given=True)
    for k, name in enumerate(own.category_names):
        texts = (*own.categories[k], "")
        yield words(name, [texts[code] for code in codes[:, k].tolist()], given=True)


def _words_beside(splits: Splits, chosen: Chosen) -> Iterator[Values]:
    """Attributes of the source that are no numbers, and its groups."""
    for name in splits["train"].split.attributes:
        if name not in splits["train"].attributes:
            columns = [one.split.attributes.get(name) for one in splits.values()]
            yield words(name, _texts(columns, splits, chosen), given=True)
    if splits["train"].split.groups is not None:
        yield words("group", _texts([one.split.groups for one in splits.values()], splits, chosen), given=True)


def _texts(columns: Sequence[np.ndarray | None], splits: Splits, chosen: Chosen) -> list[str]:
    found: list[str] = []
    for values, (name, one) in zip(columns, splits.items(), strict=True):
        at = one.positions[chosen[name]]
        found += [""] * len(at) if values is None else [str(v) for v in values[at].tolist()]
    return found
