"""B16: one net that starts with two classes (or the easiest part of another task) and is given the rest step by step.

Every step takes as many optimizer steps as the first. What was added counts as learnt by how far its own training
items got from a blind guess among the parts that are there; classes are also looked up in validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from recipe.intervals import wilson
from recipe.probes.parts_of_task import Piece, parted, positions, sizes_of
from recipe.probes.probe import feed_on, outputs_of, plain_learner, sample, take
from recipe.record.evidence import CannotMeasure
from recipe.record.learning import InVal, Part, SimpleToComplex
from recipe.training.batch import Batch
from recipe.training.loop import fit
from recipe.training.regularizers import Loss
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients

ABSENT = -30.0
"""Log-probability of a class that is not there yet."""
MOST = 512
"""Items of a part that it is measured on."""


def measure_simple_to_complex(
    ingredients: Ingredients, seed: int, *, steps: int, items: int, val_items: int
) -> SimpleToComplex:
    """The user's optimizer throughout. steps: of each step."""
    train, val = sample(ingredients, "train", items), sample(ingredients, "val", val_items)
    unit, pieces = parted(ingredients, train)
    sizes = sizes_of(unit, len(pieces))
    learner = plain_learner(ingredients, seed)
    judge = _Judge(ingredients, train, learner.model)
    batch_size, device = ingredients.config["train"]["batch_size"], ingredients.device
    losses: list[float] = []
    learnt: list[float] = []
    for number, size in enumerate(sizes):
        present = judge.items_of(pieces[:size])
        if unit == "label":
            columns = [piece.column for piece in pieces[:size] if piece.column is not None]
            learner.loss = _Masked(ingredients.loss, judge.blind(train.targets.cpu())[0], columns)
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
                items=len(piece.rows) if piece.fair is None else piece.fair,
                chance=judge.chance(piece, pieces[: sizes[step]]),
                learnt=learnt[k],
                at_last=judge.learnt(piece, pieces),
                right=judge.right(piece),
                val=in_val,
                depth=piece.depth,
            )
        )
    return SimpleToComplex(unit=unit, steps=steps, sizes=sizes, losses=tuple(losses), parts=tuple(found))


class _Masked:
    """The loss while some labels are not there yet: the net says of them how often they occur, and learns nothing."""

    def __init__(self, loss: Loss, said: Tensor, present: Sequence[int]) -> None:
        self._loss, self._said = loss, said
        self._absent = torch.ones_like(said, dtype=torch.bool)
        self._absent[list(present)] = False

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        said, absent = self._said.to(outputs), self._absent.to(outputs.device)
        masked: Tensor = self._loss(torch.where(absent, said, outputs), targets)
        return masked


class _Judge:
    """How far the net has come on a part, from a blind guess among the parts that are there to the lowest loss."""

    def __init__(self, ingredients: Ingredients, train: Batch, model: nn.Module) -> None:
        self._task, self._loss, self._device = ingredients.task, ingredients.loss, ingredients.device
        self._width, self._train, self._model = ingredients.num_outputs, train, model
        self._yes_or_no = self._task.name in ("binary", "multilabel")
        self._spread = train.targets.cpu().double().std(dim=0)
        first = outputs_of(model, take(train, torch.arange(min(8, len(train.targets)))).inputs)
        self._certain = self._task.form(first) == "probabilities"

    def items_of(self, present: Sequence[Piece]) -> Batch:
        """The training items of these parts."""
        span = present[-1].span
        if span is not None:
            return positions(self._train, (0, span[1]))
        if present[-1].column is not None:
            return self._train
        return take(self._train, torch.cat([piece.rows for piece in present]).sort().values)

    def learnt(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The share of the way, by the part's training items."""
        here = self._items(piece)
        targets = here.targets.cpu()
        reached = self._value(outputs_of(self._model, here.inputs), targets, piece)
        chance = self.chance(piece, present)
        return (chance - reached) / max(chance - (self._task.lowest_loss(self._loss, targets) or 0.0), 1e-12)

    def chance(self, piece: Piece, present: Sequence[Piece]) -> float:
        """The loss of the part for the best constant prediction over all parts that are there."""
        targets, known = self._items(piece).targets.cpu(), self.items_of(present).targets.cpu()
        if known.is_floating_point():
            return self._value(self.blind(known).expand_as(targets), targets, piece)
        counts = torch.bincount(known[known >= 0], minlength=self._width).double()
        scores = (counts / counts.sum()).log().clamp(min=ABSENT).float()
        return self._value((scores.exp() if self._certain else scores).expand(*targets.shape, -1), targets, piece)

    def blind(self, known: Tensor) -> Tensor:
        """What is best said of these numbers or yes-or-nos without looking: (1, ...)."""
        prior = self._task.prior_bias(known) if self._yes_or_no and not self._certain else None
        return known.mean(dim=0, keepdim=True) if prior is None else prior[None]

    def right(self, piece: Piece) -> float:
        """Share of the part's training items predicted right; of numbers, to half a deviation."""
        here = self._items(piece)
        outputs, targets = outputs_of(self._model, here.inputs), here.targets.cpu()
        if self._yes_or_no:
            said = torch.eq(self._task.predictions(outputs).reshape(targets.shape), targets)
            return float((said if piece.column is None else said[:, piece.column]).double().mean())
        if targets.is_floating_point():
            return float(((outputs - targets).abs() <= 0.5 * self._spread).double().mean())
        asked = targets >= 0
        return float((self._task.predictions(outputs) == targets)[asked].double().mean())

    def _items(self, piece: Piece) -> Batch:
        """Some of a part's items; of a context, with the targets of its new positions alone."""
        chosen = take(self._train, piece.rows[:MOST])
        return chosen if piece.span is None else positions(chosen, piece.span)

    def _value(self, outputs: Tensor, targets: Tensor, piece: Piece) -> float:
        """The loss; of a label, its own column alone."""
        if piece.column is None:
            return float(self._loss(outputs.to(self._device), targets.to(self._device)))
        column = slice(piece.column, piece.column + 1)
        try:
            return float(self._loss(outputs[:, column].to(self._device), targets[:, column].to(self._device)))
        except (RuntimeError, IndexError, ValueError) as error:
            raise CannotMeasure("this loss cannot be asked about one label alone") from error


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
