"""The rows of a table before they are encoded, and the encoder: fitted on train only, applied to every split alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.data.frame import PLAIN, Dialect
from recipe.data.texts import split_text
from recipe.record.refusal import Refusal

WORDY, COMMON = 2.0, 0.95
"""Words that a text has on average, at least; the share of rows beyond which a word tells nothing."""


@dataclass(frozen=True, eq=False)
class Cells:
    """numeric: float64 (N, P), not-a-number where a cell is empty. codes: int32 (N, Q), -1 where a cell is empty.

    A code is a position in categories[q], the texts of column q, sorted; they are shared by all splits. written: how
    cells were in the file.
    """

    numeric: np.ndarray
    codes: np.ndarray
    numeric_names: tuple[str, ...]
    category_names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    written: Dialect = PLAIN

    def __len__(self) -> int:
        return len(self.numeric)

    def take(self, rows: np.ndarray) -> Cells:
        """Some of the rows."""
        return replace(self, numeric=self.numeric[rows], codes=self.codes[rows])

    def row(self, index: int) -> dict[str, str]:
        """One row for people: {column: text}."""
        cells = {
            name: "" if np.isnan(v) else f"{v:g}"
            for name, v in zip(self.numeric_names, self.numeric[index], strict=True)
        }
        for name, texts, code in zip(self.category_names, self.categories, self.codes[index].tolist(), strict=True):
            cells[name] = "" if code < 0 else texts[code]
        return cells

    def contents(self) -> np.ndarray:
        """float64 (N, P + Q): all cells as numbers, equal where the rows are equal; empty cells are one number."""
        # Adding zero turns -0.0 into 0.0; every not-a-number becomes the same bytes.
        numbers = np.where(np.isnan(self.numeric), np.nan, self.numeric + 0.0)
        return np.ascontiguousarray(np.concatenate([numbers, self.codes.astype(np.float64)], axis=1))


class NumericColumn(msgspec.Struct, frozen=True, kw_only=True):
    """fill: median of train, for empty cells. flagged: whether a further column says that the cell was empty."""

    name: str
    fill: float
    flagged: bool


class CategoryColumn(msgspec.Struct, frozen=True, kw_only=True):
    """kept: the texts with a column of their own; rarer and unseen ones share one, empty cells have one.

    words: kept are words, and a text has each of them or has not: for texts that are different in nearly every row.
    """

    name: str
    kept: tuple[str, ...]
    other: bool
    empty: bool
    words: bool = False

    @property
    def width(self) -> int:
        """Columns that it becomes."""
        return len(self.kept) + self.other + self.empty


class Encoder(msgspec.Struct, frozen=True, kw_only=True, tag="table"):
    """Cells → float32 (N, F): numbers with empty cells filled, then flags of empty cells, then one-hot categories,
    or the words of a text.

    left_out: columns that cannot help ({name: why}): empty, constant, or text that is different in nearly every row.
    written: how the cells of training were, so that new files are read alike.
    """

    numeric: tuple[NumericColumn, ...]
    categories: tuple[CategoryColumn, ...]
    left_out: dict[str, str] = {}
    written: Dialect = PLAIN

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the F columns."""
        names = [c.name for c in self.numeric] + [f"{c.name} empty" for c in self.numeric if c.flagged]
        for column in self.categories:
            names += [f"{column.name}{': ' if column.words else '='}{text}" for text in column.kept]
            names += [f"{column.name} other"] * column.other + [f"{column.name} empty"] * column.empty
        return tuple(names)

    @property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """(first column, columns) of each category: one of them is 1. What an embedding is for."""
        found, at = [], len(self.numeric) + sum(c.flagged for c in self.numeric)
        for column in self.categories:
            found += [(at, column.width)] * (not column.words)
            at += column.width
        return tuple(found)

    def without(self, names: Sequence[str]) -> Encoder:
        """The same without some columns of the table. Refusal for one that it has not."""
        known = [*(c.name for c in self.numeric), *(c.name for c in self.categories)]
        if unknown := [name for name in names if name not in known and name not in self.left_out]:
            raise Refusal(
                f"there is no column {unknown[0]!r}",
                where="data.leave_out",
                fix=f"its columns: {', '.join(known)[:300]}",
            )
        return msgspec.structs.replace(
            self,
            numeric=tuple(c for c in self.numeric if c.name not in names),
            categories=tuple(c for c in self.categories if c.name not in names),
            left_out={**self.left_out, **dict.fromkeys(names, "data.leave_out names it")},
        )

    def __call__(self, cells: Cells) -> Tensor:
        """float32 (N, F)."""
        parts: list[np.ndarray] = []
        values = [cells.numeric[:, cells.numeric_names.index(column.name)] for column in self.numeric]
        parts += [np.where(np.isnan(v), c.fill, v)[:, None] for v, c in zip(values, self.numeric, strict=True)]
        parts += [np.isnan(v)[:, None] for v, c in zip(values, self.numeric, strict=True) if c.flagged]
        parts += [self._one_hot(cells, column) for column in self.categories]
        empty = np.zeros((len(cells), 0))
        return torch.from_numpy(np.concatenate([empty, *parts], axis=1).astype(np.float32))

    def _one_hot(self, cells: Cells, column: CategoryColumn) -> np.ndarray:
        place = cells.category_names.index(column.name)
        codes, texts = cells.codes[:, place], cells.categories[place]
        if column.words:
            has = [_has(text, column.kept) + [False] * column.empty for text in texts]
            nothing = [False] * len(column.kept) + [True] * column.empty
            found: np.ndarray = np.array([*has, nothing])[codes]
            return found
        own = {text: k for k, text in enumerate(column.kept)}
        other = len(column.kept) if column.other else -1
        # One entry more than there are texts: code -1 (an empty cell) finds the last one.
        target = np.array(
            [own.get(text, other) for text in texts] + [len(column.kept) + column.other if column.empty else -1]
        )
        return np.asarray(target[codes][:, None] == np.arange(column.width)[None, :])


