"""D3, near: the same picture, text or row of numbers shown in another way, within splits and across them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from recipe.data.contents import Contents, different_contents
from recipe.data.scan import Scan, SplitScan
from recipe.data.texts import shortened
from recipe.intervals import wilson
from recipe.likeness.pairs import Pairs, clusters, joined
from recipe.likeness.row_twins import find_row_twins
from recipe.record.data import Twins
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.near_duplicates import NearAcross, NearDuplicates, NearSplit

LISTED = 24
SHOWN = 100
"""Letters of a text that are shown."""
MOST = 250_000
"""Different contents that are compared; beyond, train is thinned out evenly and evaluation splits are not."""
EQUAL_CELLS = 0.25
"""Rows with more cells equal differ in a few columns: that is told by column, not as noise."""
SMALL = 12_000
"""Pictures up to which noisy variants of all of them are looked for, too."""
WIDE = 2048
"""Numbers an item of an array may have to be compared as it is."""


def measure_near_duplicates(scan: Scan, shelf: Shelf) -> NearDuplicates:
    """Compares all contents of all splits. Writes the clusters as a file of groups."""
    if scan.data.unlabelled:
        raise CannotMeasure("pieces of one text are alike by nature")
    told, left_out = different_contents(list(scan.splits.values()), MOST)
    how, pairs, apart = _found(scan, told)
    straight, mirrored = pairs.chosen(~pairs.mirrored), pairs.chosen(pairs.mirrored)
    cluster = clusters(straight.first, straight.second, len(told.first))
    size = np.bincount(cluster[told.content], minlength=cluster.max() + 1)
    several = np.bincount(cluster) > 1
    examples = _examples(told, straight, mirrored, cluster, labelled=scan.data.labelled)
    return NearDuplicates(
        kind=scan.data.kind,
        how=how,
        splits=tuple(_splits(told, straight, mirrored, cluster, labelled=scan.data.labelled)),
        pairs=len(straight.first),
        across=tuple(_across(told, straight)),
        mirrored_pairs=len(mirrored.first),
        mirrored_across=tuple(_across(told, mirrored)),
        clusters=int(several.sum()),
        spanning=int(_spanning(told, cluster, several).sum()),
        largest=int(size[several].max(initial=0)),
        apart=apart,
        left_out=left_out,
        groups=_groups(told, cluster, several, shelf),
        texts=dict(_beginnings(scan, examples)),
        **examples,
    )


def _found(scan: Scan, told: Contents) -> tuple[str, Pairs, float | None]:
    """(how, pairs of contents, median difference of two at random)."""
    if told.scans[0].pictures is not None:
        from recipe.likeness.picture_twins import find_picture_twins, usual_difference

        pictures = told.of_first(_pictures)
        pairs = find_picture_twins(pictures)
        if len(pictures) <= SMALL:
            # Noise hides a twin from the look of one pair, and not from the looks of all.
            flat = pictures.reshape(len(pictures), -1)
            pairs = joined(pairs, find_row_twins(flat, one_unit=True, by_density=False))
        how = "each picture laid over its likeliest twins, moved, stretched or mirrored, in any light"
        return how, pairs, usual_difference(pictures)
    if scan.data.train.texts is not None:
        from recipe.likeness.text_twins import find_text_twins

        where = zip(told.split[told.first].tolist(), told.item[told.first].tolist(), strict=True)
        texts = [_text(told.scans[split], item) for split, item in where]
        return "runs of five characters in common, case, marks and numbers aside", find_text_twins(texts), None
    return "distances between rows of numbers, beside those to their tenth neighbours", _row_pairs(scan, told), None


def _pictures(one: SplitScan) -> np.ndarray:
    assert one.pictures is not None
    return one.pictures


def _text(one: SplitScan, item: int) -> str:
    assert one.split.texts is not None
    return one.split.texts[int(one.positions[item])]


def _row_pairs(scan: Scan, told: Contents) -> Pairs:
    """Of a table's numeric columns, where few cells are equal; of other numbers, as the source gives them."""
    rows = told.of_first(_numbers)
    if scan.data.train.cells is None:
        return find_row_twins(rows, one_unit=True)
    rows = rows[:, rows.std(axis=0) > 0]
    pairs = find_row_twins(rows, one_unit=False)
    equal = (rows[pairs.first] == rows[pairs.second]).mean(axis=1) if len(pairs.first) else np.zeros(0)
    codes = told.of_first(_codes)
    same = (codes[pairs.first] == codes[pairs.second]).all(axis=1)
    return pairs.chosen(same & (equal <= EQUAL_CELLS))


