"""What happens to raw inputs just before the net: fitted on train only, one for all splits, kept with the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from recipe.data.data import Split
from recipe.record.plain import from_json, to_json
from recipe.record.refusal import Refusal
from recipe.tree import Tree, leaves, map_tree, stack

SAMPLE = 20_000
"""Items from which the statistics of a stream are taken; of data in memory all are used."""
HEAVY = 10.0
"""A column has a heavy tail when its largest number is this many times the median of its positive ones."""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor's way: clip to [low, high], log1p of (x - offset) where `log`, then (x - shift) / scale.

    Each list has one entry, or one for each channel or column (axis 1). threshold replaces all by x > threshold.
    """

    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()
    log: tuple[bool, ...] = ()
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    threshold: float | None = None


class _Kept(msgspec.Struct, frozen=True):
    name: str
    steps: tuple[Steps | None, ...]


class Preprocess(nn.Module):
    """Batch of raw inputs → float32, leaf by leaf. Leaves without steps (tokens, indices) pass through as they are."""

    def __init__(self, name: str, steps: tuple[Steps | None, ...]) -> None:
        super().__init__()
        self.name, self.steps = name, steps
        for number, one in enumerate(steps):
            for key in ("low", "high", "offset", "log", "shift", "scale"):
                self.register_buffer(
                    f"{key}{number}", torch.tensor(getattr(one, key)) if one else None, persistent=False
                )

    def forward(self, inputs: Tree) -> Tree:
        """The same tree; each tensor that has steps comes out as float32 of the same shape."""
        number = iter(range(len(self.steps)))
        return map_tree(lambda leaf: self._one(leaf, next(number)), inputs)

    def to_json(self) -> bytes:
        """What travels with a model."""
        return to_json(_Kept(self.name, self.steps))

    @classmethod
    def from_json(cls, text: bytes) -> Preprocess:
        """The inverse of `to_json`."""
        kept = from_json(text, _Kept)
        return cls(kept.name, kept.steps)

    def _one(self, leaf: Tensor, number: int) -> Tensor:
        steps = self.steps[number]
        if steps is None:
            return leaf
        x = leaf.to(torch.float32)
        if steps.threshold is not None:
            return (x > steps.threshold).to(torch.float32)
        if steps.low:
            x = torch.minimum(torch.maximum(x, self._wide("low", number, x)), self._wide("high", number, x))
        if steps.log:
            logged = torch.log1p((x - self._wide("offset", number, x)).clamp(min=0))
            x = torch.where(self._wide("log", number, x), logged, x)
        return (x - self._wide("shift", number, x)) / self._wide("scale", number, x)

    def _wide(self, key: str, number: int, x: Tensor) -> Tensor:
        values: Tensor = getattr(self, f"{key}{number}")
        return values if len(values) == 1 else values.view(1, -1, *([1] * (x.ndim - 2)))


def fit(name: str, train: Split, kind: str) -> Preprocess:
    """The preprocessing of that name ("auto": the one proposed for the kind of data), fitted on the train split."""
    inputs = train.inputs if not train.streams else _sample(train)
    chosen = propose(inputs, kind)[0] if name == "auto" else name
    if chosen not in OPTIONS:
        raise Refusal(
            f"there is no preprocessing {name!r}",
            where="data.preprocess",
            fix=f"one of: auto, {', '.join(sorted(OPTIONS))}",
        )
    # Whole numbers that are not pixels are tokens or codes: an embedding reads them, no scale does.
    steps = tuple(None if _are_codes(leaf) else OPTIONS[chosen](leaf) for leaf in leaves(inputs))
    return Preprocess(chosen, steps)


