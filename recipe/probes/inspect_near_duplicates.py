"""D3, near: pictures of one shot, texts that were hardly changed, rows of one subject; within and across splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipe.data.scan import Scan, SplitScan
from recipe.intervals import wilson
from recipe.likeness.pairs import Pairs
from recipe.likeness.picture_twins import find_picture_twins
from recipe.likeness.row_twins import find_row_twins
from recipe.likeness.text_twins import find_text_twins
from recipe.machine import one_thread
from recipe.record.data import Twins
from recipe.record.evidence import CannotMeasure
from recipe.record.near_duplicates import NearAcross, NearDuplicates

LISTED = 48
MOST_ROWS = 30_000
CONTINUOUS = 0.5
"""Share of different values in a column from which on two rows are not alike by nature."""


def measure_near_duplicates(scan: Scan) -> NearDuplicates:
    """Pairs among all readable items that are neither blank nor exact copies of an earlier one."""
    if scan.data.unlabelled:
        raise CannotMeasure("pieces of one text are alike by nature")
    splits = list(scan.splits.values())
    split, item = _different(splits)
    by, pairs = _compared(scan, splits, split, item)
    plain = pairs.chosen(~pairs.mirrored)
    first, second = split[plain.first], split[plain.second]
    across = []
    for k, one in enumerate(splits):
        for j, other in enumerate(splits[:k]):
            shared = len(_of_split(plain, first, second, k, j))
            across.append(
                NearAcross(
                    split=one.split.name, other=other.split.name, items=shared, share=wilson(shared, len(one.positions))
                )
            )
    conflict = _conflicting(scan, splits, split, item, plain)
    order = np.argsort(-plain.likeness, kind="stable")
    both = first != second
    return NearDuplicates(
        by=by,
        items={one.split.name: len(one.positions) for one in splits},
        pairs=len(plain.first),
        mirrored=int(pairs.mirrored.sum()),
        within={
            one.split.name: len(np.unique(_ends(plain.chosen((first == k) & (second == k)))))
            for k, one in enumerate(splits)
        },
        across=tuple(across),
        conflicting=len(np.unique(_ends(plain.chosen(conflict)))),
        effective={one.split: len(splits[_place(splits, one.split)].positions) - one.items for one in across
                   if one.other == "train"},
        across_twins=_twins(splits, split, item, plain.chosen(order[both[order]])),
        conflict_twins=_twins(splits, split, item, plain.chosen(order[conflict[order]])),
        mirrored_twins=_twins(splits, split, item, pairs.chosen(pairs.mirrored)),
        within_twins=_twins(splits, split, item, plain.chosen(order[~both[order] & ~conflict[order]])),
    )  # fmt: skip


def _different(splits: Sequence[SplitScan]) -> tuple[np.ndarray, np.ndarray]:
    """(split, item) of the first item of each content, blank ones left out; train's come first."""
    kept = [np.flatnonzero(~one.blank & one.finite) for one in splits]
    split = np.repeat(np.arange(len(splits)), [len(k) for k in kept])
    item = np.concatenate(kept)
    contents = np.concatenate([one.contents[k] for one, k in zip(splits, kept, strict=True)])
    first = np.sort(np.unique(contents, return_index=True)[1])
    return split[first], item[first]


def _compared(scan: Scan, splits: Sequence[SplitScan], split: np.ndarray, item: np.ndarray) -> tuple[str, Pairs]:
    """(what is compared, the pairs). CannotMeasure where items are alike by nature."""
    if scan.data.kind == "image" and splits[0].pictures is not None:
        pictures = np.stack([splits[s].pictures[k] for s, k in zip(split, item, strict=True)])
        return "pictures laid over each other", find_picture_twins(pictures)
    if splits[0].split.texts is not None:
        texts = [splits[s].split.texts[int(splits[s].positions[k])] for s, k in zip(split, item, strict=True)]
        return "runs of three words in common", find_text_twins(texts)
    rows = np.stack([splits[s].features[k] for s, k in zip(split, item, strict=True)])
    if len(rows) > MOST_ROWS:
        raise CannotMeasure(f"{len(rows):,} rows are too many to compare each with each")
    varied = [len(np.unique(column)) / len(rows) for column in rows.T if column.min() < column.max()]
    if len(varied) < 2 or float(np.mean(varied)) < CONTINUOUS:
        raise CannotMeasure("rows of whole numbers and categories are alike by nature")
    with one_thread():
        return "distances to neighbours", find_row_twins(rows)


def _of_split(pairs: Pairs, first: np.ndarray, second: np.ndarray, k: int, j: int) -> np.ndarray:
    """The items of split k that have a twin in split j."""
    here = pairs.second[(second == k) & (first == j)]
    there = pairs.first[(first == k) & (second == j)]
    return np.unique(np.concatenate([here, there]))


def _ends(pairs: Pairs) -> np.ndarray:
    return np.concatenate([pairs.first, pairs.second])


def _place(splits: Sequence[SplitScan], name: str) -> int:
    return next(k for k, one in enumerate(splits) if one.split.name == name)


def _conflicting(
    scan: Scan, splits: Sequence[SplitScan], split: np.ndarray, item: np.ndarray, pairs: Pairs
) -> np.ndarray:
    """bool (M): pairs with two labels."""
    if not scan.data.labelled or not len(pairs.first):
        return np.zeros(len(pairs.first), dtype=bool)
    labels = np.array([splits[s].targets[k] for s, k in zip(split, item, strict=True)])
    return np.asarray(labels[pairs.first] != labels[pairs.second])


def _twins(splits: Sequence[SplitScan], split: np.ndarray, item: np.ndarray, pairs: Pairs) -> tuple[Twins, ...]:
    found = []
    for a, b, likeness in zip(*(part[:LISTED].tolist() for part in pairs[:3]), strict=True):
        note = f"likeness {likeness:.2f}"
        found.append(Twins(items=tuple(splits[split[k]].item(int(item[k]), note) for k in (a, b))))
    return tuple(found)
