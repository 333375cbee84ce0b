"""D5: which labels simple models would not give, how many are wrong, and where they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recipe.data.scan import SplitScan
from recipe.data.scores import put_scores
from recipe.data.texts import shortened
from recipe.intervals import wilson
from recipe.machine import one_thread
from recipe.out_of_sample.floor import Floor, fit_floor, rate_interval, rate_of
from recipe.out_of_sample.lapses import Lapse, Segment, find_lapses, find_runs, run_limit
from recipe.out_of_sample.predictions import Predictions, Told
from recipe.record.alignment import Alignment
from recipe.record.data import Item
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.interval import Interval
from recipe.record.label_noise import LabelNoise, NoisyPair, NoisySplit, PairCount, RankPoint, Run, SimpleModel
from recipe.record.scores import ItemScores

LISTED_FROM = 1 / 3
"""Probability of a wrong label from which an item is a candidate."""
SUSPECTS = 300
COUNTS = 12
SIGNS = 3.0
FAINT = 1e-3
"""Rate at which items are ranked where none was found: the order is the same at any."""
RANKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


@dataclass(frozen=True, eq=False)
class Judged:
    """One split. q: (N, K) without the label; wrong: (N) with it; other: the likeliest other class; certain: of it.

    floor: with the pairs that are wrong in this split too.
    """

    scan: SplitScan
    floor: Floor
    rows: np.ndarray
    labels: np.ndarray
    q: Tensor
    rate: Interval
    wrong: np.ndarray
    rank: np.ndarray
    other: np.ndarray
    certain: np.ndarray
    clean: float


def measure_label_noise(said: Predictions, alignment: Alignment | None, shelf: Shelf) -> LabelNoise:
    """Everything about wrong labels of train and val, told by models learnt from train. Writes scores of all items."""
    if said.numbers:
        raise CannotMeasure("targets are numbers, not classes")
    told = said.of("train")
    trusted = _trusted(alignment)
    if "train" not in trusted:
        raise CannotMeasure("labels of train do not follow from inputs: nothing tells a wrong one from a right one")
    with one_thread():
        floor, lapses = _fit(told)
        judged = [
            one
            for name in ("train", "val")
            if name in trusted and (one := _judge(told, floor, said.scan.splits[name], name)) is not None
        ]
    ranked = _ranked(judged)
    return LabelNoise(
        kind=said.scan.data.kind,
        classes=said.classes,
        models=_models(told, floor),
        splits=tuple(_split(one) for one in judged),
        scores=_scores(judged, shelf, said.classes),
        differ=_differ(judged),
        listed_from=LISTED_FROM,
        pairs=tuple(_pair(one, said.classes) for one in lapses),
        runs=tuple(_runs(judged)),
        counts=tuple(_counts(judged, said.classes)),
        ranks=tuple(_ranks(judged, ranked)),
        suspects=tuple(_suspect(judged[s], k, said.classes) for s, k in ranked[:SUSPECTS]),
    )


def _trusted(alignment: Alignment | None) -> set[str]:
    """Splits whose labels follow from inputs as train's do."""
    if alignment is None:
        return {"train", "val"}
    moved = {one.split for one in alignment.maps if one.moved and one.mapped > one.as_is}
    fair = {one.split for one in alignment.follows if one.source == "train" and one.z >= SIGNS}
    return fair - moved


def _fit(told: Told) -> tuple[Floor, list[Lapse]]:
    """The floor, fitted again with the pairs that it does not explain."""
    floor = told.floor
    scores, labels = told.fitted
    lapses = find_lapses(floor.probabilities(scores).numpy(), labels.numpy(), floor.rate)
    if not lapses:
        return floor, []
    even = floor.rate / max(1, scores[0].shape[1] - 1)
    return fit_floor(scores, labels, {(one.k, one.j): one.share - even for one in lapses}), lapses


def _judge(told: Told, floor: Floor, scan: SplitScan, name: str) -> Judged | None:
    known = torch.bincount(told.labels["train"], minlength=told.scores["train"][0].shape[1]) > 0
    kept = known[told.labels[name]].nonzero()[:, 0]
    if not len(kept):
        return None
    labels = told.labels[name][kept]
    q = floor.probabilities([one[kept] for one in told.scores[name]])
    floor = floor if name == "train" else _suiting(floor, q, labels)
    rate = rate_interval(*told.fitted, floor) if name == "train" else rate_of(floor, q, labels)
    after = floor.posterior(q, labels, rate.mean)
    own = torch.arange(len(labels)), labels
    others = floor.posterior(q, labels, max(rate.mean, FAINT))
    rank = 1 - others[own]
    others[own] = -1.0
    other = others.argmax(dim=1)
    return Judged(
        scan=scan,
        floor=floor,
        rows=told.rows[name][kept.numpy()],
        labels=labels.numpy(),
        q=q,
        rate=rate,
        wrong=(1 - after[own]).clamp(min=0).numpy(),
        rank=rank.numpy(),
        other=other.numpy(),
        certain=q[own[0], other].numpy(),
        clean=float(after[own[0], q.argmax(dim=1)].mean()),
    )


