"""D6, pictures: a small region that alone tells the target, such as a stamp, a logo or a coded corner.

What a class looks like is told by many regions, and each is foretold by what lies around it. A mark is told by one
region alone. So windows of several sizes are asked what they add to the pixels around them, as numbers (a bright patch)
and as one content that many items share (a grey one). One half of a sample chooses; the other measures.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from recipe.clues import Target, Told, target_of, tell_by_lines, tell_by_neighbours
from recipe.data.pictures import over_mean
from recipe.data.scan import Scan, SplitScan
from recipe.data.windows import Windows, contents, largest_beside, windows_of
from recipe.machine import one_thread
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.interval import Interval
from recipe.record.shortcuts import Mark, Marks

SAMPLE = {1: 6000, 3: 4000}
"""Pictures that are looked at, by channels."""
SIZES = ((1, 2), (1, 3), (2, 2), (2, 3))
"""(pixels averaged each way, side of the window in such)."""
KEPT = 8
PURE = 0.9
"""Share of the doubt about a class that is gone where its mark is seen."""
LISTED = 24
SHOWN = 3
LEAST = 200


class Candidate(NamedTuple):
    """A window that could be a mark. screen: what it adds, elsewhere: what others do, on the half that chose it."""

    view: Windows
    window: int
    column: int
    screen: float
    elsewhere: float


class Measured(NamedTuple):
    """A candidate on the other half, and which of its items (of that half) carry it."""

    mark: Mark
    carriers: np.ndarray


def measure_marks(scan: Scan, shelf: Shelf | None = None, *, seed: int) -> Marks:
    """The regions of train's pictures that add most to what lies around them. CannotMeasure without pictures."""
    train = scan.splits["train"]
    if train.pictures is None:
        raise CannotMeasure("the data are no pictures")
    usable = np.flatnonzero(train.finite & ~train.blank)
    if len(usable) < LEAST or min(train.pictures.shape[2:]) < 8:
        raise CannotMeasure(f"{len(usable):,} pictures of {train.pictures.shape[2:]} are too few or too small")
    most = SAMPLE[3] if train.pictures.shape[1] > 1 else SAMPLE[1]
    chosen = np.random.default_rng([seed, 43]).permutation(usable)[:most]
    half = len(chosen) // 2
    target = target_of(train.targets, train.classes)
    first, second = target.take(chosen[:half]), target.take(chosen[half:])
    views = [v for size in SIZES if (v := windows_of(train.pictures[chosen], *size)) is not None]
    with one_thread():
        candidates = [one for view in views for one in _candidates(view, half, first)]
        measured = [_measured(one, half, first, second) for one in candidates]
        measured.sort(key=lambda one: _rank(one.mark), reverse=True)
        kept = _distinct(measured)
        found = [(one, _whole_picture(one, train.features[chosen[half:]], second)) for one in kept]
    side, captions = _map(train.pictures[chosen], views, target.take(chosen), shelf) if shelf else ("", ())
    return Marks(
        shape=(train.pictures.shape[2], train.pictures.shape[3]),
        items=len(chosen),
        windows=sum(map(len, views)),
        marks=tuple(_finished(one, whole, train, chosen[half:]) for one, whole in found),
        side=side,
        captions=captions,
    )


def _rank(mark: Mark) -> tuple[float, float]:
    """What it adds; one that also singles its class out comes first."""
    return min(mark.adds.mean, mark.carried or 0.0), mark.adds.low


def _candidates(view: Windows, half: int, target: Target) -> list[Candidate]:
    """The windows that stand out most, by what their pixels add and by a content that the windows beside them lack."""
    told, _ = contents(view.codes[:half], target.values)
    lone = told[0] - largest_beside(view, told.max(axis=0))
    found = []
    for table in (_adds(view, half, target), lone):
        table = np.where(target.enough[None, :], table, -np.inf)
        taken: list[int] = []
        for flat in np.argsort(-table, axis=None, kind="stable")[:400].tolist():
            window, column = divmod(flat, table.shape[1])
            near = any(np.abs(view.at[window] - view.at[other]).max() <= view.side for other in taken)
            if near or not np.isfinite(table[window, column]):
                continue
            apart = view.apart(window)
            elsewhere = float(np.quantile(table[apart].max(axis=1), 0.95)) if apart.any() else 0.0
            found.append(Candidate(view, window, column, float(table[window, column]), elsewhere))
            taken.append(window)
            if len(taken) == KEPT:
                break
    return found


def _adds(view: Windows, half: int, target: Target) -> np.ndarray:
    """(M, T) what the pixels of each window add to those around it, by lines fitted on each quarter for the other."""
    x = torch.from_numpy(view.grey[:half].reshape(half, -1))
    x = torch.cat([x - x.mean(dim=0), torch.zeros(half, 1)], dim=1)
    y = torch.from_numpy(target.values)
    parts = [(x[k::2], y[k::2]) for k in range(2)]
    grams = [(a.T @ a).double() for a, _ in parts]
    crosses = [a.T.double() @ b for a, b in parts]
    squares = [(b * b).sum(dim=0) for _, b in parts]
    penalty = max(1e-3 * half / 2 * float(x.var(dim=0).mean()), 1e-6)
    around, inside = torch.from_numpy(view.around), torch.from_numpy(view.inside)
    left = []
    for sets in (around, torch.cat([around, inside], dim=1)):
        ways = [
            squares[1 - k] + _fit(sets, (grams[k], crosses[k]), (grams[1 - k], crosses[1 - k]), penalty)
            for k in range(2)
        ]
        left.append((ways[0] + ways[1]) / (squares[0] + squares[1]).clamp(min=1e-12))
    return np.asarray((left[0] - left[1]).numpy())


