"""D10: the preprocessing that suits the data, fitted on train only, each feature before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.data.column_shape import shape_of
from recipe.data.data import Data
from recipe.data.preprocess import Preprocess, fit
from recipe.data.proposal import Choice, are_codes, column_names, one_measurement, propose, setting_of
from recipe.data.scalings import OPTIONS
from recipe.machine import one_thread
from recipe.record.evidence import CannotMeasure
from recipe.record.preprocessing import Prepared, Preprocessing, Side, Tried
from recipe.tree import Tree, leaves

ROWS, ITEMS, TRIED = 50_000, 4096, 1024
"""Rows of columns, and other items, that are looked at; of the latter, those on which every option is tried."""
SHOWN = 24
"""Features that are pictured: those that go a way of their own, then those with numbers farthest out."""
BINS = 40
CHANNELS = 4
MOST = 512
"""Columns that are listed."""


class _Part(NamedTuple):
    """A feature: its numbers as read, and as they reach the net, float32 (n,)."""

    name: str
    before: Tensor
    after: Tensor
    flags: bool


def measure_preprocessing(data: Data, settings: Mapping[str, Any], *, given: bool) -> Preprocessing:
    """What `data.preprocess` came to. settings: the data node of the config; given: whether the user fixed the key.

    CannotMeasure when transforms of the user's come first: what reaches the net is for `baseline` to look at.
    """
    if settings["eval_transform"]:
        raise CannotMeasure("data.eval_transform prepares the inputs; baseline looks at what reaches the net")
    with one_thread():
        raw, names = _sample(data), _names(data)
        proposed = propose(raw if data.train.streams else data.train.inputs, data.kind, names)
        by_column = isinstance(proposed.choice, Choice)
        ready = data.preprocess(raw)
        parts = [] if data.train.texts is not None else list(_parts(data, raw, ready))
        same = data.preprocess.setting == setting_of(proposed.choice)
        reasons = [one.why for one in proposed.columns] if same else []
        numbers = _finite(torch.cat([leaf.to(torch.float32).reshape(-1) for leaf in leaves(ready)]))
        features = [
            _prepared(part, _option(data.preprocess, part.name), reasons[k] if k < len(reasons) else "")
            for k, part in enumerate(parts)
        ]
        return Preprocessing(
            name=data.preprocess.name,
            setting=data.preprocess.setting,
            proposed="auto" if by_column else str(proposed.choice),
            because=proposed.because,
            given=given and settings["preprocess"] != "auto",
            kind=data.kind,
            items=len(next(leaves(raw))),
            low=float(numbers.min()),
            high=float(numbers.max()),
            mean=float(numbers.mean()),
            std=float(numbers.std(correction=0)),
            alike=_is_rows(raw) and one_measurement([shape_of(part.before.numpy()) for part in parts]),
            features=tuple(_with_histograms(features, parts)),
            tried=tuple(_tries(data, raw)) if parts else (),
        )


def _sample(data: Data) -> Tree:
    """Items spread over train, as one batch."""
    rows = _is_rows(data.train.sample([0]))
    return data.train.sample(data.train.spread(ROWS if rows else ITEMS))


def _is_rows(inputs: Tree) -> bool:
    found = list(leaves(inputs))
    return len(found) == 1 and found[0].ndim == 2


def _names(data: Data) -> Sequence[str] | None:
    return data.features if data.train.cells is not None else None


def _option(preprocess: Preprocess, feature: str) -> str:
    setting = preprocess.setting
    return setting if isinstance(setting, str) else setting["columns"].get(feature, setting["default"])


def _parts(data: Data, raw: Tree, ready: Tree) -> Iterator[_Part]:
    """One for each feature."""
    for (names, before), (_, after) in zip(_matrices(data, raw), _matrices(data, ready, like=raw), strict=True):
        for k, name in enumerate(names):
            x = before[:, k]
            yield _Part(name, x, after[:, k], flags=_is_rows(raw) and bool(((x == 0) | (x == 1)).all()))


def _matrices(data: Data, inputs: Tree, like: Tree | None = None) -> Iterator[tuple[list[str], Tensor]]:
    """(names, float32 (n, features)) of each tensor that is scaled: its channels or columns (axis 1) are features.

    Of longer or deeper tensors all values are one. like: the raw inputs, by which tokens are told from numbers.
    """
    pairs = zip(leaves(inputs if like is None else like), leaves(inputs), strict=True)
    found = [leaf for raw, leaf in pairs if not are_codes(raw)]
    for number, leaf in enumerate(found, 1):
        of = f" of input {number}" if len(found) > 1 else ""
        x = leaf.to(torch.float32)
        if x.ndim == 1 or (x.ndim > 2 and not 1 < x.shape[1] <= CHANNELS):
            yield [f"all values{of}"], x.reshape(-1, 1)
            continue
        names = column_names(x, _names(data)) if x.ndim == 2 else [f"channel {k}" for k in range(x.shape[1])]
        x = x if x.ndim == 2 else x.movedim(1, -1).reshape(-1, x.shape[1])
        yield [f"{name}{of}" for name in names[:MOST]], x[:, :MOST]


def _finite(x: Tensor) -> Tensor:
    return x[x.isfinite()]


def _prepared(part: _Part, option: str, why: str) -> Prepared:
    return Prepared(
        feature=part.name, option=option, why=why, flags=part.flags, before=_side(part.before), after=_side(part.after)
    )


def _side(values: Tensor) -> Side:
    """Where a number is not finite, ends and moments say so."""
    x = values.numpy().astype(np.float64)
    if not len(x) or not np.isfinite(x).all():
        x, broken = x[np.isfinite(x)], bool(len(x))
    else:
        broken = False
    if not len(x):
        return Side(low=np.nan, high=np.nan, mean=np.nan, std=np.nan)
    mean, std = float(x.mean()), float(x.std())
    some = x[:: max(1, len(x) // ROWS)]
    first, third = np.quantile(some, [0.25, 0.75]).tolist()
    return Side(
        low=float(x.min()),
        high=float("inf") if broken else float(x.max()),
        mean=mean,
        std=std,
        skew=float((((some - mean) / std) ** 3).mean()) if std > 1e-12 * max(1.0, abs(mean)) else 0.0,
        farthest=float(np.abs(x).max()),
        beyond=float((np.abs(x) > 3).mean()),
        middle=third - first,
    )


def _with_histograms(features: Sequence[Prepared], parts: Sequence[_Part]) -> Iterator[Prepared]:
    """The features, of which SHOWN have histograms: zeros and ones, to which nothing happens, need none."""
    usual = max({f.option for f in features}, key=[f.option for f in features].count, default="")
    worth = [k for k, one in enumerate(features) if not one.flags and not one.constant]
    worth.sort(key=lambda k: (features[k].option == usual, -_far(features[k].before), k))
    shown = set(worth[:SHOWN])
    for k, (one, part) in enumerate(zip(features, parts, strict=True)):
        if k in shown:
            one = msgspec.structs.replace(
                one, before=_drawn(one.before, part.before), after=_drawn(one.after, part.after)
            )
        yield one


def _far(side: Side) -> float:
    """The farthest number in deviations from the mean."""
    return max(side.high - side.mean, side.mean - side.low) / side.std if side.std > 0 else 0.0


def _drawn(side: Side, values: Tensor) -> Side:
    x = values.numpy()
    counts, edges = np.histogram(x[np.isfinite(x)].astype(np.float64), BINS)
    return msgspec.structs.replace(side, edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _tries(data: Data, raw: Tree) -> Iterator[Tried]:
    """What each option would make of the numbers: what was chosen first; fitted on all of train where it is rows."""
    step = 1 if _is_rows(raw) else max(1, len(next(leaves(raw))) // TRIED)
    some = data.train.sample(data.train.spread(ITEMS)[::step]) if step > 1 else raw
    split = replace(data.train, inputs=some) if data.train.streams or step > 1 else data.train
    yield _tried(data, some, data.preprocess, chosen=True)
    # Of rows a channel is a column.
    same = {data.preprocess.name, *(("per_channel",) if _is_rows(raw) else ())}
    for name in OPTIONS:
        if name not in same:
            yield _tried(data, some, fit(name, split, data.kind), chosen=False)


def _tried(data: Data, raw: Tree, preprocess: Preprocess, *, chosen: bool) -> Tried:
    made = list(_matrices(data, preprocess(raw), like=raw))
    tables = [
        (names, x.nan_to_num(nan=0, posinf=0, neginf=0), _vary(b))
        for (names, x), (_, b) in zip(made, _matrices(data, raw), strict=True)
    ]
    far = [(float(size), names[k]) for names, x, _ in tables for k, size in enumerate(x.abs().amax(dim=0).tolist())]
    moments = [_moments(x[:, vary]) for _, x, vary in tables if vary.any()]
    numbers = torch.cat([x.reshape(-1) for _, x, _ in tables])
    skews = [value for _, skew in moments for value in skew.tolist()]
    farthest, at = max(far, key=lambda one: one[0])
    return Tried(
        name=preprocess.name,
        low=float(numbers.min()),
        high=float(numbers.max()),
        mean=float(numbers.mean()),
        std=float(numbers.std(correction=0)),
        farthest=farthest,
        at=at,
        beyond=float((numbers.abs() > 3).float().mean()),
        skew=max(skews, key=abs, default=0.0),
        narrowest=min((float(std.min()) for std, _ in moments), default=0.0),
        chosen=chosen,
    )


def _vary(x: Tensor) -> Tensor:
    """bool (features): more than noughts and ones, and not always the same."""
    return ~((x == 0) | (x == 1)).all(dim=0) & (x.amax(dim=0) > x.amin(dim=0))


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """float64 deviation and skewness of each feature of (n, features)."""
    x = x.to(torch.float64)
    x = x - x.mean(dim=0)
    std = x.std(dim=0, correction=0)
    return std, torch.where(std > 1e-12, (x**3).mean(dim=0) / std**3, 0.0)