def _numbers(one: SplitScan) -> np.ndarray:
    """float (N, D): a table's numbers, empty cells as their column's middle; else inputs, or what is kept of them."""
    if one.split.cells is not None:
        cells = one.split.cells.take(one.positions).numeric
        known = ~np.isnan(cells)
        middle = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(cells.T, known.T, strict=True)])
        return np.where(known, cells, middle)
    if one.split.streams or not hasattr(one.split.inputs, "flatten"):
        return one.features
    raw = one.split.inputs[one.positions].flatten(1)
    return np.asarray(raw.numpy()) if raw.shape[1] <= WIDE else one.features


def _codes(one: SplitScan) -> np.ndarray:
    assert one.split.cells is not None
    return one.split.cells.take(one.positions).codes


def _touched(pairs: Pairs, inside: np.ndarray) -> np.ndarray:
    """bool (C): contents with a twin among those marked."""
    found = np.zeros(len(inside), dtype=bool)
    found[pairs.first[inside[pairs.second]]] = True
    found[pairs.second[inside[pairs.first]]] = True
    return found


def _labels(told: Contents) -> np.ndarray:
    """int64 (C, 2): lowest and highest label of each content."""
    ends = np.stack([np.full(len(told.first), np.iinfo(np.int64).max), np.full(len(told.first), -1)], axis=1)
    np.minimum.at(ends[:, 0], told.content, told.label)
    np.maximum.at(ends[:, 1], told.content, told.label)
    return ends


def _torn(told: Contents, pairs: Pairs) -> np.ndarray:
    """bool (M): pairs whose labels differ; those that differ within equal items are another finding's."""
    ends = _labels(told)
    return np.asarray(ends[pairs.first, 0] != ends[pairs.second, 0])


def _splits(
    told: Contents, straight: Pairs, mirrored: Pairs, cluster: np.ndarray, *, labelled: bool
) -> Iterator[NearSplit]:
    torn = straight.chosen(_torn(told, straight))
    everywhere = np.ones(len(told.first), dtype=bool)
    disagree, turned = _touched(torn, everywhere), _touched(mirrored, everywhere)
    seen = np.zeros(cluster.max() + 1, dtype=bool)
    for k, one in enumerate(told.scans):
        own = told.content[told.split == k]
        mine = np.zeros_like(seen)
        mine[cluster[own]] = True
        fresh = int((mine & ~seen).sum())
        seen |= mine
        share = wilson(0.9 * fresh, fresh)
        yield NearSplit(
            split=one.split.name,
            items=len(own),
            within=int(_touched(straight, told.inside(k))[own].sum()),
            disagree=int(disagree[own].sum()) if labelled else 0,
            fresh=fresh,
            half=(share.high - share.low) / 2,
            mirrored=int(turned[own].sum()),
        )


def _across(told: Contents, pairs: Pairs) -> Iterator[NearAcross]:
    ends = _labels(told)
    same = pairs.chosen(ends[pairs.first, 0] == ends[pairs.second, 0])
    for k, one in enumerate(told.scans):
        own = told.content[told.split == k]
        for j, other in enumerate(told.scans[:k]):
            inside = told.inside(j)
            items = int(_touched(pairs, inside)[own].sum())
            yield NearAcross(
                split=one.split.name,
                other=other.split.name,
                items=items,
                share=wilson(items, max(1, len(own))),
                same=int(_touched(same, inside)[own].sum()),
            )


