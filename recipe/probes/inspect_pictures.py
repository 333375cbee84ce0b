"""Pictures to look at: samples and means of each class, items that stand out, twins side by side. Of tables, rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recipe.data.data import Data, Split
from recipe.data.pictures import picture_of, sheet
from recipe.data.scan import Scan
from recipe.data.texts import shortened
from recipe.record.data import Duplicates, Item, Twins
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.features import Outliers, Rows, Sheet
from recipe.record.label_noise import LabelNoise
from recipe.record.near_duplicates import NearDuplicates
from recipe.record.quality import PictureQuality

ACROSS = 10
MOST_CLASSES = 40


def draw_samples(scan: Scan, shelf: Shelf, *, seed: int) -> Sheet:
    """Ten of each class (forty of train, where there are no classes). CannotMeasure when the data are no pictures."""
    data = scan.data
    _require_pictures(data)
    generator = np.random.default_rng([seed, 7])
    targets = data.train.targets.numpy()
    if data.classes is None or targets.ndim > 1:
        chosen = generator.permutation(len(targets))[: 4 * ACROSS].tolist()
        return _sheet(
            "samples", chosen, data.train, scan, shelf, captions=[_label(data, data.train, k) for k in chosen]
        )
    rows: list[int | None] = []
    names = data.classes[:MOST_CLASSES]
    for label in range(len(names)):
        members = generator.permutation(np.flatnonzero(targets == label))[:ACROSS].tolist()
        rows += [*members, *[None] * (ACROSS - len(members))]
    return _sheet("samples", rows, data.train, scan, shelf, row_labels=names)


def draw_class_means(scan: Scan, shelf: Shelf) -> Sheet:
    """The mean picture of each class of train."""
    _require_pictures(scan.data)
    train = scan.splits["train"]
    if train.class_means is None or scan.data.classes is None:
        raise CannotMeasure("there is not one class an item")
    reach = (train.low, train.high)
    dtype = scan.data.train.raw(0)[0].dtype
    means = train.class_means if dtype.is_floating_point else train.class_means.round().to(dtype)
    pictures = [picture_of(scan.data, mean, reach) for mean in means[:MOST_CLASSES]]
    return _put("class_means", pictures, shelf, captions=scan.data.classes[:MOST_CLASSES])


def draw_outliers(scan: Scan, shelf: Shelf, outliers: Outliers) -> Sheet:
    """The items farthest from all others."""
    _require_pictures(scan.data)
    return _draw_items("outliers", outliers.farthest[: 3 * ACROSS], scan, shelf)


def draw_quality(scan: Scan, shelf: Shelf, quality: PictureQuality) -> Sheet:
    """The first ten pictures of each odd kind, a row a kind. CannotMeasure when there are none."""
    shown = [one for one in quality.qualities if one.worst]
    if not shown:
        raise CannotMeasure("no picture is of odd quality")
    rows: list[np.ndarray | None] = []
    for one in shown:
        some = [_picture(scan, item.split, item.position) for item in one.worst[:ACROSS]]
        rows += [*some, *[None] * (ACROSS - len(some))]
    labels = [f"{one.kind.replace('-', ' ')}: {one.total:,}" for one in shown]
    return _put("quality_pictures", rows, shelf, row_labels=labels)


def draw_twins(scan: Scan, shelf: Shelf, duplicates: Duplicates) -> Sheet:
    """Items with the same content, two by two: across splits first, then under two labels, then within a split."""
    found = [*duplicates.across_twins, *duplicates.conflict_twins, *duplicates.within_twins]
    return _draw_pairs("twins", found[:ACROSS], " = ", scan, shelf)


def draw_near_twins(scan: Scan, shelf: Shelf, near: NearDuplicates) -> Sheet:
    """The most alike of each kind, two by two: in two splits, with two labels, mirrored, within a split."""
    kinds = (near.across_twins, near.conflict_twins, near.mirrored_twins, near.within_twins)
    return _draw_pairs("near_twins", [twins for some in kinds for twins in some[: ACROSS // 2]], " ~ ", scan, shelf)


def draw_suspects(scan: Scan, shelf: Shelf, label_noise: LabelNoise) -> Sheet:
    """The items whose labels are most suspicious, with what they are labelled and what they look like."""
    _require_pictures(scan.data)
    items = label_noise.suspects[: 4 * ACROSS]
    pictures = [_picture(scan, item.split, item.position) for item in items]
    notes = [f"{item.name}: {item.note.split(' (')[0].removeprefix('given ')}" for item in items]
    return _put("suspects", pictures, shelf, captions=[note.replace(", looks like", " →") for note in notes])


def show_rows(data: Data, *, seed: int, rows: int = 12) -> Rows:
    """Rows or texts of train, drawn with the seed. CannotMeasure when the data are neither."""
    cells, texts = data.train.cells, data.train.texts
    chosen = np.sort(np.random.default_rng([seed, 7]).permutation(len(data.train))[:rows]).tolist()
    if cells is not None:
        told = [cells.row(k) for k in chosen]
    elif texts is not None:
        told = [{"text": shortened(texts[k])} for k in chosen]
    else:
        raise CannotMeasure("the data are no table and no texts")
    shown = [
        {"": data.train.called(k), **row, "target": _label(data, data.train, k)}
        for k, row in zip(chosen, told, strict=True)
    ]
    return Rows(columns=tuple(shown[0]), rows=tuple(tuple(row.values()) for row in shown))


def _draw_pairs(name: str, found: Sequence[Twins], sign: str, scan: Scan, shelf: Shelf) -> Sheet:
    """A row for each pair. CannotMeasure when there is none, or no picture."""
    _require_pictures(scan.data)
    pairs = [twins.items[:2] for twins in found]
    if not pairs:
        raise CannotMeasure("no two items are alike")
    items = [item for pair in pairs for item in pair]
    pictures = [_picture(scan, item.split, item.position) for item in items]
    labels = [_told(pair, sign) for pair in pairs]
    return _put(name, pictures, shelf, row_labels=labels, across=2)


def _told(pair: Sequence[Item], sign: str) -> str:
    """Names and labels of two items, and what the first one's note says of both."""
    names = sign.join(f"{item.name} ({item.label})" for item in pair)
    return f"{names}: {pair[0].note}" if pair[0].note else names


