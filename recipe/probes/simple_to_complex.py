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
MOST = 512
"""Items of a part that it is measured on."""


class Piece(NamedTuple):
    """A part: its training rows and, for classes, the label. length: of the context, for sequences."""

    name: str
    rows: Tensor
    label: int | None = None
    length: int | None = None


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
        return "context", _contexts(train)
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


def _contexts(train: Batch) -> list[Piece]:
    """Every item, its first quarter of positions first."""
    if not isinstance(train.inputs, Tensor) or train.targets.ndim < 2:
        raise CannotMeasure("these sequences cannot be shortened")
    whole = train.targets.shape[1]
    lengths = sorted({max(1, whole * k // STEPS) for k in range(1, STEPS + 1)})
    rows = torch.arange(len(train.targets))
    starts = [0, *lengths]
    return [
        Piece(f"positions {low + 1} to {high}", rows, length=high) for low, high in zip(starts, lengths, strict=False)
    ]


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
        length = present[-1].length
        if length is not None:
            return Batch(self._train.inputs[:, :length], self._train.targets[:, :length], self._train.index)
        return take(self._train, torch.cat([piece.rows for piece in present]).sort().values)

    def learnt(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The share of the way, by the part's training items."""
        here = self._items(piece)
        targets = here.targets.cpu()
        reached = self._value(piece, outputs_of(self._model, here.inputs), targets)
        chance = self.chance(piece, present)
        return (chance - reached) / max(chance - (self._task.lowest_loss(self._loss, targets) or 0.0), 1e-12)

    def chance(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The loss of the part for the best constant prediction over all parts that are there."""
        targets, known = self._items(piece).targets.cpu(), self.items_of(present).targets.cpu()
        if known.is_floating_point():
            return self._value(piece, known.mean(dim=0, keepdim=True).expand_as(targets), targets)
        counts = torch.bincount(known.reshape(-1), minlength=self._width).double()
        scores = (counts / counts.sum()).log().clamp(min=ABSENT).float()
        return self._value(piece, (scores.exp() if self._certain else scores).expand(*targets.shape, -1), targets)

    def right(self, piece: Piece) -> float:
        """Share of the part's training items predicted right; of numbers, to half a deviation."""
        here = self._items(piece)
        outputs, targets = outputs_of(self._model, here.inputs), here.targets.cpu()
        if targets.is_floating_point():
            return float(((outputs - targets).abs() <= 0.5 * self._spread).double().mean())
        return float((self._task.predictions(outputs) == targets).double().mean())

    def _items(self, piece: Piece) -> Batch:
        """Some of a part's items, as they are fed."""
        chosen = take(self._train, piece.rows[:MOST])
        if piece.length is None:
            return chosen
        return Batch(chosen.inputs[:, : piece.length], chosen.targets[:, : piece.length], chosen.index)

    def _value(self, piece: Piece, outputs: Tensor, targets: Tensor) -> float:
        """The loss of the part alone: of a context, of its new positions."""
        if piece.length is not None:
            new = max(1, self._train.targets.shape[1] // STEPS)
            outputs, targets = outputs[:, -new:], targets[:, -new:]
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
        right=float(torch.eq(decided, label).double().mean()),
        taken_for=names.get(usual, str(usual)),
        share=float((decided == usual).double().mean()),
    )
