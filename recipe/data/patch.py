"""Applies a patch file: drops and relabels items after the splits were made, so that all others stay where they are."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.config.yaml_text import parse_yaml
from recipe.data.data import Split, UnreadableItem, fingerprint_of
from recipe.data.targets import without_label, yes_or_no
from recipe.nearest import did_you_mean
from recipe.record.patch import SCHEMA, Mark, Patch, Patched
from recipe.record.refusal import Refusal
from recipe.tree import leaves, stack

MAX_BYTES = 100_000_000
MAX_VALUES = 4_000_000
"""Values in a patch: a quarter of a million marks."""


class Applied(NamedTuple):
    """The splits as the patch wants them. fine: {split: positions in it that are marked as fine}."""

    splits: dict[str, Split]
    patched: Patched
    fine: dict[str, frozenset[int]]


class Labels(NamedTuple):
    """What a new label may be. fixed: why there can be none. yes_or_no: each of several targets is 0 or 1."""

    classes: Sequence[str] | None
    fixed: str = ""
    yes_or_no: bool = False


def labels_of(targets: Tensor, classes: Sequence[str] | None, task: str, *, unlabelled: bool) -> Labels:
    """Of the targets as they are before the patch. task: its name, or "auto"."""
    fixed = "" if task == "regression" and not unlabelled else without_label(targets, unlabelled=unlabelled)
    if unlabelled:
        fixed += ", and what is learnt follows from the inputs"
    if targets.ndim > 1 and task == "language_model":
        fixed = "the targets are tokens, one at each position"
    if targets.ndim > 2:
        fixed = f"a target is an array of {' × '.join(map(str, targets.shape[1:]))} numbers"
    return Labels(classes, fixed, task != "regression" and targets.ndim > 1 and yes_or_no(targets))


def read_patch(file: str) -> Patch:
    """A patch file, JSON or YAML. Refusal when it is none."""
    path = Path(file).expanduser()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refusal(f"larger than {MAX_BYTES:,} bytes, which no patch is", where=file)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(f"not UTF-8 text (byte {error.start})", where=file) from None
    except OSError as error:
        raise Refusal(
            f"cannot be read ({error.strerror})", where=f"data.patch: {file}", fix="the data browser exports such files"
        ) from None
    try:
        if text.lstrip().startswith("{"):
            return msgspec.json.decode(text.encode(), type=Patch)
        return msgspec.convert(parse_yaml(text, file, most=MAX_VALUES), Patch)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Refusal(
            f"is no patch file ({error})", where=file, fix=f"schema: {SCHEMA} and marks, as the data browser exports it"
        ) from None


def apply_patch(file: str, splits: Mapping[str, Split], labels: Labels) -> Applied:
    """The divided splits without what is to be dropped, with new labels. Refusal when the patch is for other data.

    Of the very data that were looked at every mark must be there. Of data that changed since, items are found by
    name and content, and those that are not found are told.
    """
    patch = read_patch(file)
    _refuse_twice(patch.marks, file)
    origin = fingerprint_of(splits[name] for name in ("train", "val", "test") if name in splits)
    found, missing = _find(patch.marks, splits)
    changed = bool(patch.fingerprint) and patch.fingerprint != origin
    if missing and not changed:
        raise Refusal(f"there is no item {missing[0]!r} in the data", where=file, fix="remove the mark")
    if missing and not any(found.values()):
        raise Refusal(
            f"is for other data: none of its {len(missing):,} items has its name and content here ({missing[0]!r} …)",
            where=file,
            fix="leave data.patch out, or give the data, and the size of pictures, that were looked at",
        )
    after, fine = {}, {}
    for name, split in splits.items():
        after[name], fine[name] = _patched(split, found[name], labels, file)
    counts = Counter(mark.do for marks in found.values() for mark in marks.values())
    patched = Patched(
        file=file,
        origin=origin,
        marks=patch.marks,
        dropped=counts["drop"],
        relabelled=counts["relabel"],
        fine=counts["fine"],
        missing=tuple(missing),
    )
    return Applied(after, patched, fine)


def contents_of(split: Split, positions: Sequence[int]) -> list[str]:
    """A hash of each item's content, by which it is known again; empty where an item differs from read to read."""
    if split.cells is not None:
        # By the texts of the cells: their codes change when other rows bring new texts.
        told = ([sorted(split.cells.row(k).items()), split.cells.numeric[k].tolist()] for k in positions)
        return [_hash(repr(row).encode("utf-8", "surrogatepass")) for row in told]
    if split.texts is not None:
        return [_hash(split.texts[k].encode("utf-8", "surrogatepass")) for k in positions]
    if not split.streams:
        return [_hash(*(_bytes(leaf[k]) for leaf in leaves(split.inputs))) for k in positions]
    if not split.inputs.repeats():
        return [""] * len(positions)
    items = split.inputs.read(positions)
    return ["" if isinstance(item, UnreadableItem) else _hash(*map(_bytes, leaves(stack([item[0]])))) for item in items]


