"""B16: one net that starts with two classes (or the easiest part of another task) and is given the rest step by step.

Every step takes as many optimizer steps as the first. What was added counts as learnt by how far its own training
items got from a blind guess among the parts that are there; classes are also looked up in validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from recipe.intervals import wilson
from recipe.probes.probe import feed_on, outputs_of, plain_learner, sample, take
from recipe.record.evidence import CannotMeasure
from recipe.record.learning import InVal, Part, SimpleToComplex
from recipe.tasks.task import distinct
from recipe.training.batch import Batch
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

STEPS = 4
"""Into how many steps a task is parted, at most."""
ABSENT = -30.0
"""Log-probability of a class that is not there yet."""
LEFT_OUT = -100
"""A target that torch's losses leave out."""
MOST = 512
"""Items of a part that it is measured on."""


class Piece(NamedTuple):
    """A part: its training rows and, for classes, the label. span: of positions, from and to, for sequences."""

    name: str
    rows: Tensor
    label: int | None = None
    span: tuple[int, int] | None = None


def measure_simple_to_complex(
    ingredients: Ingredients, seed: int, *, steps: int, items: int, val_items: int
) -> SimpleToComplex:
    """The user's optimizer throughout. steps: of each step."""
    train, val = sample(ingredients, "train", items), sample(ingredients, "val", val_items)
    unit, pieces = _pieces(ingredients, train)
    sizes = _sizes(len(pieces)) if unit == "class" else tuple(range(1, len(pieces) + 1))
    learner = plain_learner(ingredients, seed)
    judge = _Judge(ingredients, train, learner.model)
    batch_size, device = ingredients.config["train"]["batch_size"], ingredients.device
    losses: list[float] = []
    learnt: list[float] = []
    for number, size in enumerate(sizes):
        present = judge.items_of(pieces[:size])
        feed = feed_on(present, batch_size=batch_size, seed=derive(seed, number), device=device)
        history = fit(learner, feed, steps=steps, seed=derive(seed, "step", number), sample_every=0)
        losses += history.losses
        if len(history.losses) < steps:
            raise CannotMeasure(f"the training on {size} of {len(pieces)} parts ended: {history.stopped}")
        learnt += [judge.learnt(piece, pieces[:size]) for piece in pieces[len(learnt) : size]]
    said = ingredients.task.predictions(outputs_of(learner.model, val.inputs)) if unit == "class" else None
    found = []
    for k, piece in enumerate(pieces):
        step = next(number for number, size in enumerate(sizes) if k < size)
        in_val = None if said is None else _in_validation(piece, pieces, said, val.targets.cpu())
        found.append(
            Part(
                name=piece.name,
                step=step,
                items=len(piece.rows),
                chance=judge.chance(piece, pieces[: sizes[step]]),
                learnt=learnt[k],
                at_last=judge.learnt(piece, pieces),
                right=judge.right(piece),
                val=in_val,
            )
        )
    return SimpleToComplex(unit=unit, steps=steps, sizes=sizes, losses=tuple(losses), parts=tuple(found))


def _pieces(ingredients: Ingredients, train: Batch) -> tuple[str, list[Piece]]:
    """(what a part is, the parts from simple to complex)."""
    task, targets = ingredients.task, train.targets.cpu()
    if task.time_axis() is not None:
        return "context", _contexts(ingredients, train)
    if targets.is_floating_point() and task.name in ("binary", "multilabel"):
        raise CannotMeasure("it is two classes, or labels that are learnt together: there is no simpler part")
    if targets.is_floating_point():
        return "band", _bands(targets)
    names, labels = ingredients.data.classes, distinct(targets).tolist()
    if len(labels) < 3:
        raise CannotMeasure("two classes are the simplest part already")
    return "class", [Piece(str(names[k]) if names else str(k), (targets == k).nonzero()[:, 0], int(k)) for k in labels]


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
        known = ingredients.loss(outputs, _only(few, (0, 1)).targets)
    except (RuntimeError, IndexError, ValueError) as error:
        raise CannotMeasure("this loss cannot leave positions out, so that no shorter context can be had") from error
    if not bool(torch.isfinite(known).all()):
        raise CannotMeasure("this loss cannot leave positions out, so that no shorter context can be had")
    rows, whole = torch.arange(len(targets)), targets.shape[1]
    cuts = [round(k * whole / STEPS) for k in range(STEPS + 1)]
    spans = [(low, high) for low, high in pairwise(cuts) if bool((targets[:, low:high] >= 0).any())]
    return [Piece(f"positions {low + 1} to {high}", rows, span=(low, high)) for low, high in spans]