def _fit(sets: Tensor, own: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor], penalty: float) -> Tensor:
    """(M, T) change of the squared error on the other part, by a ridge regression on each set of pixels of the own."""
    found = []
    for start in range(0, len(sets), 128):
        s = sets[start : start + 128]
        eye = torch.eye(s.shape[1], dtype=torch.float64)
        weight = torch.linalg.solve(own[0][s[:, :, None], s[:, None, :]] + penalty * eye, own[1][s])
        gram = other[0][s[:, :, None], s[:, None, :]]
        found.append((weight * (gram @ weight)).sum(dim=1) - 2 * (weight * other[1][s]).sum(dim=1))
    return torch.cat(found)


def _measured(one: Candidate, half: int, first: Target, second: Target) -> Measured:
    """What the window adds to its surroundings on the half that did not choose it."""
    view, target, chosen = one.view, second.column(one.column), first.column(one.column)
    before, after = view.codes[:half], view.codes[half:]
    beside = view.beside(one.window)
    _, theirs = contents(before[:, beside], chosen.values)
    _, own = contents(before[:, [one.window]], chosen.values)
    flat = view.grey[half:].reshape(len(after), -1)
    around = view.around[one.window]
    around = around[around < flat.shape[1]]
    context = [flat[:, around], after[:, beside] == theirs[0, :, 0], after[:, beside] == theirs[1, :, 0]]
    alike = after[:, one.window] == own[0, 0, 0]
    whole = tell_by_lines(np.concatenate([*context, flat[:, view.inside[one.window]], alike[:, None]], axis=1), target)
    part = tell_by_lines(np.concatenate(context, axis=1), target)
    carried, carriers = _carried(whole, part)
    top, left = (view.at[one.window] * view.times).tolist()
    mark = Mark(
        top=top,
        left=left,
        height=view.side * view.times,
        width=view.side * view.times,
        label=target.names[0],
        adds=whole.beyond(part),
        screen=one.screen,
        elsewhere=one.elsewhere,
        carried=carried,
    )
    return Measured(mark, carriers)


def _carried(whole: Told, part: Told) -> tuple[float | None, np.ndarray]:
    """The largest share of the class that the region singles out purely, and the items it singles out."""
    y = whole.target.values[:, 0]
    if len(np.unique(y)) != 2:
        return None, np.argsort(-np.abs(whole.said - part.said)[:, 0], kind="stable")[:LISTED]
    is_it = y > 0
    order = np.argsort(-(whole.said - part.said)[:, 0], kind="stable")
    n = np.arange(1, len(order) + 1)
    hits = np.cumsum(is_it[order])
    # Wilson's lower end, one-sided at 90 %, must lie above the base rate by nine tenths of what is left above it.
    z, share = 1.282, hits / n
    low = (share + z * z / (2 * n) - z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    base = float(is_it.mean())
    pure = np.flatnonzero(low >= base + PURE * (1 - base))
    if not len(pure):
        return 0.0, order[:LISTED]
    singled_out = order[: pure[-1] + 1]
    return float(hits[pure[-1]] / is_it.sum()), singled_out[is_it[singled_out]]


def _distinct(measured: list[Measured]) -> list[Measured]:
    """The first few that do not overlap an earlier one."""
    kept: list[Measured] = []
    for one in measured:
        if not any(_overlap(one.mark, other.mark) for other in kept):
            kept.append(one)
    return kept[:SHOWN]


def _overlap(one: Mark, other: Mark) -> bool:
    down = one.top < other.top + other.height and other.top < one.top + one.height
    return down and one.left < other.left + other.width and other.left < one.left + one.width


def _whole_picture(one: Measured, features: np.ndarray, target: Target) -> Interval:
    """What the whole picture tells of the same class, by lines or by neighbours."""
    column = target.column(target.names.index(one.mark.label))
    told = [tell(features, column).gain() for tell in (tell_by_lines, tell_by_neighbours)]
    return max(told, key=lambda gain: gain.mean)


def _finished(one: Measured, whole: Interval, train: SplitScan, chosen: np.ndarray) -> Mark:
    """With what it is compared to, and some of the items that carry it."""
    mark = one.mark
    note = f"{mark.height} × {mark.width} pixels at row {mark.top}, column {mark.left}"
    items = tuple(train.item(int(chosen[k]), note) for k in one.carriers[:LISTED].tolist())
    return msgspec.structs.replace(mark, whole=whole, items=items)


def _map(pictures: np.ndarray, views: list[Windows], target: Target, shelf: Shelf) -> tuple[str, tuple[str, ...]]:
    """The mean picture, and over it what windows add to what lies around them."""
    view = views[min(1, len(views) - 1)] if views[0].times == 1 else views[0]
    adds = _adds(view, len(pictures), target).max(axis=1).clip(0)
    table = np.zeros(view.grey.shape[1:])
    for (top, left), value in zip(view.at.tolist(), adds.tolist(), strict=True):
        place = (slice(top, top + view.side), slice(left, left + view.side))
        table[place] = np.maximum(table[place], value)
    png = over_mean(pictures, table)
    pixels = view.side * view.times
    return shelf.put_side("marks.png", png), (
        "the mean picture",
        f"what {pixels} × {pixels} pixels add, at most {adds.max():.2f}",
    )
