"""A source's mapping → `Data`: validated, divided with the seed, encoded and preprocessed as train says, test sealed.

What is refused here is listed in docs/your-own.md, "What is refused".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipe.data.cells import Cells
from recipe.data.data import Data, Split, Trouble, refuse_unreadable
from recipe.data.encode import encode
from recipe.data.extra import merged, same_classes
from recipe.data.given import array_of, inputs_of
from recipe.data.patch import apply_patch, labels_of
from recipe.data.preprocess import Preprocess, fit
from recipe.data.ragged import filled_up
from recipe.data.splits import split_off
from recipe.data.stream import Stream, length
from recipe.data.targets import agree_on_targets, unlabelled, without_targets
from recipe.data.texts import Texts
from recipe.machine import one_thread
from recipe.record.refusal import Refusal
from recipe.tree import leaves

SPLITS = ("train", "val", "test")
USE = {
    "name", "val_fraction", "test_fraction", "train_transform", "eval_transform", "max_unreadable", "preprocess",
    "patch", "workers", "streaming", "encode", "tokens", "bag", "leave_out", "side", "channels", "extra", "extra_share",
}  # fmt: skip
"""Keys of the data node that say how the data are used, not where they come from."""
KINDS = ("image", "table", "text", "series", "array")
BESIDE = ("classes", "decode", "ids", "groups", "attributes", "time", "kind", "unreadable", "odd", "renamed", "notes")
KEYS = {*SPLITS, *BESIDE, "extra", "extra_classes"}


def assemble(
    mapping: Mapping[str, Any],
    settings: Mapping[str, Any],
    seed: int,
    task: str,
    *,
    encoding: Callable[[], str] = lambda: "bag",
) -> Data:
    """The data set that `mapping` describes. settings: the data node of the config; task: its name, or "auto".

    encoding: what data.encode=auto means, asked where there are texts. Refusal, naming split, row or key.
    """
    target = str(settings.get("_target_", "data"))
    _check_mapping(mapping, target)
    mapping, masked = filled_up(mapping, target)
    lost: list[Trouble] = list(mapping.get("unreadable") or ())
    splits: dict[str, Split] = {}
    given: dict[str, np.ndarray] = {}
    for name in (*SPLITS, "extra"):
        if mapping.get(name) is not None:
            splits[name], given[name] = _read(name, mapping, settings, target, lost)
    if "extra" in given:
        given["extra"] = same_classes(given["extra"], mapping.get("extra_classes"), mapping.get("classes"))
    labelled = not (isinstance(mapping["train"], tuple) and mapping["train"][1] is None)
    if labelled:
        _leave_out_unlabelled(splits, given, mapping.get("classes"), task, lost)
    refuse_unreadable(lost, int(settings["max_unreadable"]), sum(map(len, splits.values())))
    _refuse_overlap(splits)
    agreed = agree_on_targets(given, mapping.get("classes"), task) if labelled else without_targets(given)
    splits = {name: split.replace_targets(agreed.by_split[name]) for name, split in splits.items()}
    notes = [*(mapping.get("notes") or ()), *_divide(splits, settings, seed, mapping.get("time"))]
    if "extra" in splits:
        splits, merging = merged(splits, settings["extra_share"], seed)
        notes.append(merging)
    # After the division, so that a dropped item moves no other to another split.
    applied = None
    if settings.get("patch"):
        labels = labels_of(splits["train"].targets, agreed.classes, task, unlabelled=not labelled)
        applied = apply_patch(str(settings["patch"]), splits, labels)
    splits = applied.splits if applied else splits
    kind = mapping.get("kind") or _kind(splits["train"])
    splits, encoder, following, told = encode(splits, settings, encoding, labelled=labelled)
    return Data(
        name=str(settings.get("name") or "data"),
        kind=kind,
        train=splits["train"],
        val=splits["val"],
        sealed=splits.get("test"),
        classes=following or agreed.classes,
        unlabelled=not labelled and following is None,
        preprocess=_fitted(
            settings, splits["train"], kind, encoder.features if splits["train"].cells is not None else None
        ),
        decode=mapping.get("decode"),
        time=mapping.get("time"),
        unreadable=tuple(lost),
        odd=tuple(mapping.get("odd") or ()),
        renamed=dict(mapping.get("renamed") or {}) | agreed.renamed,
        features=encoder.features if encoder else None,
        encoder=encoder,
        max_unreadable=int(settings["max_unreadable"]),
        notes=(*notes, *told),
        patched=applied.patched if applied else None,
        fine=applied.fine if applied else {},
        masked=masked,
    )


def _check_mapping(mapping: Any, target: str) -> None:
    if not isinstance(mapping, Mapping):
        raise Refusal(
            f"it gave a {type(mapping).__name__}, not a mapping",
            where=target,
            fix='return {"train": (X, y)} or more of the splits',
        )
    if mapping.get("train") is None:
        raise Refusal(f"its mapping has no train (it has {', '.join(mapping) or 'nothing'})", where=target)
    if unknown := sorted(set(mapping) - KEYS):
        raise Refusal(
            f"its mapping has {unknown[0]!r}, which means nothing",
            where=target,
            fix=f"known: {', '.join(sorted(KEYS))}",
        )
    if mapping.get("kind") not in (None, *KINDS):
        raise Refusal(f"there is no kind {mapping['kind']!r}", where=target, fix=f"one of: {', '.join(KINDS)}")
    for key in ("ids", "groups", "attributes"):
        for split, values in (mapping.get(key) or {}).items():
            if split not in SPLITS or mapping.get(split) is None:
                raise Refusal(f"{key} are given for {split!r}, which is no split of it", where=target)
            if not hasattr(values, "__len__"):
                raise Refusal(f"{key} of {split} are a {type(values).__name__}, not a sequence", where=target)


def _read(
    name: str, mapping: Mapping[str, Any], settings: Mapping[str, Any], target: str, lost: list[Trouble]
) -> tuple[Split, np.ndarray]:
    """The split with its raw targets: arrays as tensors, datasets held in memory where that is right."""
    value = mapping[name]
    kept: np.ndarray | None = None
    inputs: Any
    if isinstance(value, tuple) and len(value) == 2:
        inputs = inputs_of(value[0], name, target)
        size = len(inputs) if isinstance(inputs, (Cells, Texts)) else len(next(leaves(inputs)))
        raw = np.zeros(size, dtype=np.int64) if value[1] is None else array_of(value[1])
    elif hasattr(value, "__getitem__"):
        size = length(value, name, target)
        inputs, raw, kept = (
            _dataset(value, size, name, target, settings, lost) if size else (torch.zeros(0), np.zeros(0), None)
        )
    else:
        raise Refusal(
            f"{name} is a {type(value).__name__}",
            where=target,
            fix="give (X, y), or a map-style Dataset of (input, target)",
        )
    if size == 0 or len(raw) == 0:
        raise Refusal(f"{name} is empty", where=target, fix="give it at least one item")
    if kept is None and len(raw) != size:
        raise Refusal(
            f"{name} has {size:,} inputs and {len(raw):,} targets", where=target, fix="give one target an input"
        )
    rows = np.arange(size) if kept is None else kept
    side = _beside(name, mapping, size, target)
    split = Split(
        name=name,
        inputs=torch.zeros(len(rows)) if isinstance(inputs, (Cells, Texts)) else inputs,
        targets=torch.zeros(len(rows)),
        origin=name,
        rows=torch.from_numpy(rows.astype(np.int64)),
        ids=[str(v) for v in side["ids"][rows].tolist()] if "ids" in side else None,
        groups=side["groups"][rows] if "groups" in side else None,
        attributes={column: values[rows] for column, values in side["attributes"].items()},
        cells=inputs if isinstance(inputs, Cells) else None,
        texts=inputs if isinstance(inputs, Texts) else None,
    )
    return split, raw


def _beside(name: str, mapping: Mapping[str, Any], size: int, target: str) -> dict[str, Any]:
    """What is given beside inputs and targets, one an item: ids and groups where there are any, and attributes."""
    given = {key: (mapping.get(key) or {}).get(name) for key in ("ids", "groups", "attributes")}
    found: dict[str, Any] = {
        key: _aligned(given[key], size, key, name, target) for key in ("ids", "groups") if given[key] is not None
    }
    columns = (given["attributes"] or {}).items()
    return found | {"attributes": {c: _aligned(v, size, f"attribute {c}", name, target) for c, v in columns}}


def _dataset(
    dataset: Any, size: int, name: str, target: str, settings: Mapping[str, Any], lost: list[Trouble]
) -> tuple[Any, np.ndarray, np.ndarray]:
    stream = Stream(dataset, np.arange(size), name, target)
    streaming = settings["streaming"]
    if streaming is True or (
        streaming == "auto" and not (stream.gives_numbers() and stream.repeats() and stream.fits())
    ):
        if not int(settings["max_unreadable"]):
            return stream, array_of(stream.targets()), np.arange(size)
        # Some may be left out: which, no later pass over the stream could say in time.
        sound, broken = stream.readable()
        kept = np.asarray(sound, dtype=np.int64)
        stream = stream.take(kept)
        inputs, raw = stream, stream.targets()
    else:
        inputs, raw, sound, broken = stream.hold()
        kept = np.asarray(sound, dtype=np.int64)
    lost += [Trouble(name, item.where, item.reason) for item in broken]
    return inputs, array_of(raw), kept


def _leave_out_unlabelled(
    splits: dict[str, Split], given: dict[str, np.ndarray], classes: Any, task: str, lost: list[Trouble]
) -> None:
    """Items without a target are listed, and taken out of the splits; `max_unreadable` says how many may be."""
    for name, reasons in unlabelled(given, classes, task).items():
        split = splits[name]
        places = [f"item {int(split.rows[k])} of {name}" if split.ids is None else split.ids[k] for k in reasons]
        lost += [Trouble(name, place, why) for place, why in zip(places, reasons.values(), strict=True)]
        keep = np.delete(np.arange(len(split)), list(reasons))
        if not len(keep):
            raise Refusal(f"no item of {name} has a target", where="data", fix="give targets, or another column")
        splits[name], given[name] = split.take(keep), given[name][keep]


def _aligned(values: Any, size: int, what: str, name: str, target: str) -> np.ndarray:
    if len(values) != size:
        raise Refusal(f"{name} has {size:,} items and {len(values):,} {what}", where=target, fix="give one an item")
    return array_of(values)


def _refuse_overlap(splits: Mapping[str, Split]) -> None:
    names = [name for name in splits if splits[name].ids is not None]
    for name in names:
        ids = splits[name].ids or ()
        seen = set(ids)
        if len(seen) < len(ids):
            twice = Counter(ids).most_common(1)[0][0]
            raise Refusal(
                f"two items of {name} have the id {twice!r}", where="data: ids", fix="give every item its own id"
            )
        for other in names[: names.index(name)]:
            if both := seen & set(splits[other].ids or ()):
                raise Refusal(
                    f"{other} and {name} share {len(both):,} ids, such as {min(both)!r}",
                    where="data: ids",
                    fix=f"remove them from {name}: what is learnt from cannot be tested on",
                )


def _divide(splits: dict[str, Split], settings: Mapping[str, Any], seed: int, time: str | None) -> list[str]:
    """Splits off what the source did not give: test first, both as fractions of what train was."""
    notes = []
    whole = len(splits["train"])
    for name in ("test", "val"):
        fraction = float(settings[f"{name}_fraction"])
        if name in splits or (name == "test" and fraction == 0):
            continue
        if not 0 < fraction < 1:
            raise Refusal(
                f"a fraction of {fraction:g}", where=f"data.{name}_fraction", fix=f"data.{name}_fraction=0.15"
            )
        rest = len(splits["train"])
        splits["train"], splits[name] = split_off(splits["train"], fraction * whole / rest, name, seed, time)
        how = f"the latest by {time}" if time else "stratified by target, groups and identical items kept together"
        notes.append(f"{len(splits[name]):,} of {whole:,} items split off as {name} with seed {seed}: {how}.")
    return notes


def _fitted(settings: Mapping[str, Any], train: Split, kind: str, names: Sequence[str] | None) -> Preprocess:
    # What the user's own transforms of validation items make of inputs is theirs to scale.
    own = settings["preprocess"] == "auto" and settings.get("eval_transform")
    setting = settings["preprocess"]
    if isinstance(setting, Mapping) and settings["leave_out"]:
        columns = {name: way for name, way in setting.get("columns", {}).items() if name not in settings["leave_out"]}
        setting = {**setting, "columns": columns}
    with one_thread():
        shown = {key: settings[key] for key in ("side", "channels")}
        return fit("none" if own else setting, train, kind, names, **shown)


def _kind(train: Split) -> str:
    """What inputs look like. (N, 1|3|4, H, W) and (N, H, W, 1|3|4) are pictures; rows of few numbers a table's."""
    if train.cells is not None:
        return "table"
    if train.texts is not None:
        return "text"
    first = train.sample([0])
    if not isinstance(first, Tensor):
        return "array"
    shape = tuple(first.shape[1:])
    if len(shape) == 3 and min(shape[0], shape[2]) <= 4 and shape[1] > 1:
        return "image"
    if len(shape) == 2:
        return "image" if first.dtype == torch.uint8 or min(shape) >= 8 else "series"
    return "array"
