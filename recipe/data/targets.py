"""What the source gave as targets → class indices with names, or numbers; agreed over all splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from recipe.record.refusal import Refusal

MOST_CLASSES = 1000
Given = Mapping[str, np.ndarray]


class Targets(NamedTuple):
    """by_split: int64 (N) with classes, else numbers. renamed: another spelling → the class it was taken for."""

    by_split: dict[str, Tensor]
    classes: tuple[str, ...] | None
    renamed: dict[str, str]


def agree_on_targets(given: Given, classes: Sequence[str] | None, task: str) -> Targets:
    """Targets of all splits in one form. Refusal names split, row and value of what cannot be a target.

    task: its name, or "auto": strings, flags and few whole numbers are classes, other numbers are values.
    """
    first = given["train"]
    _check_numbers(given)
    if first.ndim > 1 and first.shape[-1] == 1 and task != "language_model":
        given = {name: values.reshape(len(values)) for name, values in given.items()}
        first = given["train"]
    if first.ndim > 1:
        return Targets(
            {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in given.items()}, _names(classes), {}
        )
    if first.dtype.kind in "USO":
        return _from_names(given, classes, task)
    if task == "regression" or (task == "auto" and not classes and not _are_classes(given)):
        return Targets({name: torch.from_numpy(v.astype(np.float32)) for name, v in given.items()}, None, {})
    if first.dtype.kind == "f":
        if task == "binary" or (task == "auto" and not classes):
            return Targets(
                {name: torch.from_numpy(v.astype(np.float32)) for name, v in given.items()}, _names(classes), {}
            )
        given = _whole(given)
    return _from_indices({name: v.astype(np.int64) for name, v in given.items()}, classes)


def unlabelled(given: Given, classes: Sequence[str] | None, task: str) -> dict[str, dict[int, str]]:
    """{split: {position: why}} of the items without a target: not finite, no text, or -1 among class indices."""
    found = {name: _without(values) for name, values in given.items()}
    if task != "regression" and all(v.ndim == 1 and v.dtype.kind == "i" for v in given.values()):
        known = np.unique(np.concatenate(list(given.values())))
        if known[0] == -1 and len(known) > 2 and (classes is not None or _are_classes(given)):
            found = {name: values == -1 for name, values in given.items()}
    return {
        name: {k: f"its target is {_shown(given[name][k])}: unlabelled" for k in np.flatnonzero(missing).tolist()}
        for name, missing in found.items()
        if missing.any()
    }


def _without(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind in "fc":
        return np.asarray(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if values.dtype.kind in "USO" and values.ndim == 1:
        return np.array([_text(v).strip() == "" for v in values], dtype=bool)
    return np.zeros(len(values), dtype=bool)


def _shown(value: Any) -> str:
    return "empty" if isinstance(value, str) or value is None else f"{value}"


def without_label(targets: Tensor, *, unlabelled: bool) -> str:
    """Why no item has a label or number of its own; empty where each has."""
    if unlabelled:
        return "the data have no targets"
    whole = targets.ndim == 2 and not targets.is_floating_point() and targets.dtype != torch.bool
    if whole and not yes_or_no(targets):
        return "the targets are tokens, one at each position"
    return ""


def yes_or_no(targets: Tensor) -> bool:
    """Whether all of them are 0 or 1."""
    return bool(((targets == 0) | (targets == 1)).all())


def without_targets(given: Given) -> Targets:
    """For data that name none: what is learnt then follows from the inputs alone."""
    return Targets({name: torch.zeros(len(values), dtype=torch.int64) for name, values in given.items()}, None, {})


def _check_numbers(given: Given) -> None:
    for name, values in given.items():
        if values.dtype.kind in "fc" and not np.isfinite(values).all():
            rows = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
            raise Refusal(
                f"the target is {values[rows[0]]} ({len(rows):,} of {len(values):,} targets are not finite)",
                where=f"item {rows[0]} of {name}",
                fix="remove such items, or fill in their targets",
            )


def _are_classes(given: Given) -> bool:
    """Flags, few whole numbers counted from 0 or 1, and 0/1 floats are classes; counts, years and prices are not."""
    first = given["train"]
    if first.dtype.kind == "b":
        return True
    found = np.unique(np.concatenate(list(given.values())))
    if first.dtype.kind == "f":
        return set(found.tolist()) <= {0.0, 1.0}
    if set(found.tolist()) == {-1, 1}:
        return True
    # A -1 among classes stands for "unlabelled"; it is refused by its row, not taken for a value.
    found = found[1:] if found[0] == -1 and len(found) > 2 else found
    repeated = len(found) <= max(20, len(first) // 5)
    return bool(found[0] >= 0 and len(found) <= MOST_CLASSES and found[-1] < 2 * len(found) + 2 and repeated)


def _whole(given: Given) -> dict[str, np.ndarray]:
    for name, values in given.items():
        broken = np.flatnonzero(values != np.round(values))
        if len(broken):
            raise Refusal(
                f"the label is {values[broken[0]]}; classification needs whole numbers or names",
                where=f"item {broken[0]} of {name}",
                fix="give class indices 0…K-1 as integers, or say task=regression",
            )
    return dict(given)


def _from_indices(given: dict[str, np.ndarray], classes: Sequence[str] | None) -> Targets:
    found = np.unique(np.concatenate(list(given.values())))
    if classes is None and set(found.tolist()) == {-1, 1}:
        return Targets({name: torch.from_numpy((v > 0).astype(np.int64)) for name, v in given.items()}, ("-1", "1"), {})
    limit = len(classes) if classes else None
    for name, values in given.items():
        outside = np.flatnonzero((values < 0) | (values >= (limit if limit is not None else np.inf)))
        if len(outside):
            raise Refusal(
                f"the label {values[outside[0]]} is outside the classes 0…{limit - 1 if limit else 'K-1'} "
                f"({len(outside):,} of {len(values):,} labels)",
                where=f"item {outside[0]} of {name}",
                fix="number the classes from 0 and remove unlabelled items, or say task=regression",
            )
    if classes is None and (found[0] > 0 or len(found) < (found[-1] + 1) / 2):
        # Counted from 1, from 3 (wine's quality), or with wide gaps: the numbers are names.
        return _from_names({name: v.astype(str) for name, v in given.items()}, [str(v) for v in found], "auto")
    names = tuple(map(str, classes)) if classes else tuple(str(k) for k in range(int(found[-1]) + 1))
    _refuse_single(found, names)
    return Targets({name: torch.from_numpy(v) for name, v in given.items()}, names, {})


def _from_names(given: Given, classes: Sequence[str] | None, task: str) -> Targets:
    if task == "regression":
        value = str(given["train"][0])
        raise Refusal(
            f"the target is text ({value!r}); regression needs numbers",
            where="item 0 of train",
            fix="task=classification",
        )
    texts = {name: np.asarray([_text(v) for v in values]) for name, values in given.items()}
    for name, values in texts.items():
        if len(unlabelled := np.flatnonzero(values == "")):
            raise Refusal(
                f"there is no label ({len(unlabelled):,} of {len(values):,})", where=f"item {unlabelled[0]} of {name}"
            )
    known = [str(c) for c in classes] if classes else sorted(set(texts["train"].tolist()))
    renamed: dict[str, str] = {}
    alike = {plain_name(name): name for name in known}
    for split, values in texts.items():
        for label in sorted(set(values.tolist()) - set(known)):
            if plain_name(label) in alike:
                renamed[label] = alike[plain_name(label)]
            elif classes:
                row = int(np.flatnonzero(values == label)[0])
                raise Refusal(
                    f"the label {label!r} is not among the classes",
                    where=f"item {row} of {split}",
                    fix=f"classes: {', '.join(known)}",
                )
            else:
                known.append(label)
                alike[plain_name(label)] = label
    index = {name: k for k, name in enumerate(known)} | {}
    index |= {label: index[name] for label, name in renamed.items()}
    _refuse_single(np.unique(texts["train"]), known)
    by_split = {
        name: torch.tensor([index[v] for v in values.tolist()], dtype=torch.int64) for name, values in texts.items()
    }
    return Targets(by_split, tuple(known), renamed)


def _refuse_single(found: np.ndarray, names: Sequence[str]) -> None:
    if len(found) < 2 or len(names) < 2:
        raise Refusal(
            f"there is one class only ({names[0] if names else found})",
            where="data",
            fix="give examples of two classes or more",
        )


def _names(classes: Sequence[str] | None) -> tuple[str, ...] | None:
    return tuple(map(str, classes)) if classes else None


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value)


def plain_name(name: str) -> str:
    """A class name without case, space around it and a trailing dot: how spellings of one class differ."""
    return name.strip().rstrip(".").strip().casefold()
