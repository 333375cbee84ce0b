"""The contract of the data room: what a split is, what a data set is, and how a source's mapping becomes one.

Every source, shipped or the user's, is a function that returns a mapping (docs/your-own.md):

    train   required: (X, y) arrays or tensors, `Cells` of a table, texts, or a map-style Dataset of (input, target);
            y is None where there are no targets: texts are for a language model then, all else for an autoencoder
    val, test                       the same; split off with the seed where they are missing
    classes                         names, in order of their index
    decode                          tensor → something to look at (picture, array or text)
    ids, groups, attributes         {split: sequence}; attributes: {split: {column: sequence}}
    time                            name of the attribute that orders the split
    kind                            image, table, text, series or array; guessed where it is missing
    unreadable, odd                 items that could not be read, or only with a caveat: sequences of `Trouble`
    notes                           what the source decided by itself, a sentence each
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.targets import without_label, yes_or_no
from recipe.record.patch import Patched
from recipe.record.refusal import Refusal
from recipe.tree import Tree, count_bytes, is_tree, leaves, map_tree

if TYPE_CHECKING:
    from recipe.data.cells import Cells
    from recipe.data.preprocess import Preprocess
    from recipe.data.texts import Texts

CHUNK, FEWEST = 1024, 16
"""Items that are read together when a whole split is gone through: as many as hold NUMBERS numbers, within these."""
NUMBERS = 1 << 22
ENDS = 1000
"""Pictures by which black and white are told."""
ROOM = 1 << 27
"""Bytes that the raw items of a sample may take."""


@dataclass(frozen=True)
class Trouble:
    """An item that could not be read, or only with a caveat. where: its path, row or index.

    harmless: nothing was lost, and nobody need be warned: the report mentions it.
    """

    split: str
    where: str
    reason: str
    harmless: bool = False


class UnreadableItem(Exception):  # noqa: N818 - it is an item, and the word for it everywhere
    """Raised by a shipped source for an item that it cannot decode."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


def refuse_unreadable(lost: Sequence[Trouble], most: int, sound: int) -> None:
    """Refusal, naming the first, when more items than `most` cannot be used. sound: how many can."""
    if len(lost) > most:
        told = "; ".join(f"{t.where}: {t.reason}" for t in lost[:3]) + ("; …" if len(lost) > 3 else "")
        raise Refusal(
            f"{len(lost):,} of {len(lost) + sound:,} items cannot be used: {told}",
            where="data",
            fix=f"mend or remove them, or leave them out with data.max_unreadable={len(lost)}",
        )


