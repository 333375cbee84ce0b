"""Further training data: another folder or file, or examples that a program makes, in a balance with the real ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from recipe.data.cells import Cells
from recipe.data.data import Split
from recipe.data.texts import Texts
from recipe.record.refusal import Refusal
from recipe.tree import join, leaves

PLACES = ("root", "path")
"""Keys of a source that say where it reads."""


def with_extra(
    mapping: Mapping[str, Any], extra: Any, node: Mapping[str, Any], build: Callable[[Any], Any]
) -> Mapping[str, Any]:
    """A source's mapping with what data.extra names beside it: the same source (node) at another place, or a node."""
    if extra is None:
        return mapping
    if isinstance(extra, str):
        key = next((key for key in PLACES if key in node), None)
        if key is None:
            raise Refusal(
                "this source reads from no folder or file", where="data.extra", fix="give a node with a _target_"
            )
        extra = {**node, key: extra}
    more = build(extra)
    train = more.get("train") if isinstance(more, Mapping) else None
    if train is None:
        raise Refusal('gives no "train"', where="data.extra", fix='return {"train": (X, y)}')
    return {**mapping, "extra": train, "extra_classes": more.get("classes")}


def same_classes(targets: np.ndarray, theirs: Any, ours: Any) -> np.ndarray:
    """Class indices of the extra data by the names of the first data. Refusal for a name that these do not have."""
    if theirs is None or ours is None or list(theirs) == list(ours) or targets.dtype.kind not in "iu":
        return targets
    if unknown := sorted(set(theirs) - set(ours)):
        raise Refusal(f"has a class {unknown[0]!r}, which the data do not have", where="data.extra")
    places = np.array([list(ours).index(name) for name in theirs])
    return np.asarray(places[targets])


def merged(splits: dict[str, Split], share: float | None, seed: int) -> tuple[dict[str, Split], str]:
    """The splits with the extra items in train, and a sentence about them.

    Items that val or test have too are left out. share: of train that the extra items make up, drawn with the seed and
    repeated where there are too few; None takes each once.
    """
    train, extra = splits["train"], splits["extra"]
    rest = {name: split for name, split in splits.items() if name != "extra"}
    if train.streams or extra.streams:
        raise Refusal("data that are read one by one take no others in", where="data.extra", fix="data.streaming=false")
    extra = replace(extra, cells=_alike(extra.cells, train.cells))
    _refuse_misfit(extra, train)
    known = set().union(*(_contents(split) for name, split in rest.items() if name != "train"))
    kept = [k for k, content in enumerate(_contents(extra)) if content not in known]
    leaked = len(extra) - len(kept)
    if not kept:
        raise Refusal("holds nothing but items of val and test", where="data.extra")
    wanted = len(kept) if share is None else max(1, round(len(train) * share / (1 - share)))
    generator = np.random.default_rng([seed, 0xE87A])
    drawn = [generator.permutation(kept) for _ in range(-(-wanted // len(kept)))]
    chosen = np.asarray(kept) if share is None else np.concatenate(drawn)[:wanted]
    told = f"{len(chosen):,} extra items are in train, {len(chosen) / (len(train) + len(chosen)):.0%} of it"
    told += f"; {leaked:,} were left out: val or test have them" if leaked else ""
    return {**rest, "train": _joined(train, extra.take(chosen))}, f"{told}."


def _refuse_misfit(extra: Split, train: Split) -> None:
    if (extra.texts is None) != (train.texts is None) or (extra.cells is None) != (train.cells is None):
        raise Refusal("is of another kind than the data", where="data.extra")
    shapes = [[tuple(leaf.shape[1:]) for leaf in leaves(split.inputs)] for split in (extra, train)]
    if shapes[0] != shapes[1]:
        raise Refusal(f"has inputs of {shapes[0][0]}, the data of {shapes[1][0]}", where="data.extra")


def _alike(cells: Cells | None, first: Cells | None) -> Cells | None:
    """The rows with the columns and codes of the first table; texts that only they have come after its own."""
    if cells is None or first is None:
        return cells
    for name in (*first.numeric_names, *first.category_names):
        if name not in (*cells.numeric_names, *cells.category_names):
            raise Refusal(f"has no column {name!r}, which the data have", where="data.extra")
    kinds = set(first.numeric_names) - set(cells.numeric_names) | set(first.category_names) - set(cells.category_names)
    if kinds:
        raise Refusal(f"column {min(kinds)!r} holds numbers here and texts there", where="data.extra")
    numeric = cells.numeric[:, [cells.numeric_names.index(name) for name in first.numeric_names]]
    codes, categories = np.full((len(cells), len(first.category_names)), -1, dtype=np.int32), []
    for k, name in enumerate(first.category_names):
        place = cells.category_names.index(name)
        texts = first.categories[k] + tuple(t for t in cells.categories[place] if t not in set(first.categories[k]))
        own = np.array([texts.index(text) for text in cells.categories[place]] + [-1])
        codes[:, k] = own[cells.codes[:, place]]
        categories.append(texts)
    return Cells(numeric, codes, first.numeric_names, first.category_names, tuple(categories))


def _contents(split: Split) -> list[bytes]:
    """One hash an item, equal where the items are."""
    if split.texts is not None:
        return [bytes(row) for row in split.texts.contents()]
    if split.cells is not None:
        rows = (split.cells.row(k) for k in range(len(split)))
        return [hashlib.blake2b(repr(row).encode(), digest_size=16).digest() for row in rows]
    parts = [leaf.contiguous().flatten(1) if leaf.ndim > 1 else leaf[:, None] for leaf in leaves(split.inputs)]
    return [hashlib.blake2b(b"".join(p[k].numpy().tobytes() for p in parts)).digest() for k in range(len(split))]


def _joined(train: Split, extra: Split) -> Split:
    """All of train, then the extra items, which have a group and a name of their own each."""
    count = len(extra)
    cells, texts = train.cells, train.texts
    if cells is not None and extra.cells is not None:
        numeric, codes = (np.concatenate([getattr(c, k) for c in (cells, extra.cells)]) for k in ("numeric", "codes"))
        cells = Cells(numeric, codes, cells.numeric_names, cells.category_names, extra.cells.categories)
    if texts is not None and extra.texts is not None:
        texts = Texts([*texts, *extra.texts], texts.columns, texts.whole)
    return replace(
        train,
        inputs=join([train.inputs, extra.inputs]),
        targets=torch.cat([train.targets, extra.targets.to(train.targets.dtype)]),
        rows=torch.cat([train.rows, extra.rows]),
        ids=None if train.ids is None else [*train.ids, *(f"extra {k}" for k in range(count))],
        groups=None if train.groups is None else np.concatenate([train.groups, _named(train.groups, count)]),
        attributes={key: np.concatenate([v, _nothing(v, count)]) for key, v in train.attributes.items()},
        cells=cells,
        texts=texts,
    )


def _named(groups: np.ndarray, count: int) -> np.ndarray:
    names = np.arange(count)
    return names + int(groups.max()) + 1 if groups.dtype.kind in "iu" else np.array([f"extra {k}" for k in names])


def _nothing(values: np.ndarray, count: int) -> np.ndarray:
    return np.full(count, np.nan if values.dtype.kind == "f" else values[0], dtype=values.dtype)