def fit_encoder(cells: Cells, *, rare: int = 10, most: int = 50) -> Encoder:
    """The encoder for the rows of train. rare: texts in fewer rows share a column; most: columns of a text."""
    left_out: dict[str, str] = {}
    numeric = [_fit_numeric(n, cells.numeric[:, k], left_out) for k, n in enumerate(cells.numeric_names)]
    categories = [
        _fit_category(name, cells.codes[:, k], cells.categories[k], rare, most, left_out)
        for k, name in enumerate(cells.category_names)
    ]
    return Encoder(
        numeric=tuple(c for c in numeric if c),
        categories=tuple(c for c in categories if c),
        left_out=left_out,
        written=cells.written,
    )


def _fit_numeric(name: str, values: np.ndarray, left_out: dict[str, str]) -> NumericColumn | None:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        left_out[name] = "every cell is empty"
        return None
    flagged = len(known) < len(values)
    if known.min() == known.max() and not flagged:
        left_out[name] = f"every cell is {known[0]:g}"
        return None
    return NumericColumn(name=name, fill=float(np.median(known)), flagged=flagged)


def _fit_category(
    name: str, codes: np.ndarray, texts: Sequence[str], rare: int, most: int, left_out: dict[str, str]
) -> CategoryColumn | None:
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    known, empty = int(counts.sum()), bool((codes < 0).any())
    if known == 0 or (len(np.flatnonzero(counts)) == 1 and not empty):
        left_out[name] = f"every cell is {texts[int(counts.argmax())]!r}" if known else "every cell is empty"
        return None
    if known > 20 and len(np.flatnonzero(counts)) > 0.5 * known:
        if words := _telling_words(counts, texts, max(rare, known // 100), most):
            return CategoryColumn(name=name, kept=words, other=False, empty=empty, words=True)
        left_out[name] = f"{len(np.flatnonzero(counts)):,} different texts in {known:,} cells"
        return None
    floor = min(rare, max(1, known // 100))
    order = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k] >= floor][:most]
    kept = tuple(texts[k] for k in sorted(order))
    return CategoryColumn(name=name, kept=kept, other=True, empty=empty)


def _telling_words(counts: np.ndarray, texts: Sequence[str], floor: int, most: int) -> tuple[str, ...]:
    """The commonest words of free texts, each in `floor` rows at least and not in nearly all; none where it is no text.

    A text has two words or more, of letters: numbers of tickets and times of day have not.
    """
    found: Counter[str] = Counter()
    words = rows = 0
    for text, count in zip(texts, counts.tolist(), strict=True):
        own = _words_of(text)
        rows, words = rows + count, words + count * len(own)
        found.update(dict.fromkeys(own, count))
    if words < WORDY * rows:
        return ()
    known = [(word, n) for word, n in found.items() if floor <= n <= COMMON * rows]
    return tuple(sorted(word for word, _ in sorted(known, key=lambda one: (-one[1], one[0]))[:most]))


def _has(text: str, words: Sequence[str]) -> list[bool]:
    own = _words_of(text)
    return [word in own for word in words]


def _words_of(text: str) -> set[str]:
    return {word for word in split_text(text, "words") if word[0].isalpha()}
