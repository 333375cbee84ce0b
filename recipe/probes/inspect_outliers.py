"""D4: what stands out: on each attribute by the end of its tail, and among all items by the distance to the nearest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recipe.data.scan import Scan, SplitScan
from recipe.data.scores import put_scores
from recipe.data.tails import tail_limits
from recipe.machine import one_thread
from recipe.record.evidence import Shelf
from recipe.record.features import Fence, Outliers

NEIGHBOURS = 10
REFERENCE = 5000
"""Items of train that distances are taken to: nearest neighbours among a sample rank as those among all do."""
DIRECTIONS = 48
FENCE = 1.5
FAR = 1.7
"""Datalab's 1 / 0.37037 - 1."""
LISTED = 50
ROWS = 20
"""Items that are listed of one attribute."""
MOST_FENCES = 256
BOUNDED = ("darkest 5 %", "brightest 1 %")
"""Attributes that lie at an end of the range for most pictures: the check of picture quality judges them."""


def measure_outliers(scan: Scan, shelf: Shelf | None = None, *, seed: int) -> Outliers:
    """Fences from train; distances of every item of every split to a seeded sample of train, kept on the shelf."""
    splits = scan.splits
    # Where train is augmented as it is read, the other splits need not lie where it does.
    varies = splits["train"].split.streams and not splits["train"].split.inputs.repeats()
    looked = ["train"] if varies else list(splits)
    names = [name for name in splits["train"].attributes if name not in BOUNDED][:MOST_FENCES]
    fences = [_fence(name, splits, looked) for name in names]
    items = {name: len(one.positions) for name, one in splits.items()}
    if len(splits["train"].features) <= 2 * NEIGHBOURS:
        return Outliers(fences=tuple(f for f in fences if f), items=items)
    with one_thread():
        distance = _distances(splits, seed)
    # What a person has marked as fine is not told again.
    told = {name: np.where(one.silent, -np.inf, distance[name]) for name, one in splits.items()}
    first, third = np.quantile(distance["train"], [0.25, 0.75])
    limit = third + FAR * (third - first)
    end = max(limit, tail_limits(distance["train"])[1])
    ranked = sorted(
        ((float(d[k]), name, k) for name, d in told.items() for k in np.argsort(-d)[:LISTED].tolist() if d[k] > limit),
        reverse=True,
    )
    about = f"mean distance to the {NEIGHBOURS} nearest of a sample of train, after preprocessing; large is odd"
    return Outliers(
        fences=tuple(f for f in fences if f),
        items=items,
        neighbours=NEIGHBOURS,
        reference=min(REFERENCE, len(splits["train"].features)),
        limit=float(limit),
        end=_end(end),
        far={name: int((d > limit).sum()) for name, d in told.items()},
        extreme={name: int((d > end).sum()) for name, d in told.items()},
        farthest=tuple(splits[name].item(k, f"distance {d:.3g}, limit {limit:.3g}") for d, name, k in ranked[:LISTED]),
        scores=(put_scores(shelf, splits, "outlier distance", distance, about),) if shelf else (),
    )


def _fence(name: str, splits: dict[str, SplitScan], looked: Sequence[str]) -> Fence | None:
    train = splits["train"].attributes[name].astype(np.float64)
    known = train[np.isfinite(train)]
    # Ten values are the least that quartiles say anything about (deepchecks).
    if len(known) < 10 or known.min() == known.max():
        return None
    first, third = np.quantile(known, [0.25, 0.75])
    low, high = first - FENCE * (third - first), third + FENCE * (third - first)
    least, most = tail_limits(known)
    apart = [hit for split in looked for hit in _beyond(splits[split], name, least, most)]
    shown = sorted(apart, reverse=True)[:ROWS] or sorted(_beyond(splits["train"], name, low, high), reverse=True)[:5]
    return Fence(
        attribute=name,
        first=float(first),
        third=float(third),
        below=int((known < low).sum()),
        above=int((known > high).sum()),
        low=float(known[known >= least].min()),
        high=float(known[known <= most].max()),
        apart=len(apart),
        farthest=tuple(
            splits[split].item(k, f"{name} {_plain(float(splits[split].attributes[name][k]))}") for _, split, k in shown
        ),
    )


def _plain(value: float) -> str:
    """Five digits; large numbers in full: 1,484,705 in place of 1.4847e+06."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e12 else f"{value:.5g}"


def _beyond(one: SplitScan, attribute: str, low: float, high: float) -> list[tuple[float, str, int]]:
    """(how far, split, item) of the values outside; not of those marked fine, nor of what is not finite."""
    values = one.attributes[attribute].astype(np.float64)
    far = np.where(np.isfinite(values) & ~one.silent, np.maximum(low - values, values - high), 0.0)
    return [(float(far[k]), one.split.name, k) for k in np.flatnonzero(far > 0).tolist()]


def _end(limit: float) -> float | None:
    return float(limit) if np.isfinite(limit) else None


def _distances(splits: dict[str, SplitScan], seed: int) -> dict[str, np.ndarray]:
    """{split: mean distance (N) to the nearest of the reference}, in the directions in which train varies most."""
    train = torch.from_numpy(splits["train"].features)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(train), generator=generator)[:REFERENCE]
    centre, axes = _directions(train[chosen])
    reference = (train[chosen] - centre) @ axes
    own = torch.full((len(train),), -1, dtype=torch.int64)
    own[chosen] = torch.arange(len(chosen))
    nobody = torch.tensor(-1)
    found = {}
    for name, one in splits.items():
        features = torch.from_numpy(one.features)
        parts = []
        for start in range(0, len(features), 2048):
            x = (features[start : start + 2048] - centre) @ axes
            column = own[start : start + 2048] if name == "train" else nobody.expand(len(x))
            parts.append(_nearest(x, reference, column))
        found[name] = torch.cat(parts).numpy().astype(np.float64)
    return found


def _directions(sample: Tensor) -> tuple[Tensor, Tensor]:
    """(mean (D), principal axes (D, at most DIRECTIONS)) of a sample."""
    centre = sample.mean(dim=0)
    x = (sample - centre).to(torch.float64)
    _, vectors = torch.linalg.eigh(x.T @ x / len(x))
    return centre, vectors.flip(1)[:, :DIRECTIONS].to(torch.float32)


def _nearest(x: Tensor, reference: Tensor, own: Tensor) -> Tensor:
    """(n) mean distance to the NEIGHBOURS nearest; `own` is an item's column among the reference, or -1."""
    distance = torch.cdist(x, reference)
    there = (own >= 0).nonzero()[:, 0]
    distance[there, own[there]] = torch.inf
    return distance.topk(NEIGHBOURS, largest=False).values.mean(dim=1)
