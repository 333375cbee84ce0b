"""The ways to scale one tensor, each fitted on what it is given, which is train."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import torch
from torch import Tensor

from recipe.data.column_shape import SAMPLE, log_unit, shape_of
from recipe.data.data import NUMBERS

MOST = 8_000_000
"""Numbers of which quantiles are taken at a time."""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor's way: clip to [low, high], log1p of (x - offset) / unit where `log`, then (x - shift) / scale.

    Each list has one entry, or one for each channel or column (axis 1). threshold replaces all by x > threshold, a
    number in `cuts` the numbers of that column by x > cut.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    unit: tuple[float, ...] = (1.0,)
    log: tuple[bool, ...] = ()
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    threshold: float | None = None
    cuts: tuple[float, ...] = ()


def _columns(leaf: Tensor) -> Tensor:
    """float32 (rows, columns): axis 1 last, the others joined."""
    x = leaf.to(torch.float32)
    return x.reshape(-1, 1) if x.ndim == 1 else x.movedim(1, -1).reshape(-1, x.shape[1])


def _finite_moments(leaf: Tensor, each: bool) -> tuple[Tensor, Tensor]:
    """Mean and deviation over all finite numbers, or of each channel or column; float64 sums, in chunks."""
    width = leaf.shape[1] if each and leaf.ndim > 1 else 1
    count, total, square = (torch.zeros(width, dtype=torch.float64) for _ in range(3))
    # Numbers are measured from a first mean, so that squares of large numbers do not cancel.
    some = leaf[: max(1, min(256, NUMBERS // max(1, leaf[:1].numel())))]
    first = _columns(some) if width > 1 else some.to(torch.float32).reshape(-1, 1)
    origin = torch.nan_to_num(first.to(torch.float64), nan=0, posinf=0, neginf=0).mean(dim=0)
    # In double precision, several times: of large pictures few at once.
    rows = max(1, min(4096, NUMBERS // max(1, leaf[:1].numel())))
    for start in range(0, len(leaf), rows):
        part = leaf[start : start + rows]
        x = _columns(part) if width > 1 else part.to(torch.float32).reshape(-1, 1)
        good = x.isfinite()
        x = torch.where(good, x, origin.to(torch.float32)).to(torch.float64) - origin
        count += good.sum(dim=0)
        total += x.sum(dim=0)
        square += (x * x).sum(dim=0)
    count = count.clamp(min=1)
    mean = total / count
    return mean + origin, (square / count - mean * mean).clamp(min=0).sqrt()


def _extremes(leaf: Tensor, each: bool) -> tuple[Tensor, Tensor]:
    """float32 smallest and largest finite number: of all, or of each channel or column."""
    others = [k for k in range(leaf.ndim) if k != 1 or not each]
    if not leaf.is_floating_point():
        low, high = (
            (leaf.to(torch.uint8) if leaf.dtype == torch.bool else leaf).aminmax()
            if not each
            else (
                leaf.amin(dim=others),
                leaf.amax(dim=others),
            )
        )
        return low.to(torch.float32).reshape(-1), high.to(torch.float32).reshape(-1)
    good = leaf.isfinite()
    low, high = (
        torch.where(good, leaf, torch.inf).amin(dim=others),
        torch.where(good, leaf, -torch.inf).amax(dim=others),
    )
    return low.to(torch.float32).reshape(-1), high.to(torch.float32).reshape(-1)


def _flags(leaf: Tensor) -> Tensor:
    """bool (columns): columns of zeros and ones, which are left as they are."""
    x = _columns(leaf)
    return ((x == 0) | (x == 1)).all(dim=0)


def _affine(shift: Tensor, scale: Tensor, keep: Tensor | None = None, **more: Any) -> Steps:
    scale = torch.where(scale > 1e-12, scale, torch.ones_like(scale))
    if keep is not None:
        shift, scale = torch.where(keep, 0.0, shift), torch.where(keep, 1.0, scale)
    return Steps(shift=tuple(shift.tolist()), scale=tuple(scale.tolist()), **more)


def _unit(leaf: Tensor) -> Steps:
    low, high = _extremes(leaf, each=False)
    return _affine(low, high - low)


def _scale(leaf: Tensor) -> Steps:
    low, high = _extremes(leaf, each=False)
    return _affine((low + high) / 2, (high - low) / 2)


def _min_max(leaf: Tensor) -> Steps:
    low, high = _extremes(leaf, each=True)
    return _affine(low, high - low)


def _standardize(leaf: Tensor) -> Steps:
    if leaf.ndim != 2:
        return _affine(*_finite_moments(leaf, each=False))
    return _affine(*_finite_moments(leaf, each=True), keep=_flags(leaf))


def _per_channel(leaf: Tensor) -> Steps:
    return _affine(*_finite_moments(leaf, each=leaf.ndim > 1), keep=_flags(leaf) if leaf.ndim == 2 else None)


def _log_standardize(leaf: Tensor, *, always: bool = False) -> Steps:
    """always: of all columns; else of those with a heavy tail."""
    x = _columns(leaf)
    rows = x if leaf.ndim == 2 else x[:: max(1, len(x) // SAMPLE)]
    shapes = [shape_of(column) for column in rows.numpy().T]
    heavy = torch.tensor([always or shape.heavy for shape in shapes])
    low = _extremes(leaf, each=leaf.ndim > 1)[0].clamp(max=0)
    unit = torch.tensor([log_unit(column - floor) for column, floor in zip(rows.numpy().T, low.tolist(), strict=True)])
    logged = torch.where(heavy, torch.log1p(((x - low) / unit).clamp(min=0)), x)
    mean, deviation = _finite_moments(logged, each=True)
    keep = None if always else _flags(leaf)
    more = {"log": tuple(heavy.tolist()), "offset": tuple(low.tolist()), "unit": tuple(unit.tolist())}
    return _affine(mean, deviation, keep=keep, **more)


def _clip_standardize(leaf: Tensor) -> Steps:
    x = _columns(leaf)
    # torch sorts no more than 16 million numbers at a time.
    rows = x[:: max(1, len(x) // SAMPLE, x.numel() // MOST)]
    first, third = rows.nanquantile(0.25, dim=0), rows.nanquantile(0.75, dim=0)
    least, most = _extremes(leaf, each=True)
    reach = 3 * (third - first)
    # A column in which three quarters are equal has no fence to clip to.
    low, high = (torch.where(reach > 0, a, b) for a, b in ((first - reach, least), (third + reach, most)))
    mean, deviation = _finite_moments(torch.minimum(torch.maximum(x, low), high), each=True)
    return _affine(mean, deviation, keep=_flags(leaf), low=tuple(low.tolist()), high=tuple(high.tolist()))


def _decimal(leaf: Tensor) -> Steps:
    low, high = _extremes(leaf, each=leaf.ndim == 2)
    largest = torch.maximum(low.abs(), high.abs()).clamp(min=1e-12)
    return _affine(torch.zeros_like(largest), 10.0 ** torch.ceil(torch.log10(largest)))


def _threshold(leaf: Tensor) -> Steps:
    low, high = _extremes(leaf, each=False)
    return Steps(threshold=float((low + high) / 2))


def join_columns(width: int, parts: Sequence[tuple[list[int], Steps]]) -> Steps:
    """The way of a tensor (N, width) whose columns go ways of their own. parts: (columns, their way) of all columns."""
    lists: dict[str, list[Any]] = {
        "low": [-math.inf] * width, "high": [math.inf] * width, "offset": [0.0] * width, "unit": [1.0] * width,
        "log": [False] * width, "shift": [0.0] * width, "scale": [1.0] * width, "cuts": [math.nan] * width,
    }  # fmt: skip
    for columns, steps in parts:
        for key, values in lists.items():
            given = getattr(steps, key)
            if key == "cuts" and steps.threshold is not None:
                given = (steps.threshold,)
            for place, column in enumerate(columns if given else ()):
                values[column] = given[place if len(given) > 1 else 0]
    if not any(lists["log"]):
        lists["unit"], lists["offset"] = [1.0], []
    none = {"low": -math.inf, "high": math.inf, "log": False, "cuts": math.nan}
    kept: dict[str, Any] = {
        key: () if key in none and _all_are(values, none[key]) else tuple(values) for key, values in lists.items()
    }
    return Steps(**kept)


def _all_are(values: list[Any], value: float) -> bool:
    return all(one == value or (one != one and value != value) for one in values)


OPTIONS: dict[str, Callable[[Tensor], Steps]] = {
    "none": lambda _: Steps(),
    "unit": _unit,
    "scale": _scale,
    "min_max": _min_max,
    "standardize": _standardize,
    "per_channel": _per_channel,
    "log_standardize": _log_standardize,
    "clip_standardize": _clip_standardize,
    "decimal": _decimal,
    "threshold": _threshold,
}


def log_always(leaf: Tensor) -> Steps:
    """log_standardize of columns that were named: whether their tail is heavy is not asked."""
    return _log_standardize(leaf, always=True)
