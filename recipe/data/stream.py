"""A source's dataset, read item by item; its errors are told in the user's terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from recipe.data.data import CHUNK, UnreadableItem
from recipe.machine import free_memory, own_random_numbers
from recipe.record.refusal import Refusal, UserCodeError
from recipe.tree import Tree, count_bytes, stack

ROOM = 0.3
"""Share of the free memory that held data may take."""
TWICE = 32
"""Items that are read twice to see whether a dataset repeats itself, and once to see what its items are."""


class Stream(Dataset[tuple[Any, Any]]):
    """Some items (rows) of a dataset of (input, target). target: the dotted name by which the user knows it.

    Inputs unlike most others (another shape or dtype) come as UnreadableItem; pictures of Pillow may differ in size.
    """

    def __init__(self, dataset: Any, rows: np.ndarray, split: str, target: str, looks: Looks | None = None) -> None:
        self.dataset, self.rows, self.split, self.target = dataset, rows, split, target
        self.looks = looks or Looks()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        row = int(self.rows[index])
        try:
            item = self.dataset[row]
        except (UnreadableItem, Refusal, MemoryError):
            raise
        except Exception as error:
            raise self._told(error, f"at item {row} of {self.split}") from error
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise Refusal(
                f"item {row} of {self.split} is {_kind(item)}, not a pair (input, target)",
                where=self.target,
                fix="return (input, target) from __getitem__",
            )
        return item[0], item[1]

    def take(self, indices: np.ndarray) -> Stream:
        """Some of the items."""
        return Stream(self.dataset, self.rows[indices], self.split, self.target, self.looks)

    def read(self, positions: Sequence[int] | np.ndarray, seed: int = 0) -> list[Any]:
        """Many items in order: (input, target) each, or the UnreadableItem; in parallel where the dataset can.

        seed: of the random numbers that the dataset draws meanwhile; those outside go on as if nothing had happened.
        """
        if hasattr(self.dataset, "read_many"):
            return list(self.dataset.read_many(self.rows[np.asarray(positions)]))
        if not self.looks.known:
            with own_random_numbers(seed):
                self.looks = Looks.of([self._read(int(i)) for i in self._spread()])
        with own_random_numbers(seed):
            items = [self._read(int(i)) for i in positions]
        return [self._checked(item, int(p)) for item, p in zip(items, positions, strict=True)]

    def stack(self, inputs: Sequence[Any]) -> Tree:
        """Inputs as one batch; pictures of Pillow that differ are brought to the size and mode of most."""
        if hasattr(inputs[0], "getbands"):
            # All pictures of one batch from one size: what the user's transforms will make of them comes later.
            if not self.looks.known:
                self.looks = Looks.of(self.read(self._spread()))
            inputs = [self.looks.fitted(picture) for picture in inputs]
        try:
            return stack(inputs)
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            raise Refusal(
                f"items of {self.split} cannot be stacked ({str(error).splitlines()[0]})",
                where=self.target,
                fix="give every item the same structure, shape and dtype",
            ) from error

    def readable(self) -> tuple[list[int], list[UnreadableItem]]:
        """(positions that can be read, what cannot), by reading all of them once and keeping none."""
        kept: list[int] = []
        lost: list[UnreadableItem] = []
        for start in range(0, len(self), TWICE):
            positions = range(start, min(start + TWICE, len(self)))
            for position, item in zip(positions, self.read(positions), strict=True):
                if isinstance(item, UnreadableItem):
                    lost.append(item)
                else:
                    kept.append(position)
        return kept, lost

    def gives_numbers(self) -> bool:
        """Whether inputs are numbers; pictures of Pillow are left as they are, for transforms that want them so."""
        first = self._first()
        return first is not None and not hasattr(first[0], "getbands")

    def repeats(self) -> bool:
        """Whether reading an item twice gives the same bytes twice (no random transform inside)."""
        if hasattr(self.dataset, "read_many"):
            return True
        places = self._spread()
        first, second = self.read(places, seed=0), self.read(places, seed=1)
        return all(_same(a, b) for a, b in zip(first, second, strict=True))

    def fits(self) -> bool:
        """Whether all items together leave enough memory free."""
        first = self.first()
        return first is None or count_bytes(first) * len(self) < ROOM * free_memory()

    def first(self) -> Tree | None:
        """The first input that can be read, as a batch of one, or None."""
        found = self._first()
        return None if found is None else self.stack([found[0]])

    def hold(self) -> tuple[Tree, list[Any], list[int], list[UnreadableItem]]:
        """(inputs stacked, targets, positions that could be read, what could not)."""
        parts: list[Tree] = []
        targets: list[Any] = []
        kept: list[int] = []
        lost: list[UnreadableItem] = []
        for start in range(0, len(self), CHUNK):
            positions = list(range(start, min(start + CHUNK, len(self))))
            items = self.read(positions)
            lost += [item for item in items if isinstance(item, UnreadableItem)]
            sound = [(p, item) for p, item in zip(positions, items, strict=True) if _sound(item)]
            kept += [p for p, _ in sound]
            targets += [item[1] for _, item in sound]
            if sound:
                parts.append(self._stacked([item[0] for _, item in sound], [p for p, _ in sound]))
        return _joined(parts, self), targets, kept, lost

    def targets(self) -> list[Any]:
        """All targets: the dataset's own `targets` or `labels` where they agree with its items, else by reading."""
        for name in ("targets", "labels"):
            known = getattr(self.dataset, name, None)
            if known is not None and not callable(known) and len(known) == len(self.dataset):
                told = [known[int(row)] for row in self.rows]
                places = np.unique(np.linspace(0, len(self) - 1, min(8, len(self))).astype(int))
                if all(
                    not _sound(item) or _same(item[1], told[p])
                    for p, item in zip(places, self.read(places), strict=True)
                ):
                    return told
        with own_random_numbers():
            return [self[i][1] for i in range(len(self))]

    def _first(self) -> Any:
        """The first item that can be read, or None."""
        items = (self.read([k])[0] for k in range(len(self)))
        return next((item for item in items if _sound(item)), None)

    def _spread(self) -> np.ndarray:
        return np.unique(np.linspace(0, len(self) - 1, min(TWICE, len(self))).astype(int))

    def _read(self, index: int) -> Any:
        try:
            return self[index]
        except UnreadableItem as error:
            return error

    def _checked(self, item: Any, position: int) -> Any:
        """The item, or where its input is unlike most the UnreadableItem in its place."""
        if not _sound(item) or self.looks.kind is None or (kind := _kind(item[0])) == self.looks.kind:
            return item
        where = f"item {int(self.rows[position])} of {self.split}"
        return UnreadableItem(where, f"{kind}, where most are {self.looks.kind}")

    def _stacked(self, inputs: list[Any], positions: list[int]) -> Tree:
        try:
            return stack(inputs)
        except (RuntimeError, TypeError, ValueError, KeyError) as error:
            first = _kind(inputs[0])
            other = next((k for k, item in enumerate(inputs) if _kind(item) != first), 0)
            raise Refusal(
                f"item {int(self.rows[positions[other]])} of {self.split} is {_kind(inputs[other])}, "
                f"item {int(self.rows[positions[0]])} is {first}"
                if other
                else f"items of {self.split} cannot be stacked ({error})",
                where=self.target,
                fix="give every item the same structure, shape and dtype",
            ) from error

    def _told(self, error: Exception, when: str) -> Refusal:
        theirs = UserCodeError.of(error, self.target)
        if theirs is None:
            return Refusal(f"{type(error).__name__} {when}: {error}", where=self.target)
        return UserCodeError(self.target, theirs.frames, f"{theirs.what} ({when})")


