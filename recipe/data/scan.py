"""Reads every item of every split once, in chunks, and keeps of each only what the probes of inspect-data need."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.data.attributes import attributes_of
from recipe.data.cells import Cells
from recipe.data.data import Data, Split, Trouble, UnreadableItem, refuse_unreadable
from recipe.data.sums import ClassMeans, Rows, Sums
from recipe.data.text_looks import TextLooks, blank_texts
from recipe.machine import ahead, one_thread
from recipe.record.data import Item
from recipe.record.progress import Progress, Silent
from recipe.tree import Tree, leaves, map_tree

BLANK = 0.02
"""An item whose numbers span less than this share of the data's range is blank."""
WIDTH = 256
"""Numbers an item is pooled to before distances are taken."""
THUMB = 32
"""Longest side of the small pictures that are kept of all items."""


@dataclass(eq=False)
class SplitScan:
    """What is kept of one split, item by item. positions: of the items that could be read.

    contents: 16 bytes an item, equal where the decoded content is. features: float32 (N, D), as `_features` has them.
    pictures: uint8 (N, C, h, w), reduced to THUMB at most, train's range as 0 … 255; None where items are no pictures.
    fine: positions that a patch marks as such: no finding needs to name them again.
    """

    split: Split
    positions: np.ndarray
    contents: np.ndarray
    finite: np.ndarray
    blank: np.ndarray
    attributes: dict[str, np.ndarray]
    features: np.ndarray
    pictures: np.ndarray | None
    classes: tuple[str, ...] | None
    unreadable: list[Trouble]
    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    mean: float
    std: float
    whole: bool
    values: int | None
    class_means: Tensor | None
    fine: frozenset[int] = frozenset()

    @property
    def targets(self) -> np.ndarray:
        """Targets of the items that could be read."""
        return np.asarray(self.split.targets[torch.from_numpy(self.positions)].numpy())

    @cached_property
    def silent(self) -> np.ndarray:
        """bool (N): readable items that a patch marks as fine."""
        return np.isin(self.positions, list(self.fine))

    def called(self, k: int) -> str:
        """The name of the k-th readable item."""
        return self.split.called(int(self.positions[k]))

    def label(self, k: int) -> str:
        """What the k-th readable item is labelled: its class, its number, or several."""
        target = self.split.targets[int(self.positions[k])]
        if target.ndim:
            return " ".join(f"{v:g}" for v in target.reshape(-1)[:8].tolist())
        return self.classes[int(target)] if self.classes is not None else f"{float(target):g}"

    def item(self, k: int, note: str = "") -> Item:
        """The k-th readable item as a finding names it."""
        position = int(self.positions[k])
        return Item(
            split=self.split.name,
            name=self.called(k),
            note=note,
            label=self.label(k),
            position=position,
            fine=position in self.fine,
        )


class Scan:
    """All splits of a data set, read when the first probe asks. Test is read too: for leaks and drift only."""

    def __init__(self, data: Data, progress: Progress | None = None) -> None:
        self.data, self.progress = data, progress or Silent()

    @cached_property
    def splits(self) -> dict[str, SplitScan]:
        """By name, in the order train, val, test."""
        present = [s for s in (self.data.train, self.data.val, self.data.compare_test()) if s is not None]
        bar = self.progress.bar("reading every item once", sum(map(len, present)))
        reach, texts = _range(self.data.train), self.data.train.texts
        try:
            with one_thread():
                looks = TextLooks(texts) if texts is not None else None
                found = {split.name: _scan(split, self.data, reach, bar.advance, looks) for split in present}
        finally:
            bar.done()
        lost = [*self.data.unreadable, *(trouble for one in found.values() for trouble in one.unreadable)]
        refuse_unreadable(lost, self.data.max_unreadable, sum(len(one.positions) for one in found.values()))
        return found


class _Chunk(NamedTuple):
    """Some items, and what is kept of them: by the names that `SplitScan` has for it."""

    positions: np.ndarray
    inputs: Tree
    flat: Tensor
    kept: dict[str, np.ndarray]
    attributes: dict[str, np.ndarray]