@dataclass(frozen=True, eq=False)
class Split:
    """Items of one split. inputs: a tree of tensors (N, ...), raw as the source gave them, or a `Stream`.

    targets: int64 class indices (N), or numbers (N) or (N, K). origin, rows: the source's split the items come from
    and their positions (N) there. cells, texts: the rows of a table, or the texts, before they were encoded.
    """

    name: str
    inputs: Any
    targets: Tensor
    origin: str
    rows: Tensor
    ids: Sequence[str] | None = None
    groups: np.ndarray | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    cells: Cells | None = None
    texts: Texts | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def streams(self) -> bool:
        """Whether items are read one by one because they do not fit into memory (or differ from read to read)."""
        return not is_tree(self.inputs)

    def raw(self, index: int) -> tuple[Any, Any]:
        """(input, target) of one item, before any preprocessing. Refusal, naming the item, when it cannot be read."""
        if self.streams:
            try:
                return self.inputs[index][0], self.targets[index]
            except UnreadableItem as error:
                raise Refusal(error.reason, where=error.where, fix="remove it, or mend the file") from error
        return map_tree(lambda leaf: leaf[index], self.inputs), self.targets[index]

    def sample(self, positions: Sequence[int] | np.ndarray) -> Tree:
        """Raw inputs of some items, stacked; those of a stream that cannot be read are left out."""
        if not self.streams:
            rows = torch.as_tensor(np.asarray(positions), dtype=torch.int64)
            return map_tree(lambda leaf: leaf[rows], self.inputs)
        items = self.inputs.read(positions)
        return self.inputs.stack([item[0] for item in items if not isinstance(item, UnreadableItem)])

    def called(self, index: int) -> str:
        """How a finding names an item: its id, or where the source has it."""
        return str(self.ids[index]) if self.ids is not None else f"{self.origin}[{int(self.rows[index])}]"

    def take(self, indices: Any, name: str | None = None) -> Split:
        """Some of the items, in the order of `indices`."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        array = chosen.numpy()
        return replace(
            self,
            name=name or self.name,
            inputs=self.inputs.take(array) if self.streams else map_tree(lambda leaf: leaf[chosen], self.inputs),
            targets=self.targets[chosen],
            rows=self.rows[chosen],
            ids=None if self.ids is None else [self.ids[i] for i in array.tolist()],
            groups=None if self.groups is None else self.groups[array],
            attributes={key: values[array] for key, values in self.attributes.items()},
            cells=None if self.cells is None else self.cells.take(array),
            texts=None if self.texts is None else self.texts.take(array),
        )

    def replace_targets(self, targets: Tensor) -> Split:
        """The same inputs with other targets."""
        return replace(self, targets=targets)

    @property
    def chunk_size(self) -> int:
        """Items whose inputs, as float32, take no more than some megabytes."""
        first = self.inputs.first() if self.streams else map_tree(lambda leaf: leaf[:1], self.inputs)
        numbers = sum(leaf.numel() for leaf in leaves(first)) if first is not None else 1
        return max(FEWEST, min(CHUNK, NUMBERS // max(1, numbers)))

    def spread(self, most: int) -> np.ndarray:
        """Positions of up to `most` items, spread over the split: fewer where they would take a lot of memory."""
        first = self.inputs.first() if self.streams else map_tree(lambda leaf: leaf[:1], self.inputs)
        size = count_bytes(first) if first is not None else 1
        some = max(1, min(len(self), most, max(FEWEST, ROOM // max(1, size))))
        return np.unique(np.linspace(0, len(self) - 1, some).astype(int))

    def chunks(self, size: int | None = None) -> Iterator[tuple[np.ndarray, Tree]]:
        """(positions, raw inputs stacked) over all items; unreadable items of a stream are left out."""
        end, size = len(self), size or self.chunk_size
        for start in range(0, end, size):
            positions = np.arange(start, min(start + size, end))
            if not self.streams:
                part = slice(start, int(positions[-1]) + 1)
                yield positions, map_tree(lambda leaf, p=part: leaf[p], self.inputs)  # type: ignore[misc]
                continue
            items = self.inputs.read(positions)
            kept = [k for k, item in enumerate(items) if not isinstance(item, UnreadableItem)]
            if kept:
                yield positions[kept], self.inputs.stack([items[k][0] for k in kept])


@dataclass(eq=False)
class Data:
    """A data set, validated and split. preprocess: fitted on train only. renamed: class names spelled in two ways.

    features: names of the columns of a table after encoding. notes: what was decided about the data on the way.
    patched: what a patch file changed. fine: {split: positions that it marks as fine}.
    unlabelled: the source gave no targets; they are zeros, and what is learnt follows from the inputs. masked: the last
    column of a step is positive where it is there, and not where it only fills up a shorter sequence.
    """

    name: str
    kind: str
    train: Split
    val: Split
    classes: tuple[str, ...] | None
    preprocess: Preprocess
    decode: Callable[[Any], Any] | None = None
    time: str | None = None
    unreadable: tuple[Trouble, ...] = ()
    odd: tuple[Trouble, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] | None = None
    encoder: Any = None
    max_unreadable: int = 0
    unlabelled: bool = False
    masked: bool = False
    notes: tuple[str, ...] = ()
    patched: Patched | None = None
    fine: Mapping[str, frozenset[int]] = field(default_factory=dict)
    sealed: Split | None = field(default=None, repr=False)

    @property
    def labelled(self) -> bool:
        """Whether a target is one class, by index or as 0 and 1; otherwise it is a number, or several of either."""
        targets = self.train.targets
        if self.unlabelled:
            return False
        return targets.ndim == 1 and (self.classes is not None or yes_or_no(targets))

    @cached_property
    def without_label(self) -> str:
        """Why no item has a label or number of its own; empty where each has."""
        return without_label(self.train.targets, unlabelled=self.unlabelled)

    @property
    def test_size(self) -> int:
        """Items of the sealed test split."""
        return 0 if self.sealed is None else len(self.sealed)

    def open_test(self, ledger: Callable[[], None]) -> Split:
        """The test split. `ledger` is called first: it counts every opening in run.json."""
        if self.sealed is None:
            raise Refusal("there is no test split", where="data", fix="give one, or data.test_fraction=0.15")
        ledger()
        return self.sealed

    def compare_test(self) -> Split | None:
        """The test split for inspect-data only: leaks and drift are looked for, nothing is learnt from it."""
        return self.sealed

    @cached_property
    def input_shape(self) -> Any:
        """Shape of one preprocessed input; a tuple or mapping of shapes where inputs are such."""
        return map_tree(lambda leaf: tuple(leaf.shape[1:]), self.preprocess(self.train.sample([0])))

    @cached_property
    def ends(self) -> dict[str, list[float] | None]:
        """Of pictures what black and white are after preprocessing, a number a channel: the ends of train."""
        black: list[float] | None = None
        white: list[float] | None = None
        shape = self.input_shape
        if self.kind == "image" and isinstance(shape, tuple) and len(shape) == 3:
            shown = self.preprocess(self.train.sample(self.train.spread(ENDS)))
            black, white = shown.amin((0, 2, 3)).tolist(), shown.amax((0, 2, 3)).tolist()
        return {"black": black, "white": white}

    @cached_property
    def vocabulary(self) -> int | None:
        """How many different whole numbers the inputs can hold: tokens, for an embedding. None where they hold none."""
        if hasattr(self.encoder, "size"):
            return int(self.encoder.size)
        if self.train.streams:
            return None
        splits = [split for split in (self.train, self.val, self.sealed) if split is not None and not split.streams]
        codes = [leaf for split in splits for leaf in leaves(split.inputs) if leaf.dtype in (torch.int64, torch.int32)]
        return max(int(leaf.max()) for leaf in codes) + 1 if codes else None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the contents of all splits."""
        return fingerprint_of([self.train, self.val, *([self.sealed] if self.sealed else [])])

    @property
    def origin(self) -> str:
        """The fingerprint without the patch, by which a run directory and a patch know their data set."""
        return self.patched.origin if self.patched else self.fingerprint


def fingerprint_of(splits: Iterable[Split]) -> str:
    """Hash of the contents of some splits, of tables and texts as they were read."""
    told = hashlib.blake2b(digest_size=16)
    for split in splits:
        told.update(f"{split.name} {len(split)}\n".encode())
        told.update(split.targets.contiguous().numpy().tobytes())
        if split.texts is not None:
            # What is made of them may follow the model.
            told.update(split.texts.contents().tobytes())
            continue
        if split.cells is not None:
            told.update(repr((split.cells.numeric_names, split.cells.category_names, split.cells.categories)).encode())
            told.update(split.cells.contents().tobytes())
            continue
        # Of a stream some items will do, and none where they differ from read to read.
        some = range(0, len(split), max(1, len(split) // 16))
        for leaf in leaves((split.sample(some) if split.inputs.repeats() else ()) if split.streams else split.inputs):
            told.update(f"{leaf.dtype} {tuple(leaf.shape)}\n".encode())
            told.update(np.ascontiguousarray(leaf.numpy()).tobytes())
    return told.hexdigest()