def _require_pictures(data: Data) -> None:
    if data.kind != "image":
        raise CannotMeasure("the data are no pictures")


def _label(data: Data, split: Split, k: int) -> str:
    target = split.targets[k]
    if target.ndim:
        return " ".join(f"{v:g}" for v in target.reshape(-1)[:8].tolist())
    return data.classes[int(target)] if data.classes else f"{float(target):g}"


def _picture(scan: Scan, split: str, position: int) -> np.ndarray:
    one = scan.splits[split]
    return picture_of(scan.data, one.split.raw(position)[0], (one.low, one.high))


def _draw_items(name: str, items: Sequence[Item], scan: Scan, shelf: Shelf) -> Sheet:
    if not items:
        raise CannotMeasure("nothing stands out")
    pictures = [_picture(scan, item.split, item.position) for item in items]
    return _put(name, pictures, shelf, captions=[item.name for item in items])


def _sheet(name: str, places: Sequence[int | None], split: Split, scan: Scan, shelf: Shelf, **told: Any) -> Sheet:
    pictures = [None if k is None else _picture(scan, split.name, k) for k in places]
    return _put(name, pictures, shelf, **told)


def _put(
    name: str,
    pictures: Sequence[np.ndarray | None],
    shelf: Shelf,
    *,
    captions: Sequence[str] = (),
    row_labels: Sequence[str] = (),
    across: int = ACROSS,
) -> Sheet:
    data, down = sheet(pictures, across)
    return Sheet(
        side=shelf.put_side(f"{name}.png", data),
        across=across,
        down=down,
        count=len(pictures),
        captions=tuple(captions),
        row_labels=tuple(row_labels),
    )