def _measured(
    split: Split, data: Data, reach: tuple[float, float], looks: TextLooks | None, given: tuple[np.ndarray, Tree]
) -> _Chunk:
    positions, inputs = given
    flat = _flat(inputs)
    texts = split.texts.take(positions) if split.texts is not None else None
    cells = split.cells.take(positions) if split.cells is not None else None
    kept = {
        "at": positions,
        "contents": _contents(split, positions, inputs),
        "finite": flat.isfinite().all(dim=1).numpy(),
        "blank": blank_texts(texts) if texts is not None else _blank(inputs, flat, reach, data, cells),
        "features": looks.features(texts) if looks and texts else _features(data, inputs).numpy(),
    }
    if data.kind == "image":
        kept["pictures"] = _pictures(inputs, reach)
    if looks and texts:
        return _Chunk(positions, inputs, flat, kept, looks.attributes(texts))
    return _Chunk(positions, inputs, flat, kept, attributes_of(data.kind, split.cells, positions, inputs, reach))


def _scan(
    split: Split, data: Data, reach: tuple[float, float], advance: Callable[[float], None], looks: TextLooks | None
) -> SplitScan:
    kept, own = Rows(len(split)), Rows(len(split))
    sums = Sums(origin=(reach[0] + reach[1]) / 2)
    means = ClassMeans(split, data) if data.kind == "image" and data.classes and split.targets.ndim == 1 else None
    first: Tree = None
    for chunk in ahead(partial(_measured, split, data, reach, looks), split.chunks()):
        first = first if first is not None else map_tree(lambda leaf: leaf[:1], chunk.inputs)
        kept.add(chunk.kept)
        own.add(chunk.attributes)
        sums.add(chunk.flat)
        if means is not None:
            means.add(chunk.positions, chunk.inputs)
        advance(len(chunk.positions))
    joined = kept.filled()
    positions = joined["at"].astype(np.int64)
    return SplitScan(
        split=split,
        positions=positions,
        contents=joined["contents"],
        finite=joined["finite"].astype(bool),
        blank=joined["blank"].astype(bool),
        attributes=own.filled() | {name: v[positions] for name, v in _given_attributes(split, data.time).items()},
        features=joined["features"],
        pictures=joined.get("pictures"),
        classes=data.classes,
        unreadable=_unread(split, positions),
        shape=tuple(next(leaves(first)).shape[1:]) if first is not None else (),
        dtype=str(next(leaves(first)).dtype).removeprefix("torch.") if first is not None else "",
        low=float(sums.low),
        high=float(sums.high),
        mean=sums.mean,
        std=sums.std,
        whole=sums.whole,
        values=None if sums.seen is None else len(sums.seen),
        class_means=means.result() if means is not None else None,
        fine=data.fine.get(split.name, frozenset()),
    )


