"""A source's dataset, read item by item; its errors are told in the user's terms."""

from __future__ import annotations

from collections.abc import Sequence
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
"""Items that are read twice to see whether a dataset repeats itself."""


class Stream(Dataset[tuple[Any, Any]]):
    """Some items (rows) of a dataset of (input, target). target: the dotted name by which the user knows it."""

    def __init__(self, dataset: Any, rows: np.ndarray, split: str, target: str) -> None:
        self.dataset, self.rows, self.split, self.target = dataset, rows, split, target

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
        return Stream(self.dataset, self.rows[indices], self.split, self.target)

    def read(self, positions: Sequence[int] | np.ndarray, seed: int = 0) -> list[Any]:
        """Many items in order: (input, target) each, or the UnreadableItem; in parallel where the dataset can.

        seed: of the random numbers that the dataset draws meanwhile; those outside go on as if nothing had happened.
        """
        if hasattr(self.dataset, "read_many"):
            return list(self.dataset.read_many(self.rows[np.asarray(positions)]))
        with own_random_numbers(seed):
            return [self._read(int(i)) for i in positions]

    def gives_numbers(self) -> bool:
        """Whether inputs are numbers; pictures of Pillow are left as they are, for transforms that want them so."""
        first = self._first()
        return first is not None and not hasattr(first[0], "getbands")

    def repeats(self) -> bool:
        """Whether reading an item twice gives the same bytes twice (no random transform inside)."""
        if hasattr(self.dataset, "read_many"):
            return True
        places = np.unique(np.linspace(0, len(self) - 1, min(TWICE, len(self))).astype(int))
        first, second = self.read(places, seed=0), self.read(places, seed=1)
        return all(_same(a, b) for a, b in zip(first, second, strict=True))

    def fits(self) -> bool:
        """Whether all items together leave enough memory free."""
        first = self._first()
        return first is None or count_bytes(stack([first[0]])) * len(self) < ROOM * free_memory()

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

    def _read(self, index: int) -> Any:
        try:
            return self[index]
        except UnreadableItem as error:
            return error

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