def propose(inputs: Tree, kind: str) -> tuple[str, str]:
    """(name, why) of the preprocessing that suits raw inputs of train."""
    numbers = [leaf for leaf in leaves(inputs) if not _are_codes(leaf)]
    if not numbers:
        return "none", "the inputs are codes, which an embedding reads"
    if kind == "text":
        return "none", "texts come scaled from their encoder"
    if kind in ("table", "array", "series") and all(leaf.ndim == 2 for leaf in numbers):
        heavy = sum(int(_heavy(_columns(leaf)).sum()) for leaf in numbers)
        if heavy and kind == "table":
            return "log_standardize", f"{heavy} of {sum(leaf.shape[1] for leaf in numbers)} columns have a heavy tail"
        if all(_is_scaled(leaf) for leaf in numbers):
            return "none", "every column is centred and scaled already"
        return "standardize", "columns have scales of their own"
    if all(leaf.is_floating_point() and _is_scaled(leaf) for leaf in numbers):
        return "none", "the inputs are scaled already"
    if kind == "image":
        return "per_channel", "pictures: each channel to mean 0 and deviation 1 over the training set"
    return "standardize", "the inputs are not centred and scaled"


def _are_codes(leaf: Tensor) -> bool:
    return not leaf.is_floating_point() and leaf.dtype not in (torch.uint8, torch.bool)


def _is_scaled(leaf: Tensor) -> bool:
    """Whether numbers lie as nets like them: within a few units, with a deviation around one."""
    x = leaf.to(torch.float32)
    x = x[x.isfinite()]
    return bool(len(x)) and float(x.abs().mean()) < 2 and 0.05 < float(x.std(correction=0)) < 3


def _sample(train: Split) -> Tree:
    parts = [inputs for _, inputs in train.chunks(limit=SAMPLE)]
    rows = [map_tree(lambda leaf, k=k: leaf[k], part) for part in parts for k in range(len(next(leaves(part))))]  # type: ignore[misc]
    return stack(rows)


def _columns(leaf: Tensor) -> Tensor:
    """float32 (rows, columns): axis 1 last, the others joined."""
    x = leaf.to(torch.float32)
    return x.reshape(-1, 1) if x.ndim == 1 else x.movedim(1, -1).reshape(-1, x.shape[1])


def _finite_moments(leaf: Tensor, each: bool) -> tuple[Tensor, Tensor]:
    """Mean and deviation over all finite numbers, or of each channel or column; float64 sums, in chunks."""
    width = leaf.shape[1] if each and leaf.ndim > 1 else 1
    count, total, square = (torch.zeros(width, dtype=torch.float64) for _ in range(3))
    # Numbers are measured from a first mean, so that squares of large numbers do not cancel.
    first = _columns(leaf[:256]) if width > 1 else leaf[:256].to(torch.float32).reshape(-1, 1)
    origin = torch.nan_to_num(first.to(torch.float64), nan=0, posinf=0, neginf=0).mean(dim=0)
    for start in range(0, len(leaf), 4096):
        part = leaf[start : start + 4096]
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


def _heavy(x: Tensor) -> Tensor:
    """bool (columns): not negative, and spread over orders of magnitude. Below 20, log1p would change little."""
    rows = x[:: max(1, len(x) // SAMPLE)]
    middle = torch.where(rows > 0, rows, torch.nan).nanmedian(dim=0).values
    top = rows.nan_to_num(nan=0, posinf=0).amax(dim=0)
    return (top > HEAVY * middle) & (top > 20) & (rows.nan_to_num(nan=0).amin(dim=0) >= 0)


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


def _log_standardize(leaf: Tensor) -> Steps:
    x = _columns(leaf)
    heavy, low = _heavy(x), _extremes(leaf, each=True)[0].clamp(max=0)
    logged = torch.where(heavy, torch.log1p((x - low).clamp(min=0)), x)
    mean, deviation = _finite_moments(logged, each=True)
    return _affine(mean, deviation, keep=_flags(leaf), log=tuple(heavy.tolist()), offset=tuple(low.tolist()))


def _clip_standardize(leaf: Tensor) -> Steps:
    x = _columns(leaf)
    rows = x[:: max(1, len(x) // SAMPLE)]
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