def _range(train: Split) -> tuple[float, float]:
    """Smallest and largest number of the first items of train, spread over the split."""
    places = np.unique(np.linspace(0, len(train) - 1, min(len(train), 512)).astype(int))
    inputs = train.sample(places[:: max(1, len(places) // 64)] if train.streams else places)
    flat = _flat(inputs)
    good = flat[flat.isfinite()]
    return (float(good.min()), float(good.max())) if good.numel() else (0.0, 1.0)


def _flat(inputs: Tree) -> Tensor:
    """float32 (n, numbers of an item)."""
    parts = [leaf.reshape(len(leaf), -1).to(torch.float32) for leaf in leaves(inputs)]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _contents(split: Split, positions: np.ndarray, inputs: Tree) -> np.ndarray:
    """A hash of each item's content: of a table's cells as they were read, else of the decoded input."""
    if split.texts is not None:
        return split.texts.take(positions).contents()
    if split.cells is not None:
        arrays = [split.cells.take(positions).contents()]
    else:
        arrays = [np.ascontiguousarray(leaf.numpy()) for leaf in leaves(inputs)]
    rows = [array.reshape(len(array), -1).view(np.uint8) for array in arrays]
    told = (
        hashlib.blake2b(b"".join(row.data for row in one), digest_size=16).digest() for one in zip(*rows, strict=True)
    )
    return np.frombuffer(b"".join(told), dtype="V16")


def _blank(inputs: Tree, flat: Tensor, reach: tuple[float, float], data: Data, cells: Cells | None) -> np.ndarray:
    """bool (n): items without information. A table's row is blank when all of its cells are empty."""
    if cells is not None:
        return np.asarray(np.isnan(cells.numeric).all(axis=1) & (cells.codes < 0).all(axis=1))
    if data.kind == "table" or flat.shape[1] < 8:
        return np.zeros(len(flat), dtype=bool)
    span = flat.amax(dim=1) - flat.amin(dim=1)
    leaf = next(leaves(inputs))
    if data.kind == "image" and leaf.ndim == 4 and min(leaf.shape[1], leaf.shape[3]) in (3, 4):
        # A picture of one colour is blank, whatever lies between its channels.
        places = (2, 3) if leaf.shape[1] in (3, 4) else (1, 2)
        span = (leaf.amax(dim=places) - leaf.amin(dim=places)).amax(dim=1).to(torch.float32)
    return np.asarray((span <= BLANK * max(reach[1] - reach[0], 1e-12)).numpy())


def _features(data: Data, inputs: Tree) -> Tensor:
    """float32 (n, D up to about WIDTH): preprocessed, pictures pooled, other wide inputs averaged in equal runs."""
    parts = []
    # Clipping is for the net: here it would hide what lies far out.
    for leaf in leaves(data.preprocess.unclipped(inputs)):
        x = leaf.to(torch.float32).nan_to_num(nan=0, posinf=0, neginf=0)
        if data.kind == "image" and x.ndim == 4 and x.shape[1] <= 4:
            side = max(1, int((WIDTH / x.shape[1]) ** 0.5))
            x = F.adaptive_avg_pool2d(x, (min(side, x.shape[2]), min(side, x.shape[3])))
        x = x.reshape(len(x), -1)
        parts.append(F.adaptive_avg_pool1d(x[:, None], WIDTH)[:, 0] if x.shape[1] > 2 * WIDTH else x)
    return torch.cat(parts, dim=1)


def _pictures(inputs: Tree, reach: tuple[float, float]) -> np.ndarray:
    """uint8 (n, C, h, w) of the first leaf, areas averaged."""
    x = next(leaves(inputs)).to(torch.float32).nan_to_num()
    x = x[:, None] if x.ndim == 3 else x
    if x.shape[3] in (1, 3, 4) and x.shape[1] not in (1, 3, 4):
        x = x.movedim(3, 1)
    times = max(1.0, max(x.shape[2:]) / THUMB)
    if times > 1:
        x = F.adaptive_avg_pool2d(x, (max(1, round(x.shape[2] / times)), max(1, round(x.shape[3] / times))))
    x = (x - reach[0]) * (255 / max(reach[1] - reach[0], 1e-12))
    return np.asarray(x.round().clamp(0, 255).to(torch.uint8).numpy())


def _given_attributes(split: Split, time: str | None) -> dict[str, np.ndarray]:
    """Attributes of the source that are numbers; what orders the splits differs between them by design."""
    return {
        name: values.astype(np.float32)
        for name, values in split.attributes.items()
        if name != time and values.ndim == 1 and values.dtype.kind in "fiub"
    }


def _unread(split: Split, kept: np.ndarray) -> list[Trouble]:
    """The items of a stream that a chunk left out, with their reasons."""
    lost = np.setdiff1d(np.arange(len(split)), kept)
    if not len(lost):
        return []
    told = [item for item in split.inputs.read(lost) if isinstance(item, UnreadableItem)]
    return [Trouble(split.name, item.where, item.reason) for item in told]
