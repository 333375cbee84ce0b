"""How items are divided: stratified by target, with the seed; groups and identical items kept together, or by time."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import Tensor

from recipe.data.data import Split
from recipe.record.refusal import Refusal
from recipe.tree import leaves

BINS = 10
"""Quantile bins by which numbers are stratified."""


def split_off(split: Split, fraction: float, name: str, seed: int, time: str | None) -> tuple[Split, Split]:
    """(what stays, what is taken off under `name`): `fraction` of the items. Refusal when either would be empty."""
    bundles = bundles_of(split)
    if time is not None:
        taken = _latest(_times(split, time), bundles, fraction)
    else:
        generator = np.random.default_rng(
            [seed, int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest())]
        )
        taken = _drawn(strata_of(split.targets), bundles, fraction, generator)
    if not taken.any() or taken.all():
        raise Refusal(
            f"{fraction:g} of {len(split):,} items in {bundles.max() + 1:,} groups leaves {name} or train empty",
            where=f"data.{name}_fraction",
            fix=f"more data, smaller groups, or a {name} split of your own",
        )
    return split.take(np.flatnonzero(~taken)), split.take(np.flatnonzero(taken), name)


def strata_of(targets: Tensor) -> np.ndarray:
    """int64 (N): the class, the quantile bin of a number, or for several targets the pattern of the first few."""
    values = targets.numpy()
    if values.ndim > 1:
        flat = values.reshape(len(values), -1)[:, :8]
        flat = flat if values.dtype.kind in "bi" or set(np.unique(flat)) <= {0.0, 1.0} else np.zeros_like(flat)
        _, pattern, count = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
        pattern = np.asarray(pattern).reshape(-1)
        return np.where(count[pattern] >= BINS, pattern, -1)
    if values.dtype.kind in "bi":
        return np.asarray(values, dtype=np.int64)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def bundles_of(split: Split) -> np.ndarray:
    """int64 (N), numbered from 0: items of one bundle stay in one split. Groups and identical inputs are bundles.

    Contents that very many items share (blank pictures, a data set that ignores the index) do not bind them.
    """
    n = len(split)
    bundle = np.arange(n)
    if split.groups is not None:
        bundle = np.unique(split.groups.astype(str), return_inverse=True)[1]
    contents = contents_of(split)
    if contents is not None:
        _, content, count = np.unique(contents, return_inverse=True, return_counts=True)
        bound = (count[content] > 1) & (count[content] <= max(2, n // 100))
        bundle = _connected(bundle, np.where(bound, content, -1))
    return np.asarray(np.unique(bundle, return_inverse=True)[1])


def contents_of(split: Split) -> np.ndarray | None:
    """A hash of each input (16 bytes each), or None where inputs are read one by one."""
    if split.cells is not None:
        rows = split.cells.contents()
        return _hashes([rows])
    if split.texts is not None:
        return split.texts.contents()
    if split.streams:
        return None
    return _hashes([leaf.numpy() for leaf in leaves(split.inputs)])


def _hashes(arrays: list[np.ndarray]) -> np.ndarray:
    flat = [np.ascontiguousarray(a).reshape(len(a), -1).view(np.uint8) for a in arrays]
    digests = [
        hashlib.blake2b(b"".join(row.data for row in rows), digest_size=16).digest() for rows in zip(*flat, strict=True)
    ]
    return np.frombuffer(b"".join(digests), dtype="V16")


def _connected(bundle: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Bundles joined wherever they share a content (-1: shared with none)."""
    shared = content >= 0
    if not shared.any():
        return bundle
    label = bundle.copy()
    size_b, size_c = int(bundle.max()) + 1, int(content.max()) + 1
    while True:
        of_content = np.full(size_c, np.iinfo(np.int64).max)
        np.minimum.at(of_content, content[shared], label[shared])
        joined = label.copy()
        joined[shared] = np.minimum(label[shared], of_content[content[shared]])
        of_bundle = np.full(size_b, np.iinfo(np.int64).max)
        np.minimum.at(of_bundle, bundle, joined)
        joined = of_bundle[bundle]
        if np.array_equal(joined, label):
            return label
        label = joined


def _drawn(strata: np.ndarray, bundles: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """bool (N): bundles in random order, stratum by stratum, until each has its share (at least one of three items)."""
    taken = np.zeros(int(bundles.max()) + 1, dtype=bool)
    size = np.bincount(bundles)
    # A bundle belongs to the stratum of its first item.
    first = np.unique(bundles, return_index=True)[1]
    owed = 0.0
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata[first] == stratum)
        total = int(size[members].sum())
        share = total * fraction + owed
        # The only two of a class stay in train; of three and more, one at least is taken and one stays.
        quota = min(max(1, round(share)), total - 1) if total >= 3 else 0
        order = generator.permutation(members)
        before = np.concatenate([[0], np.cumsum(size[order])[:-1]])
        # A bundle is taken when more than half of it lies below the quota.
        taken[order[before + size[order] / 2 <= quota]] = True
        owed = share - int(size[order][taken[order]].sum())
    return np.asarray(taken[bundles])


def _times(split: Split, time: str) -> np.ndarray:
    values = split.attributes.get(time)
    if values is None:
        raise Refusal(
            f"the attribute {time!r}, which orders the items, is not there",
            where="data: time",
            fix=f"attributes: {', '.join(split.attributes) or 'none'}",
        )
    return np.unique(values, return_inverse=True)[1]


def _latest(times: np.ndarray, bundles: np.ndarray, fraction: float) -> np.ndarray:
    """bool (N): the bundles whose last item is latest, up to the fraction."""
    last = np.zeros(int(bundles.max()) + 1)
    np.maximum.at(last, bundles, times)
    size = np.bincount(bundles)
    order = np.argsort(-last, kind="stable")
    before = np.concatenate([[0], np.cumsum(size[order])[:-1]])
    taken = np.zeros(len(size), dtype=bool)
    taken[order[before + size[order] / 2 <= fraction * len(times)]] = True
    return np.asarray(taken[bundles])