def _only(batch: Batch, span: tuple[int, int]) -> Batch:
    """The same items with the targets of some positions alone."""
    targets = torch.full_like(batch.targets, LEFT_OUT)
    targets[:, span[0] : span[1]] = batch.targets[:, span[0] : span[1]]
    return batch._replace(targets=targets)


def _sizes(classes: int) -> tuple[int, ...]:
    """Two classes, then more by about the same factor each time, then all."""
    found = [round(2 * (classes / 2) ** (k / (STEPS - 1))) for k in range(STEPS)]
    return tuple(sorted(set(found)))


class _Judge:
    """How far the net has come on a part, from a blind guess among the parts that are there to the lowest loss."""

    def __init__(self, ingredients: Ingredients, train: Batch, model: nn.Module) -> None:
        self._task, self._loss, self._device = ingredients.task, ingredients.loss, ingredients.device
        self._width, self._train, self._model = ingredients.num_outputs, train, model
        self._spread = train.targets.cpu().double().std(dim=0)
        first = outputs_of(model, take(train, torch.arange(min(8, len(train.targets)))).inputs)
        self._certain = self._task.form(first) == "probabilities"

    def items_of(self, present: Sequence[Piece]) -> Batch:
        """The training items of these parts."""
        span = present[-1].span
        if span is not None:
            return _only(self._train, (0, span[1]))
        return take(self._train, torch.cat([piece.rows for piece in present]).sort().values)

    def learnt(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The share of the way, by the part's training items."""
        here = self._items(piece)
        targets = here.targets.cpu()
        reached = self._value(outputs_of(self._model, here.inputs), targets)
        chance = self.chance(piece, present)
        return (chance - reached) / max(chance - (self._task.lowest_loss(self._loss, targets) or 0.0), 1e-12)

    def chance(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The loss of the part for the best constant prediction over all parts that are there."""
        targets, known = self._items(piece).targets.cpu(), self.items_of(present).targets.cpu()
        if known.is_floating_point():
            return self._value(known.mean(dim=0, keepdim=True).expand_as(targets), targets)
        counts = torch.bincount(known[known >= 0], minlength=self._width).double()
        scores = (counts / counts.sum()).log().clamp(min=ABSENT).float()
        return self._value((scores.exp() if self._certain else scores).expand(*targets.shape, -1), targets)

    def right(self, piece: Piece) -> float:
        """Share of the part's training items predicted right; of numbers, to half a deviation."""
        here = self._items(piece)
        outputs, targets = outputs_of(self._model, here.inputs), here.targets.cpu()
        if targets.is_floating_point():
            return float(((outputs - targets).abs() <= 0.5 * self._spread).double().mean())
        asked = targets >= 0
        return float((self._task.predictions(outputs) == targets)[asked].double().mean())

    def _items(self, piece: Piece) -> Batch:
        """Some of a part's items; of a context, with the targets of its new positions alone."""
        chosen = take(self._train, piece.rows[:MOST])
        return chosen if piece.span is None else _only(chosen, piece.span)

    def _value(self, outputs: Tensor, targets: Tensor) -> float:
        return float(self._loss(outputs.to(self._device), targets.to(self._device)))


def _in_validation(piece: Piece, pieces: Sequence[Piece], said: Tensor, targets: Tensor) -> InVal | None:
    """What validation items of a class are taken for."""
    label = -1 if piece.label is None else piece.label
    rows = torch.eq(targets, label)
    if not bool(rows.any()):
        return None
    decided = said[rows]
    usual = int(decided.mode().values)
    names = {other.label: other.name for other in pieces}
    return InVal(
        items=int(rows.sum()),
        right=wilson(float(torch.eq(decided, label).sum()), len(decided)),
        taken_for=names.get(usual, str(usual)),
        share=float((decided == usual).double().mean()),
    )
