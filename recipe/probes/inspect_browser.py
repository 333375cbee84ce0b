"""D9: what the data browser shows: every item that a finding names, a stratified sample of the rest, what is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recipe.data.columns import Values, columns_of, left_out
from recipe.data.data import Data
from recipe.data.patch import contents_of
from recipe.data.scan import Scan, SplitScan
from recipe.data.scores import read_scores
from recipe.data.splits import strata_of
from recipe.data.sprites import ACROSS, EACH, encoded
from recipe.data.targets import yes_or_no
from recipe.data.thumbs import PIXELS, has_pictures, pixels_of, texts_of, thumbs_of
from recipe.record.browser import Browser, Column, Layout, Listing, Relabel, Sprites
from recipe.record.evidence import Shelf
from recipe.record.plain import from_plain, to_json
from recipe.record.scores import ItemScores
from recipe.record.suspects import suspects_on

MOST = 10_000
"""Items that are shown; more only where findings name more."""
OF_EACH = 30
"""Items of each stratum, however rare it is."""
NAMED_SIDE, SIDE, SMALL_SIDE = 96, 64, 32
"""Longer sides of thumbnails: of items that are named, of the others, and of those where many are large."""
TEXTS = 5_000_000
"""Characters of all texts together."""
SEVERAL = 64
"""Targets of an item beyond which nobody sets them one by one."""

Splits = Mapping[str, SplitScan]
Chosen = Mapping[str, np.ndarray]


def measure_browser(scan: Scan, shelf: Shelf, *, seed: int) -> Browser:
    """The last probe of the stage: it asks the shelf which items the others have named, and which scores they left."""
    data, splits = scan.data, scan.splits
    named = _named(splits, shelf)
    chosen = _chosen(splits, named, seed)
    columns = list(columns_of(data, splits, chosen, list(_scores(splits, chosen, shelf))))
    sprites, cells = _sprites(scan, chosen, named, shelf)
    table = data.train.cells is not None or any(column.title == "column 0" for column in columns)
    layout: Layout = "tiles" if sprites else "texts" if data.train.texts is not None or not table else "rows"
    written = bytearray()
    places = [_write(column, written) for column in columns]
    place = _write(Values("cell", cells), written) if cells is not None else None
    relabel = _relabel(data)
    return Browser(
        name=data.name,
        kind=data.kind,
        layout=layout,
        fingerprint=data.origin,
        items={name: len(one.split) for name, one in splits.items()},
        shown={name: len(which) for name, which in chosen.items()},
        named=sum(map(len, named.values())),
        columns=tuple(places),
        numbers=shelf.put_side("browser-columns.bin", bytes(written)),
        listing=shelf.put_side("browser-items.listing", to_json(_listing(scan, chosen, layout, relabel))),
        relabel=relabel,
        several=_several(data) if relabel in ("classes", "numbers") else (),
        sprites=sprites,
        cells=place,
        marks=data.patched.marks if data.patched else (),
        patched=str(data.patched or ""),
        left_out=left_out(data, splits),
    )


def _named(splits: Splits, shelf: Shelf) -> dict[str, np.ndarray]:
    """{split: readable items (n) that any evidence names}."""
    at: dict[str, set[int]] = {name: set() for name in splits}
    for found in suspects_on(shelf):
        for item in (item for items in found.sets for item in items):
            if item.split in at:
                at[item.split].add(item.position)
    return {name: np.flatnonzero(np.isin(one.positions, list(at[name]))) for name, one in splits.items()}


def _chosen(splits: Splits, named: Chosen, seed: int) -> dict[str, np.ndarray]:
    """{split: items (n), in order}: those that are named, and others of train and val; of test none but the named."""
    room = max(0, MOST - sum(map(len, named.values())))
    rest = {n: np.setdiff1d(np.arange(len(splits[n].positions)), named[n]) for n in ("train", "val") if n in splits}
    strata: list[tuple[str, np.ndarray]] = []
    generator = np.random.default_rng([seed, 11])
    for name, others in rest.items():
        kinds = strata_of(splits[name].split.targets)[splits[name].positions[others]]
        strata += [(name, generator.permutation(others[kinds == kind])) for kind in np.unique(kinds)]
    taken: dict[str, list[np.ndarray]] = {name: [which] for name, which in named.items()}
    for (name, others), quota in zip(strata, _quotas([len(others) for _, others in strata], room), strict=True):
        taken[name].append(others[:quota])
    return {name: np.sort(np.concatenate(parts)).astype(np.int64) for name, parts in taken.items()}


def _quotas(sizes: Sequence[int], room: int) -> list[int]:
    """How many of each stratum: all where there is room, else a few of each, and of the rest equal shares."""
    if sum(sizes) <= room:
        return list(sizes)
    few = min(OF_EACH, room // len(sizes))
    base = [min(size, few) for size in sizes]
    share = (room - sum(base)) / max(1, sum(sizes) - sum(base))
    return [b + int((size - b) * share) for b, size in zip(base, sizes, strict=True)]


def _scores(splits: Splits, chosen: Chosen, shelf: Shelf) -> Iterator[Values]:
    """The scores that any record carries."""
    for name in shelf.names():
        entry = shelf.entry(name)
        for scores in _scores_in(entry.data if entry else None):
            known = read_scores(shelf, scores)
            parts = [
                known[split][one.positions[chosen[split]]] if split in known else np.full(len(chosen[split]), np.nan)
                for split, one in splits.items()
            ]
            values = np.concatenate(parts).astype(np.float32)
            if scores.words:
                places = np.where(values >= 0, values, len(scores.words)).astype(np.int64)
                yield Values(scores.title, places, scores.words, about=scores.about)
            else:
                yield Values(scores.title, values, about=scores.about)


def _scores_in(value: Any) -> Iterator[ItemScores]:
    if isinstance(value, dict) and value.keys() == set(ItemScores.__struct_fields__):
        yield from_plain(value, ItemScores)
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _scores_in(one)


def _relabel(data: Data) -> Relabel:
    """What a patch can make of a target, as far as a person would."""
    targets = data.train.targets
    if data.without_label or targets.ndim > 2 or (targets.ndim == 2 and targets.shape[1] > SEVERAL):
        return "nothing"
    if targets.ndim == 2:
        return "classes" if yes_or_no(targets) else "numbers"
    return "class" if data.labelled else "number"


def _several(data: Data) -> tuple[str, ...]:
    """What the targets of an item are called."""
    count = data.train.targets.shape[1]
    return data.classes if data.classes and len(data.classes) == count else tuple(f"target {k}" for k in range(count))


def _listing(scan: Scan, chosen: Chosen, layout: Layout, relabel: Relabel) -> Listing:
    splits = [(one, chosen[name].tolist()) for name, one in scan.splits.items()]
    most = max(200, min(2000, TEXTS // max(1, sum(len(which) for _, which in splits))))
    return Listing(
        names=tuple(one.called(k) for one, which in splits for k in which),
        contents=tuple(content for one, which in splits for content in _contents(one, which)),
        texts=tuple(text for one, which in splits for text in texts_of(scan.data, one, which, most))
        if layout == "texts"
        else (),
        targets=tuple(
            " ".join(f"{number:.7g}" for number in target)
            for one, which in splits
            for target in one.targets[which].tolist()
        )
        if relabel in ("classes", "numbers")
        else (),
    )


def _contents(one: SplitScan, which: list[int]) -> list[str]:
    """Of a stream the scan has them already."""
    split = one.split
    if split.streams and split.cells is None and split.texts is None and split.inputs.repeats():
        return [bytes(one.contents[k]).hex() for k in which]
    return contents_of(split, one.positions[which].tolist())


def _sprites(scan: Scan, chosen: Chosen, named: Chosen, shelf: Shelf) -> tuple[tuple[Sprites, ...], np.ndarray | None]:
    """Sheets of the named and of the others, and which picture each chosen item has among all of them (N)."""
    if not has_pictures(scan.data, scan.splits["train"]):
        return (), None
    marked = {name: np.isin(which, named[name]) for name, which in chosen.items()}
    work = sum(pixels_of(scan.splits[name], int((~marked[name]).sum())) for name in chosen)
    made = []
    for kind, side in (("named", NAMED_SIDE), ("others", SIDE if work <= PIXELS else SMALL_SIDE)):
        pictures: list[np.ndarray] = []
        for name, which in chosen.items():
            pictures += thumbs_of(scan, name, which[marked[name] == (kind == "named")].tolist(), side)
        if pictures:
            made.append(_put(kind, pictures, shelf))
    first = np.concatenate(list(marked.values()))
    cells = np.where(first, np.cumsum(first) - 1, first.sum() + np.cumsum(~first) - 1)
    return tuple(made), cells.astype(np.uint32)


def _put(kind: str, pictures: Sequence[np.ndarray], shelf: Shelf) -> Sprites:
    sheets = encoded(pictures)
    height, width = pictures[0].shape[:2]
    sides = tuple(shelf.put_side(f"browser-{kind}-{k}.sheet", sheet) for k, sheet in enumerate(sheets))
    return Sprites(sides=sides, width=width, height=height, across=ACROSS, each=EACH, count=len(pictures))


def _write(column: Values, written: bytearray) -> Column:
    """Appends the column's numbers, on a multiple of eight bytes."""
    written += bytes(-len(written) % 8)
    start = len(written)
    values = column.values if column.words is None else np.asarray(column.values, dtype=np.uint32)
    written += values.astype(np.dtype(column.number).newbyteorder("<")).tobytes()
    return Column(
        title=column.title,
        number=column.number,
        start=start,
        words=column.words,
        about=column.about,
        given=column.given,
    )
