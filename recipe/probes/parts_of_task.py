"""B16: how a task is parted, from simple to complex: what its own targets and inputs call easy.

Classes: two, then more. Two classes: the items that lie most clearly with their own kind, then the less clear. Several
labels: one label, the plainest, then more. Numbers and pictures: targets near their mean, then those far from it.
Sequences: the first positions, then longer contexts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from recipe.probes.probe import outputs_of, plain_learner, take
from recipe.record.evidence import CannotMeasure
from recipe.tasks.task import distinct
from recipe.training.batch import Batch
from recipe.tree import leaves

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

STEPS = 4
"""Into how many steps a task is parted, at most."""
LEFT_OUT = -100
"""A target that torch's losses leave out."""
WORDS = 512
"""Numbers of words that are counted one by one; rarer ones share a count."""
TELLS = 0.75
"""Below this share of items that lie with their own kind, no item is clear. Two heaps that a line divides so well lie
1.35 deviations apart; their least clear quarter then lies a third as deep on the other side as the clearest on its own,
so that one which lies half as deep does not come from heaps that overlap."""


class Piece(NamedTuple):
    """A part: its training rows and, for classes, the label. span: of positions, from and to, for sequences.

    column: of the targets, for labels. fair: how many items say something about it. depth: how clearly they lie with
    their own kind, over how clearly the first part's do.
    """

    name: str
    rows: Tensor
    label: int | None = None
    span: tuple[int, int] | None = None
    column: int | None = None
    fair: int | None = None
    depth: float | None = None


def parted(ingredients: Ingredients, train: Batch) -> tuple[str, list[Piece]]:
    """(what a part is, the parts, easy ones first). Raises CannotMeasure where nothing is easier than the rest."""
    task, targets = ingredients.task, train.targets.cpu()
    if task.time_axis() is not None:
        return "context", _contexts(ingredients, train)
    if task.name == "multilabel":
        return "label", _labels(ingredients, train)
    if task.name == "binary":
        return "clearness", _clear_first(train, targets.reshape(len(targets), -1)[:, 0] > 0.5)
    if targets.is_floating_point():
        return "band", _bands(targets)
    names, labels = ingredients.data.classes, distinct(targets).tolist()
    if len(labels) < 3:
        return "clearness", _clear_first(train, targets == labels[-1])
    return "class", [Piece(str(names[k]) if names else str(k), (targets == k).nonzero()[:, 0], int(k)) for k in labels]


def sizes_of(unit: str, parts: int) -> tuple[int, ...]:
    """How many parts are there at each step: one more, or by about the same factor more where there are many."""
    first = {"class": 2, "label": 1}.get(unit)
    if first is None:
        return tuple(range(1, parts + 1))
    return tuple(sorted({round(first * (parts / first) ** (k / (STEPS - 1))) for k in range(STEPS)}))


def _clear_first(train: Batch, positive: Tensor) -> list[Piece]:
    """Quarters of either class, by how much nearer an item lies to the mean of its own class than to the other's."""
    margins = _margins(_numbers(train), positive)
    told = _told(margins, positive)
    if told < TELLS:
        raise CannotMeasure(
            f"no item of these two classes is easier than another by its distance to their means, which tell {told:.0%}"
        )
    quarters: list[list[Tensor]] = [[] for _ in range(STEPS)]
    for of_class in (~positive, positive):
        rows = of_class.nonzero()[:, 0]
        order = rows[margins[rows].argsort(descending=True, stable=True)]
        cuts = [round(k * len(order) / STEPS) for k in range(STEPS + 1)]
        for quarter, (low, high) in zip(quarters, pairwise(cuts), strict=True):
            quarter.append(order[low:high])
    parts = [rows.sort().values for found in quarters if len(rows := torch.cat(found))]
    deep = [float(margins[rows].median()) for rows in parts]
    names = ["the clearest quarter", "the second quarter", "the third quarter", "the least clear quarter"]
    return [
        Piece(name, rows, depth=depth / max(deep[0], 1e-12))
        for name, rows, depth in zip(names, parts, deep, strict=False)
    ]


def _labels(ingredients: Ingredients, train: Batch) -> list[Piece]:
    """A label each, the plainest first: how many items lie with their own kind, either kind counting the same."""
    targets, numbers = train.targets.cpu() > 0.5, _numbers(train)
    width, names = targets.shape[1], ingredients.data.classes
    counts = [int(min(targets[:, k].sum(), (~targets[:, k]).sum())) for k in range(width)]
    told = [_told(_margins(numbers, targets[:, k]), targets[:, k]) if counts[k] else 0.0 for k in range(width)]
    there = [k for k in sorted(range(width), key=lambda k: -told[k]) if counts[k]]
    if len(there) < 2:
        raise CannotMeasure("only one label varies: there is no simpler part")
    named = names if names and len(names) == width else [str(k) for k in range(width)]
    return [Piece(str(named[k]), torch.arange(len(targets)), column=k, fair=2 * counts[k]) for k in there]


