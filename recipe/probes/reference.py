"""The net's own short training, which several probes look at: run once, when the first of them asks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from recipe.losses import Loss
from recipe.probes.probe import copied, feed_on, outputs_of, plain_learner, sample, spread_rows, take
from recipe.record.history import History
from recipe.tasks.task import Task
from recipe.training.batch import Batch
from recipe.training.feed import Feed
from recipe.training.loop import fit
from recipe.training.seeding import derive

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients
    from recipe.training.learner import Learner

LOOKS = 50
"""How often the net is asked for its predictions on the way."""
WATCHED = 64
"""Items that it is asked about, as many of each class as there is room for."""
EARLY = 30
"""After so many steps the net is kept as it is, to be looked into."""
NUMBERS = ("regression", "autoencoder")
"""Tasks whose outputs are values, not probabilities."""


class Reference:
    """One training of the skeleton on a sample of train, with its predictions on fixed items of val along the way.

    It is a function of ingredients, seed and sizes alone: a stage that goes on after an interruption gets the same one.
    """

    def __init__(self, ingredients: Ingredients, seed: int, *, steps: int, items: int, val_items: int) -> None:
        self.ingredients, self.seed, self.steps = ingredients, seed, steps
        self._items, self._val_items = items, val_items
        self._watch = _Watch(ingredients.task, ingredients.loss)

    @cached_property
    def train(self) -> Batch:
        """The training items."""
        return sample(self.ingredients, "train", self._items)

    @cached_property
    def val(self) -> Batch:
        """The validation items."""
        return sample(self.ingredients, "val", self._val_items)

    @cached_property
    def watched(self) -> Batch:
        """The validation items whose predictions are followed."""
        return take(self.val, spread_rows(self.val.targets.cpu(), WATCHED, self.seed))

    @property
    def numbers(self) -> bool:
        """Whether the outputs are values, not probabilities."""
        return self.ingredients.task.name in NUMBERS

    @property
    def model(self) -> nn.Module:
        """The net after its training."""
        return self._ran[0]

    @property
    def history(self) -> History:
        """How the training went."""
        return self._ran[1]

    @property
    def looks(self) -> list[Look]:
        """The watched items from the untrained net to the last one, as long as predictions are finite."""
        assert self._ran
        return self._watch.looks

    @cached_property
    def early(self) -> nn.Module:
        """The net after EARLY steps, for which the whole training need not have run."""
        if "_ran" not in self.__dict__ and self.steps > EARLY:
            learner = plain_learner(self.ingredients, self.seed)
            fit(learner, self._feed(), steps=EARLY, seed=derive(self.seed, "steps"))
            return learner.model
        assert self._ran
        return self._watch.early

    @cached_property
    def _ran(self) -> tuple[nn.Module, History]:
        learner = plain_learner(self.ingredients, self.seed)
        self._watch.begin(learner.model, self.watched, max(1, self.steps // LOOKS))
        seed = derive(self.seed, "steps")
        return learner.model, fit(learner, self._feed(), steps=self.steps, seed=seed, watchers=(self._watch,))

    def _feed(self) -> Feed:
        size = self.ingredients.config["train"]["batch_size"]
        return feed_on(self.train, batch_size=size, seed=self.seed, device=self.ingredients.device)


class Look(NamedTuple):
    """What the net said of the watched items after `step` steps, N of them.

    truth: (N,) the probability of the true class, or of numbers how far off they are in deviations of the target. said:
    (N, ...) what was decided for. right: (N,) share of an item that is right. loss: of all of them.
    """

    step: int
    truth: Tensor
    said: Tensor
    right: Tensor
    loss: float


def look(task: Task, loss: Loss, outputs: Tensor, watched: Batch, step: int) -> Look | None:
    """The outputs (on the CPU) as they are judged; None when they are not finite. Negative targets are left out."""
    if not bool(outputs.isfinite().all()):
        return None
    value, targets = float(loss(outputs.to(watched.targets.device), watched.targets)), watched.targets.cpu()
    if task.name in NUMBERS:
        spread, middle = targets.double().std(dim=0).clamp(min=1e-12), targets.double().mean(dim=0)
        away = ((outputs.double() - targets) / spread).flatten(1)
        return Look(step, away.mean(1), outputs > middle, (away.abs() <= 0.5).double().mean(1), value)
    chances, said = task.probabilities(outputs).double(), task.predictions(outputs)
    if chances.ndim > targets.ndim:
        # classes are the last axis, and every other number a prediction of its own
        chances = chances.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    else:
        chances = torch.where(targets > 0.5, chances, 1 - chances)
    asked = (targets >= 0).reshape(len(targets), -1).double()
    count = asked.sum(1).clamp(min=1)
    truth, right = ((part.reshape(len(targets), -1) * asked).sum(1) / count for part in (chances, said == targets))
    return Look(step, truth, torch.where(targets >= 0, said, 0), right, value)


class _Watch:
    """Asks for predictions every few steps. Evaluation draws no random numbers, so that the training stays the same."""

    def __init__(self, task: Task, loss: Loss) -> None:
        self._task, self._loss = task, loss
        self.looks: list[Look] = []

    def begin(self, model: nn.Module, watched: Batch, every: int) -> None:
        """The untrained net first."""
        self._watched, self._every = watched, every
        self.looks = []
        self.early = model
        self._look(model, 0)

    def after_backward(self, step: int, learner: Learner) -> None:
        """Nothing to see here."""

    def after_step(self, step: int, learner: Learner) -> None:
        """Looks, and keeps the net once it is as old as EARLY."""
        if step + 1 == EARLY:
            self.early = copied(learner.model)
        if (step + 1) % self._every == 0:
            self._look(learner.model, step + 1)

    def _look(self, model: nn.Module, step: int) -> None:
        with torch.random.fork_rng(devices=[]):
            found = look(self._task, self._loss, outputs_of(model, self._watched.inputs), self._watched, step)
        if found is not None:
            self.looks.append(found)