def _suiting(floor: Floor, q: Tensor, labels: Tensor) -> Floor:
    """What is wrong in pairs in train need not be so in val: with the pairs or without, whichever is likelier."""
    plain = replace(floor, pairs={})
    told = [
        float(one.labelled(q, labels, rate_of(one, q, labels).mean).clamp(min=1e-12).log().sum())
        for one in (floor, plain)
    ]
    return floor if told[0] > told[1] else plain


def _models(told: Told, floor: Floor) -> tuple[SimpleModel, ...]:
    labels = told.labels["train"]
    right = [float((scores.argmax(dim=1) == labels).double().mean()) for scores in told.scores["train"]]
    return tuple(
        SimpleModel(name=name, about=about, weight=float(weight), accuracy=share)
        for (name, about), weight, share in zip(told.models, floor.weights, right, strict=True)
    )


def _split(one: Judged) -> NoisySplit:
    name, labels = one.scan.split.name, torch.from_numpy(one.labels)
    given = one.floor.labelled(one.q, labels, one.rate.mean).clamp(min=1e-12)
    candidates = one.wrong >= LISTED_FROM
    return NoisySplit(
        split=name,
        items=len(labels),
        rate=one.rate,
        total=_total(one),
        candidates=int(candidates.sum()),
        expected=float(one.wrong[candidates].sum()),
        accuracy=wilson(int((one.q.argmax(dim=1) == labels).sum()), len(labels)),
        clean=one.clean,
        loss=float(-given.log().mean()),
    )


def _total(one: Judged) -> Interval:
    """The even rate, and what pairs add."""
    share = one.q.mean(dim=0)
    more = sum(extra * float(share[k]) for (k, _), extra in one.floor.pairs.items())
    doubt = math.sqrt(more * (1 - more) / len(one.labels)) * 1.96 if 0 < more < 1 else 0.0
    low = math.hypot(one.rate.mean - one.rate.low, doubt)
    high = math.hypot(one.rate.high - one.rate.mean, doubt)
    mean = one.rate.mean + more
    return Interval(mean, max(0.0, mean - low), min(1.0, mean + high), len(one.labels))


def _scores(judged: list[Judged], shelf: Shelf, classes: tuple[str, ...]) -> tuple[ItemScores, ...]:
    """A number an item: how likely its label is wrong, how likely it was, and which class it would rather be."""

    def put(title: str, about: str, values: list[np.ndarray], words: tuple[str, ...] = ()) -> ItemScores:
        wide = {one.scan.split.name: _spread(one, numbers) for one, numbers in zip(judged, values, strict=True)}
        return put_scores(shelf, {one.scan.split.name: one.scan for one in judged}, title, wide, about, words)

    given = [one.q.numpy()[np.arange(len(one.labels)), one.labels] for one in judged]
    return (
        put("wrong label", "probability that the label is wrong, by simple models", [one.wrong for one in judged]),
        put("label probability", "probability of the given label, by simple models", given),
        put("other class", "what simple models would rather give", [one.other for one in judged], classes),
    )


def _spread(one: Judged, values: np.ndarray) -> np.ndarray:
    """A number for each readable item; not-a-number where nothing was told."""
    found = np.full(len(one.scan.positions), np.nan, dtype=np.float32)
    found[one.rows] = values
    return found


def _differ(judged: list[Judged]) -> float:
    """Nats by which rates of their own suit the splits better than one rate for all."""
    if len(judged) < 2:
        return 0.0
    plain = replace(judged[0].floor, pairs={})
    labels = [torch.from_numpy(one.labels) for one in judged]
    together = rate_of(plain, torch.cat([one.q for one in judged]), torch.cat(labels)).mean
    gain = 0.0
    for one, own in zip(judged, labels, strict=True):
        for rate, sign in ((rate_of(plain, one.q, own).mean, 1), (together, -1)):
            gain += sign * float(plain.labelled(one.q, own, rate).clamp(min=1e-12).log().sum())
    return max(0.0, gain)