def _spanning(told: Contents, cluster: np.ndarray, several: np.ndarray) -> np.ndarray:
    """bool (clusters): those of several contents, with items in several splits."""
    low, high = np.full(len(several), len(told.scans)), np.full(len(several), -1)
    np.minimum.at(low, cluster[told.content], told.split)
    np.maximum.at(high, cluster[told.content], told.split)
    return np.asarray(several & (low < high))


def _groups(told: Contents, cluster: np.ndarray, several: np.ndarray, shelf: Shelf) -> str:
    """A table of the items in clusters: split, item, position, group."""
    if not several.any():
        return ""
    number = np.cumsum(several) - 1
    own = cluster[told.content]
    lines = ["split,item,position,group"]
    for k in np.flatnonzero(several[own]).tolist():
        one, item = told.scans[told.split[k]], int(told.item[k])
        name = one.called(item).replace('"', '""')
        lines.append(f'{one.split.name},"{name}",{int(one.positions[item])},{int(number[own[k]])}')
    return shelf.put_side("near-duplicate-groups.csv", ("\n".join(lines) + "\n").encode())


def _examples(
    told: Contents, straight: Pairs, mirrored: Pairs, cluster: np.ndarray, *, labelled: bool
) -> dict[str, tuple[Twins, ...]]:
    """The most alike of each cluster: in two splits, under two labels, within a split; and mirrored ones."""
    inside = np.stack([told.inside(k) for k in range(len(told.scans))], axis=1)
    single = (inside[straight.first] == inside[straight.second]).all(axis=1)
    across = ~single | (inside[straight.first].sum(axis=1) > 1)
    torn = _torn(told, straight) if labelled else np.zeros(len(straight.first), dtype=bool)
    rest = ~across & ~torn
    return {
        "across_twins": _listed(told, straight.chosen(across), cluster),
        "conflict_twins": _listed(told, straight.chosen(torn), cluster),
        "within_twins": _listed(told, straight.chosen(rest), cluster),
        "mirrored_twins": _listed(told, mirrored, np.arange(len(cluster))),
    }


def _beginnings(scan: Scan, examples: Mapping[str, tuple[Twins, ...]]) -> Iterator[tuple[str, str]]:
    """(split and name, how the text begins) of all items of the examples; none where items are no texts."""
    for item in (item for some in examples.values() for twins in some for item in twins.items):
        texts = scan.splits[item.split].split.texts
        if texts is not None:
            yield f"{item.split}: {item.name}", shortened(texts[item.position], SHOWN)


def _listed(told: Contents, pairs: Pairs, cluster: np.ndarray) -> tuple[Twins, ...]:
    order = np.argsort(-pairs.likeness, kind="stable")
    first = order[np.sort(np.unique(cluster[pairs.first[order]], return_index=True)[1])][:LISTED]
    return tuple(_twins(told, pairs, k) for k in first.tolist())


def _twins(told: Contents, pairs: Pairs, k: int) -> Twins:
    """Two items of the pair, of different splits where there are such, the earlier split first."""
    sides = [np.flatnonzero(told.content == content) for content in (int(pairs.first[k]), int(pairs.second[k]))]
    a, b = min(
        ((int(i), int(j)) for i in sides[0][:4] for j in [*sides[1][:4], sides[1][-1]]),
        key=lambda two: (told.split[two[0]] == told.split[two[1]], two),
    )
    a, b = sorted((a, b), key=lambda i: (int(told.split[i]), int(told.item[i])))
    note = f"likeness {float(pairs.likeness[k]):.3f}{', mirrored' if pairs.mirrored[k] else ''}"
    return Twins(items=tuple(told.scans[told.split[i]].item(int(told.item[i]), note) for i in (a, b)))
