"""D7 for pictures and series: what of them is needed, by linear models on random patches shown one thing less each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.data.scan import THUMB, Scan
from recipe.disputes import score_without
from recipe.exam import Exam, halved
from recipe.grid_desk import Desk, levelled, open_desk, resized, shown
from recipe.machine import one_thread
from recipe.patch_features import learn_filters, responses
from recipe.record.questions import Move, Question, Questions, Way

LARGE = 64
"""Side to which larger pictures are reduced for the question of resolution; all others are asked at THUMB."""
FEWER = 40
"""Patches of each of several sizes."""
MOVED = 600
PROBE = "ridge regression on {} random patches"


def ask_about_grids(scan: Scan, *, seed: int, suspects: Mapping[str, np.ndarray] | None = None) -> Questions:
    """Answers for pictures (N, C, H, W) and series (N, C, T). suspects: positions of items with doubtful labels.

    CannotMeasure where inputs are neither, or too few.
    """
    with one_thread():
        desk = open_desk(scan, seed)
        asked = [
            *_resolutions(desk),
            *_patches(desk),
            _position(desk),
            _neighbours(desk),
            *_colour(desk),
            _variation(desk),
            _examples(desk),
        ]
        train = scan.splits["train"]
        return Questions(
            kind=scan.data.kind,
            metric=desk.exam.metric,
            chance=desk.exam.chance,
            train_items=len(desk.exam.train),
            val_items=len(desk.exam.val),
            shape=tuple(desk.train.shape[1:]),
            original=train.shape,
            questions=tuple(asked),
            moves=tuple(_moves(desk)),
            explained=_explained(desk),
            disputed=score_without(scan, desk.exam, desk.sheets, desk.again, suspects),
        )


def _resolutions(desk: Desk) -> Iterator[Question]:
    """How far could we afford to downsample: the same patches of the scene, in fewer and fewer pixels."""
    original = max(desk.scan.splits["train"].shape)
    exam, train, val = desk.exam, desk.train, desk.val
    if not desk.series and original > THUMB:
        few = (np.arange(min(len(exam.train), 1500)), np.arange(min(len(exam.val), 1500)))
        exam = exam.part(*few)
        larger = [shown(desk.scan, name, rows, LARGE) for name, rows in (("train", exam.train), ("val", exam.val))]
        train, val = levelled(*larger)
    side = int(train.shape[3] if desk.series else min(train.shape[2:]))
    if side < 4:
        return
    usual = 2 ** int(np.log2(side / 3.5)) if side > 4 else 1
    ways: list[Way] = []
    full: np.ndarray | None = None
    for sharp in halved(side, 2):
        small = [resized(x, sharp / side) for x in (train, val)]
        sizes = {max(1, round(share * usual * sharp / side)) for share in (0.5, 1, 2)}
        sizes |= {sharp} if len(sizes) < 3 else set()
        seen = [desk.responses(small[0], small[1], size, min(FEWER, desk.filters)) for size in sorted(sizes)]
        joined = [torch.cat([pair[k].flatten(1) for pair in seen], dim=1) for k in (0, 1)]
        marks = exam.ridge(joined[0], joined[1])
        full = marks if full is None else full
        shape = " × ".join(map(str, small[0].shape[2:])) if not desk.series else f"{sharp} steps"
        ways.append(exam.way(shape, marks, full, at=sharp))
    asked = "How low may the sampling rate be?" if desk.series else "How far can pictures be downsampled?"
    yield Question(name="resolution", asked=asked, probe=PROBE.format("three sizes of"), ways=tuple(ways))


def _patches(desk: Desk) -> Iterator[Question]:
    """Local features or global context: patches of growing size, averaged over all places, or over each part."""
    sizes = [2**k for k in range(12) if 2**k < desk.side] + [max(desk.train.shape[2:])]
    what = "step" if desk.series else "pixel"
    for name, placed in (("patches", False), ("placed-patches", True)):
        marks = {}
        for size in sizes:
            seen = desk.look(size)
            seen = seen if placed else (seen[0].mean(dim=2), seen[1].mean(dim=2))
            marks[size] = desk.sit(f"{size} placed" if placed else f"{size} pooled", seen)
        best = max(sizes, key=lambda size: marks[size].mean())
        names = {size: f"{size} {what}{'s' * (size > 1)}" for size in sizes}
        asked = "Are local features enough, or is global context needed?"
        where = "each part of the picture apart" if placed else "averaged over all positions"
        yield Question(
            name=name,
            asked=asked,
            probe=f"{PROBE.format(desk.filters)} of one size, {where}",
            ways=tuple(desk.exam.way(names[size], marks[size], marks[best], at=size) for size in sizes),
            reference=names[best],
        )


def _position(desk: Desk) -> Question:
    """Does it matter where something is, or can position be pooled out?"""
    seen = desk.look(desk.usual)
    cells = seen[0].shape[2]
    kept = desk.usual_marks()
    pooled = desk.sit("pooled", (seen[0].mean(dim=2), seen[1].mean(dim=2)))
    few = max(1, desk.filters // cells)
    fewer = desk.sit("fewer kinds", (seen[0][..., :few], seen[1][..., :few]))
    parts = f"{cells} parts of the {'series' if desk.series else 'picture'} apart"
    return Question(
        name="position",
        asked="Does position matter, or can it be averaged out?",
        probe=PROBE.format(f"{desk.usual}-{'step' if desk.series else 'pixel'}"),
        ways=(
            desk.exam.way(parts, kept, kept, at=cells),
            desk.exam.way("averaged over all positions", pooled, kept, at=1),
            desk.exam.way("parts apart, as few features as averaged", fewer, kept, at=cells),
        ),
    )


def _neighbours(desk: Desk) -> Question:
    """Do neighbouring pixels belong together: the same fixed shuffle of positions in every picture."""
    generator = np.random.default_rng([desk.seed, 41])
    order = torch.from_numpy(generator.permutation(desk.train[0, 0].numel()))
    shuffled = [x.flatten(2)[:, :, order].view_as(x) for x in (desk.train, desk.val)]
    marks, plain = desk.sit("shuffled", desk.responses(shuffled[0], shuffled[1], desk.usual)), desk.usual_marks()
    things = "steps" if desk.series else "pixels"
    return Question(
        name="neighbours",
        asked=f"Do neighbouring {things} belong together?",
        probe=PROBE.format(f"{desk.usual}-{things[:-1]}"),
        ways=(
            desk.exam.way("as they are", plain, plain),
            desk.exam.way(f"{things} in one fixed random order", marks, plain),
        ),
    )


def _colour(desk: Desk) -> Iterator[Question]:
    if desk.series or desk.train.shape[1] != 3:
        return
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    grey = levelled(*((x * weights).sum(dim=1, keepdim=True) for x in (desk.train, desk.val)))
    marks, plain = desk.sit("grey", desk.responses(*grey, desk.usual)), desk.usual_marks()
    alone = desk.look(1)
    colours = desk.sit("colours alone", (alone[0].mean(dim=2), alone[1].mean(dim=2)))
    yield Question(
        name="colour",
        asked="Does colour matter?",
        probe=PROBE.format(f"{desk.usual}-pixel"),
        ways=(
            desk.exam.way("colour", plain, plain, at=3),
            desk.exam.way("grey", marks, plain, at=1),
            desk.exam.way("colours alone, without shapes", colours, plain),
        ),
    )


def _variation(desk: Desk) -> Question:
    """What varies and says nothing: taken out of every picture before the probe learns."""
    plain = desk.usual_marks()
    ways = [desk.exam.way("as they are", plain, plain)]
    for name, change in (("without each one's mean", _centred), ("without each one's mean and contrast", _normed)):
        marks = desk.sit(name, desk.responses(change(desk.train), change(desk.val), desk.usual))
        ways.append(desk.exam.way(name, marks, plain))
    return Question(
        name="variation",
        asked="What variation is spurious, and could be preprocessed out?",
        probe=PROBE.format(f"{desk.usual}-{'step' if desk.series else 'pixel'}"),
        ways=tuple(ways),
    )


def _centred(x: Tensor) -> Tensor:
    return x - x.mean(dim=(1, 2, 3), keepdim=True)


def _normed(x: Tensor) -> Tensor:
    return _centred(x) / x.std(dim=(1, 2, 3), keepdim=True).clamp(min=0.1)


def _examples(desk: Desk) -> Question:
    """What the last doubling of the training items brought to the probe."""
    plain, (seen, others) = desk.usual_marks(), desk.look(desk.usual)
    ways: list[Way] = []
    for count in halved(len(desk.exam.train), min(50, len(desk.exam.train)), 3):
        part = desk.exam.part(np.arange(count), np.arange(len(desk.exam.val)))
        marks = plain if not ways else part.ridge(seen[:count].flatten(1), others.flatten(1))
        ways.append(desk.exam.way(f"{count:,} examples", marks, plain, at=count))
    return Question(
        name="examples", asked="Do more examples help?", probe=PROBE.format(f"{desk.usual}-pixel"), ways=tuple(ways)
    )


def _moves(desk: Desk) -> Iterator[Move]:
    """Val items moved a little, before a probe that has learnt from unmoved ones; and their nearest neighbours."""
    chosen = np.arange(min(MOVED, len(desk.exam.val)))
    exam, val = desk.exam.part(np.arange(len(desk.exam.train)), chosen), desk.val[chosen]
    filters = learn_filters(desk.train, desk.usual, desk.filters, np.random.default_rng([desk.seed, 37, desk.usual]))
    changes = _changes(desk)
    moved = [change(val) for change in changes.values()]
    rows = [responses(x, filters, desk.grid).flatten(1) for x in moved]
    said = exam.fit(desk.look(desk.usual)[0].flatten(1), desk.look(desk.usual)[1][chosen].flatten(1), *rows)
    plain, near = exam.marks(said[0]), _nearest(desk, exam, val)
    for (name, _), outputs, x in zip(changes.items(), said[1:], moved, strict=True):
        now = _nearest(desk, exam, x) if near is not None else None
        other = float(torch.ne(now, near).double().mean()) if now is not None and near is not None else 0.0
        yield Move(name=name, change=exam.way(name, exam.marks(outputs), plain).change, neighbours=other)


def _changes(desk: Desk) -> dict[str, Callable[[Tensor], Tensor]]:
    step = max(1, round(desk.side / 14))
    shift = {f"shifted by {step} {'steps' if desk.series else 'pixels'}": lambda x: _shifted(x, step)}
    brighter = {
        "brighter by a quarter of a deviation": lambda x: x + 0.25,
        "a quarter more contrast": lambda x: 1.25 * x,
    }
    if desk.series:
        return shift | brighter | {"reversed": lambda x: x.flip(3)}
    return {
        "mirrored": lambda x: x.flip(3),
        "upside down": lambda x: x.flip(2),
        **shift,
        "turned by 10 degrees": _turned,
        "a tenth larger": lambda x: _turned(x, degrees=0.0, zoom=1.1),
        **brighter,
    }


def _shifted(x: Tensor, step: int) -> Tensor:
    """To the right; what comes in at the left repeats the edge."""
    return torch.cat([x[..., :1].expand(*x.shape[:3], step), x[..., :-step]], dim=3)


def _turned(x: Tensor, degrees: float = 10.0, zoom: float = 1.0) -> Tensor:
    angle = np.deg2rad(degrees)
    matrix = torch.tensor([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]]).float() / zoom
    grid = F.affine_grid(matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _nearest(desk: Desk, exam: Exam, x: Tensor) -> Tensor | None:
    """The class of each one's nearest training item, in pixels; None where there are no classes."""
    if exam.asked.ndim > 1:
        return None
    small = [resized(part, 16 / max(part.shape[2:])).flatten(1) for part in (desk.train, x)]
    return exam.learnt.argmax(dim=1)[torch.cdist(small[1], small[0]).argmin(dim=1)]


def _explained(desk: Desk) -> float | None:
    """Share of the variance of the train items' numbers that lies between the means of the classes."""
    if desk.exam.asked.ndim > 1:
        return None
    x, members = desk.train.flatten(1).double(), desk.exam.learnt.double()
    count = members.sum(dim=0)
    means = (members.T @ x) / count.clamp(min=1)[:, None]
    between = float((count[:, None] * (means - x.mean(dim=0)) ** 2).sum() / ((x - x.mean(dim=0)) ** 2).sum())
    # Means of few items lie apart by chance alone.
    freedom = (len(x) - 1) / max(1, len(x) - int((count > 0).sum()))
    return max(0.0, 1 - (1 - between) * freedom)