def _hash(*parts: bytes) -> str:
    return hashlib.blake2b(b"".join(parts), digest_size=16).hexdigest()


def _bytes(leaf: Tensor) -> bytes:
    return np.ascontiguousarray(leaf.numpy()).tobytes()


def _refuse_twice(marks: Sequence[Mark], file: str) -> None:
    name, times = Counter(mark.name for mark in marks).most_common(1)[0] if marks else ("", 1)
    if times > 1:
        raise Refusal(f"marks {name!r} {times} times", where=file, fix="leave one mark an item")


def _find(marks: Sequence[Mark], splits: Mapping[str, Split]) -> tuple[dict[str, dict[int, Mark]], list[str]]:
    """({split: {position: mark}}, names of the marked items that are not there with the content they had)."""
    wanted = {mark.name: mark for mark in marks}
    found: dict[str, dict[int, Mark]] = {}
    for name, split in splits.items():
        there = {k: wanted[called] for k in range(len(split)) if (called := split.called(k)) in wanted}
        contents = contents_of(split, list(there))
        found[name] = {
            k: mark
            for (k, mark), content in zip(there.items(), contents, strict=True)
            if not mark.content or not content or mark.content == content
        }
    known = {mark.name for there in found.values() for mark in there.values()}
    return found, [mark.name for mark in marks if mark.name not in known]


def _patched(split: Split, marks: Mapping[int, Mark], labels: Labels, file: str) -> tuple[Split, frozenset[int]]:
    """(the split without the dropped items and with the new labels, positions in it that are marked as fine)."""
    targets = split.targets.clone()
    for k, mark in marks.items():
        if mark.do == "relabel":
            targets[k] = _target(mark, targets, labels, f"{file}: {mark.name}")
    keep = np.setdiff1d(np.arange(len(split)), [k for k, mark in marks.items() if mark.do == "drop"])
    if not len(keep):
        raise Refusal(f"drops all {len(split):,} items of {split.name}", where=file, fix="leave some")
    fine = np.flatnonzero(np.isin(keep, [k for k, mark in marks.items() if mark.do == "fine"]))
    return split.replace_targets(targets).take(keep), frozenset(fine.tolist())


def _target(mark: Mark, targets: Tensor, labels: Labels, where: str) -> float | Tensor:
    """The new target as the split has them. Refusal for what is no class, or no number."""
    if labels.fixed:
        raise Refusal(f"cannot be relabelled: {labels.fixed}", where=where, fix="drop it, or mend the data")
    if mark.label is None:
        raise Refusal("is to be relabelled, but has no label", where=where, fix="give the mark a label")
    if targets.ndim > 1:
        return torch.tensor(_several(mark.label, targets, labels, where), dtype=targets.dtype)
    if isinstance(mark.label, tuple):
        raise Refusal("has one target, but its label is a list", where=where, fix="give it one label")
    if labels.classes is not None:
        return list(labels.classes).index(_known(str(mark.label), labels.classes, where))
    return _number(mark.label, where)


def _several(label: Any, targets: Tensor, labels: Labels, where: str) -> list[float]:
    """All targets of an item, given one by one, or by the names of those that hold."""
    count, names = targets.shape[1], labels.classes if labels.yes_or_no else None
    named = f", or the names of those that hold, of {', '.join(names[:8])}" if names else ""
    fix = f"label: a list of {count} numbers{named}"
    if not isinstance(label, tuple):
        raise Refusal(f"has {count} targets, but its label {str(label)!r} is one", where=where, fix=fix)
    if names is not None and len(names) == count and all(isinstance(one, str) for one in label):
        held = {_known(str(one), names, where) for one in label}
        return [float(name in held) for name in names]
    if len(label) != count:
        raise Refusal(f"has {count} targets, but its label has {len(label)}", where=where, fix=fix)
    numbers = [_number(one, where) for one in label]
    if labels.yes_or_no and (odd := next((n for n in numbers if n not in (0, 1)), None)) is not None:
        raise Refusal(f"its targets are 0 or 1, but its label has {odd:g}", where=where, fix=fix)
    if not targets.is_floating_point() and (odd := next((n for n in numbers if n != int(n)), None)) is not None:
        raise Refusal(f"its targets are whole numbers, but its label has {odd:g}", where=where, fix=fix)
    return numbers


def _known(name: str, classes: Sequence[str], where: str) -> str:
    if name not in classes:
        raise Refusal(f"there is no class {name!r}", where=where, fix=did_you_mean(name, classes, otherwise="classes"))
    return name


def _number(label: Any, where: str) -> float:
    try:
        number = float(label)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise Refusal(f"its label {str(label)!r} is no number", where=where, fix="give it a number")
    return number