@dataclass(frozen=True)
class Looks:
    """What most inputs of a dataset are: their kind in words (None: pictures of Pillow, or all differ), size, mode."""

    known: bool = False
    kind: str | None = None
    size: tuple[int, int] = (0, 0)
    mode: str = ""

    @classmethod
    def of(cls, items: Sequence[Any]) -> Looks:
        """Of some items, spread over the dataset."""
        inputs = [item[0] for item in items if _sound(item)]
        pictures = [one for one in inputs if hasattr(one, "getbands")]
        if pictures:
            width, height = (int(np.median(side)) for side in zip(*(one.size for one in pictures), strict=True))
            mode = Counter(one.mode for one in pictures).most_common(1)[0][0]
            return cls(known=True, size=(width, height), mode=mode)
        kind, count = Counter(map(_kind, inputs)).most_common(1)[0] if inputs else ("", 0)
        return cls(known=True, kind=kind if count > len(inputs) / 2 else None)

    def fitted(self, picture: Any) -> Any:
        """The picture in this size and mode."""
        picture = picture if picture.mode == self.mode else picture.convert(self.mode)
        return picture if picture.size == self.size else picture.resize(self.size)


def length(dataset: Any, split: str, target: str) -> int:
    """len(dataset), its errors told in the user's terms."""
    try:
        return len(dataset)
    except Exception as error:
        raise Stream(dataset, np.arange(0), split, target)._told(error, f"in len() of {split}") from error


def _sound(item: Any) -> bool:
    return not isinstance(item, UnreadableItem)


def _joined(parts: list[Tree], stream: Stream) -> Tree:
    if len(parts) < 2:
        return parts[0] if parts else torch.zeros(0)
    if isinstance(parts[0], Tensor):
        if any(part.shape[1:] != parts[0].shape[1:] or part.dtype != parts[0].dtype for part in parts):
            other = next(part for part in parts if part.shape[1:] != parts[0].shape[1:] or part.dtype != parts[0].dtype)
            raise Refusal(
                f"items of {stream.split} differ: {_kind(parts[0][0])} and {_kind(other[0])}",
                where=stream.target,
                fix="give every item the same shape and dtype",
            )
        return torch.cat(parts)
    if isinstance(parts[0], dict):
        return {key: _joined([part[key] for part in parts], stream) for key in parts[0]}
    return tuple(_joined(list(column), stream) for column in zip(*parts, strict=True))


def _kind(item: Any) -> str:
    """What an item is, for people: its type, and its shape and dtype if it has them."""
    if isinstance(item, dict):
        return "{" + ", ".join(f"{key}: {_kind(value)}" for key, value in item.items()) + "}"
    if isinstance(item, (tuple, list)):
        return "(" + ", ".join(map(_kind, item)) + ")"
    if hasattr(item, "shape"):
        return f"{str(getattr(item, 'dtype', '')).removeprefix('torch.')} {tuple(item.shape)}".strip()
    return f"a picture {item.size} {item.mode}" if hasattr(item, "getbands") else type(item).__name__


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, UnreadableItem) or isinstance(b, UnreadableItem):
        return isinstance(a, UnreadableItem) and isinstance(b, UnreadableItem)
    if isinstance(a, (tuple, list)):
        return all(map(_same, a, b))
    if isinstance(a, dict):
        return all(_same(value, b[key]) for key, value in a.items())
    left, right = np.asarray(a), np.asarray(b)
    if left.dtype.kind in "fc":
        return bool(np.array_equal(left, right, equal_nan=True))
    return bool(np.array_equal(left, right))