def _runs(judged: list[Judged]) -> list[Run]:
    """Stretches of rows, in the order of their source, that are wrong far more often than the rest."""
    found = []
    for origin in dict.fromkeys(one.scan.split.origin for one in judged):
        own = [one for one in judged if one.scan.split.origin == origin]
        rows = np.concatenate([one.scan.split.rows.numpy()[one.scan.positions[one.rows]] for one in own])
        nats, wrong = (np.concatenate(parts) for parts in zip(*(_speaks(one) for one in own), strict=True))
        alike = [(c.tobytes(), k) for one in own for c, k in zip(one.scan.contents[one.rows], one.labels, strict=True)]
        order = np.argsort(rows, kind="stable")
        found += [_run(origin, r, rows[order], wrong[order]) for r in find_runs(nats[order], [alike[k] for k in order])]
    return found


def _speaks(one: Judged) -> tuple[np.ndarray, np.ndarray]:
    """(N) nats for "wrong half of the time", and (N) how likely each label is wrong were that so."""
    floor, labels, often = one.floor, torch.from_numpy(one.labels), (1 + one.rate.mean) / 2
    usual, there = floor.labelled(one.q, labels, one.rate.mean), floor.labelled(one.q, labels, often)
    nats = there.clamp(min=1e-12).log() - usual.clamp(min=1e-12).log()
    after = floor.posterior(one.q, labels, often)
    return nats.numpy(), (1 - after[torch.arange(len(labels)), labels]).numpy()


def _run(origin: str, run: Segment, rows: np.ndarray, wrong: np.ndarray) -> Run:
    inside = slice(run.first, run.last + 1)
    return Run(
        origin=origin,
        first=int(rows[run.first]),
        last=int(rows[run.last]),
        items=run.last + 1 - run.first,
        rate=float(wrong[inside].mean()),
        nats=run.nats,
        limit=run_limit(len(rows)),
    )


def _pair(one: Lapse, classes: tuple[str, ...]) -> NoisyPair:
    return NoisyPair(looks_like=classes[one.k], given=classes[one.j], share=one.share, nats=one.nats, items=one.items)


def _counts(judged: list[Judged], classes: tuple[str, ...]) -> list[PairCount]:
    """Candidates of all splits by (given, looks like), most expected wrong ones first."""
    size = len(classes)
    items, expected = np.zeros((size, size)), np.zeros((size, size))
    for one in judged:
        chosen = one.wrong >= LISTED_FROM
        np.add.at(items, (one.labels[chosen], one.other[chosen]), 1)
        np.add.at(expected, (one.labels[chosen], one.other[chosen]), one.wrong[chosen])
    order = [divmod(int(k), size) for k in np.argsort(-expected, axis=None, kind="stable")[:COUNTS]]
    return [
        PairCount(given=classes[g], looks_like=classes[k], items=int(items[g, k]), expected=float(expected[g, k]))
        for g, k in order
        if items[g, k]
    ]


def _ranked(judged: list[Judged]) -> list[tuple[int, int]]:
    """(which of the splits, which of its items), the most suspicious first."""
    split = np.concatenate([np.full(len(one.labels), s) for s, one in enumerate(judged)])
    item = np.concatenate([np.arange(len(one.labels)) for one in judged])
    key = np.concatenate([one.rank for one in judged])
    # What a person has looked at and marked as fine need not be named again.
    fine = np.concatenate([[p in one.scan.fine for p in one.scan.positions[one.rows].tolist()] for one in judged])
    order = np.argsort(np.where(fine, np.inf, -key), kind="stable")[: int((~fine).sum())]
    return list(zip(split[order].tolist(), item[order].tolist(), strict=True))


def _ranks(judged: list[Judged], ranked: list[tuple[int, int]]) -> list[RankPoint]:
    wrong = np.array([judged[s].wrong[k] for s, k in ranked])
    upto = np.cumsum(wrong)
    candidates = int((wrong >= LISTED_FROM).sum())
    points = sorted({r for r in (*RANKS, candidates) if 0 < r <= min(max(100, 2 * candidates), len(wrong))})
    return [RankPoint(rank=r, precision=float(upto[r - 1] / r), probability=float(wrong[r - 1])) for r in points]


def _suspect(one: Judged, k: int, classes: tuple[str, ...]) -> Item:
    other, sure, row = classes[int(one.other[k])], float(one.certain[k]), int(one.rows[k])
    why = f"given {classes[int(one.labels[k])]}, looks like {other} (p {sure:.2f}); wrong with p {one.wrong[k]:.2f}"
    texts = one.scan.split.texts
    return one.scan.item(row, why if texts is None else f"{why}: {shortened(texts[int(one.scan.positions[row])], 100)}")