def _numbers(train: Batch) -> Tensor:
    """(items, numbers): the inputs in deviations of the sample, each part of them alike; words as counts."""
    parts = [_counts(leaf) if not leaf.is_floating_point() else leaf for leaf in leaves(train.inputs)]
    columns = []
    for leaf in parts:
        flat = leaf.detach().cpu().double().reshape(len(leaf), -1)
        spread = flat.std(dim=0)
        flat = torch.where(spread > 1e-9, (flat - flat.mean(dim=0)) / spread.clamp(min=1e-9), 0.0)
        columns.append(flat / max(1, flat.shape[1]) ** 0.5)
    return torch.cat(columns, dim=1)


def _counts(words: Tensor) -> Tensor:
    """How often each number of a word occurs in an item."""
    flat = words.detach().cpu().long().reshape(len(words), -1).clamp(min=0, max=WORDS - 1)
    return torch.zeros(len(flat), WORDS).scatter_add_(1, flat, torch.ones_like(flat, dtype=torch.float32))


def _margins(numbers: Tensor, positive: Tensor) -> Tensor:
    """How far an item lies on its own kind's side of the middle between the two means, along the line through them.

    Each mean is taken without the item itself: of few items in many dimensions, each lies near a mean that it is in.
    """
    signs = torch.where(positive, 1.0, -1.0).double()
    ones = (signs > 0, signs < 0)
    if not all(bool(one.any()) for one in ones):
        raise CannotMeasure("there is one class only")
    counts = torch.where(positive, ones[0].sum(), ones[1].sum()).double()
    up, down = (numbers[one].mean(dim=0) for one in ones)
    middle, line = numbers - (up + down) / 2, up - down
    own = torch.where(positive[:, None], numbers - up, numbers - down)
    # d = the distance to the other mean less that to the own one, both squared, halved.
    plain = signs * (middle @ line)
    without = own.square().sum(dim=1) * (2 * counts - 1) / (counts - 1).clamp(min=1).square() / 2
    margins: Tensor = plain - without
    return margins


def _told(margins: Tensor, positive: Tensor) -> float:
    """Share of the items that lie on their own kind's side, a mean over both kinds."""
    right = (margins > 0).double()
    return float((right[positive].mean() + right[~positive].mean()) / 2)


def _bands(targets: Tensor) -> list[Piece]:
    """Quarters of the items by how far their targets lie from the mean."""
    flat = targets.reshape(len(targets), -1).double()
    spread = flat.std(dim=0).clamp(min=1e-12)
    away = ((flat - flat.mean(dim=0)) / spread).square().mean(1).sqrt()
    order = away.argsort(stable=True)
    cuts = [round(k * len(order) / STEPS) for k in range(STEPS + 1)]
    parts = [order[low:high] for low, high in pairwise(cuts)]
    return [
        Piece(f"targets {float(away[rows].min()):.2g} to {float(away[rows].max()):.2g} deviations from the mean", rows)
        for rows in parts
        if len(rows)
    ]


def _contexts(ingredients: Ingredients, train: Batch) -> list[Piece]:
    """Every item, its first quarter of positions first: what comes late has the most to look back on.

    Inputs stay whole, as a net may have a fixed length; targets that are not there yet are left out of the loss.
    """
    targets = train.targets.cpu()
    if targets.ndim < 2 or targets.shape[1] < STEPS:
        raise CannotMeasure("these sequences are too short to be parted")
    try:
        few = take(train, torch.arange(min(8, len(targets))))
        outputs = outputs_of(plain_learner(ingredients, 0).model, few.inputs).to(few.targets.device)
        known = ingredients.loss(outputs, positions(few, (0, 1)).targets)
    except (RuntimeError, IndexError, ValueError) as error:
        raise CannotMeasure("this loss cannot leave positions out, so that no shorter context can be had") from error
    if not bool(torch.isfinite(known).all()):
        raise CannotMeasure("this loss cannot leave positions out, so that no shorter context can be had")
    rows, whole = torch.arange(len(targets)), targets.shape[1]
    cuts = [round(k * whole / STEPS) for k in range(STEPS + 1)]
    spans = [(low, high) for low, high in pairwise(cuts) if bool((targets[:, low:high] >= 0).any())]
    return [Piece(f"positions {low + 1} to {high}", rows, span=(low, high)) for low, high in spans]


def positions(batch: Batch, span: tuple[int, int]) -> Batch:
    """The same items with the targets of some positions alone."""
    targets = torch.full_like(batch.targets, LEFT_OUT)
    targets[:, span[0] : span[1]] = batch.targets[:, span[0] : span[1]]
    return batch._replace(targets=targets)
