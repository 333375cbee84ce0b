"""The training loop for many models at once: what `fit` does for one, step by step and evaluation by evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor

from recipe.record.history import History
from recipe.record.progress import Progress, Silent
from recipe.training.allocator import keep_freed_memory
from recipe.training.batch import Batch
from recipe.training.checkpoint import Checkpoint
from recipe.training.diagnostics import Diagnostics
from recipe.training.early_stopping import EarlyStopping
from recipe.training.feed import Feed
from recipe.training.learner import Learner
from recipe.training.loop import FLUSH
from recipe.training.nonfinite import explain
from recipe.training.recording import REDRAW, Evaluate, Recording, StopWhen
from recipe.training.regularizers import Loss
from recipe.training.stacked_step import StackedStepper
from recipe.training.step import NonFinite
from recipe.tree import Tree


class Run(NamedTuple):
    """One model's training, as `fit` is given it."""

    learner: Learner
    feed: Feed
    seed: int
    early_stopping: EarlyStopping | None = None
    stop_when: StopWhen | None = None


Looks = Callable[[StackedStepper], list[dict[str, dict[str, float]]]]
"""The metrics of every model of the stack, by split."""


def fit_stacked(
    runs: Sequence[Run],
    loss: Loss,
    *,
    steps: int,
    shared: bool,
    ended: Callable[[int, History], None],
    looks: Looks | None = None,
    look_alone: Evaluate | None = None,
    evaluate_every: int = 0,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
) -> None:
    """Trains all runs for `steps` steps; `ended(number, history)` is told of each as it ends, its model then its own.

    loss: without smoothing. shared: all see the same batches. looks: metrics of all; look_alone: of one that is
    evaluated with averaged weights. Both are asked every `evaluate_every` steps and after the last.
    """
    keep_freed_memory()
    course = Course(runs, loss, shared, ended)
    start = course.resume(checkpoint)
    bar = (progress or Silent()).bar("train", steps)
    bar.advance(start)
    drawn = time.monotonic()
    shown = start
    try:
        for done in course.steps(start, steps):
            if looks is not None and (done == steps or (evaluate_every and done % evaluate_every == 0)):
                course.evaluate(done, looks, look_alone)
            now = time.monotonic()
            if now - drawn > REDRAW or done == steps:
                bar.advance(done - shown, f"{len(course.alive)} at once")
                drawn, shown = now, done
            if checkpoint is not None and course.alive and checkpoint.due(done, now):
                course.save(checkpoint, done)
        course.end(range(len(course.alive)))
    finally:
        course.stepper.stack.release()
        bar.done()


class Course:
    """The runs that are under way. alive: their numbers, in the order in which they lie in the stack."""

    def __init__(self, runs: Sequence[Run], loss: Loss, shared: bool, ended: Callable[[int, History], None]) -> None:
        self.runs, self.shared, self.ended = list(runs), shared, ended
        self.alive = list(range(len(runs)))
        learners = [run.learner for run in runs]
        per_epoch = runs[0].feed.steps_per_epoch / learners[0].accumulate
        self.stepper = StackedStepper(learners, [run.seed for run in runs], loss, shared=shared)
        self.records = [
            Recording(
                run.learner, single, Diagnostics(run.learner.model, 0), run.early_stopping, steps_per_epoch=per_epoch
            )
            for run, single in zip(runs, self.stepper.singles, strict=True)
        ]
        for learner in learners:
            learner.schedule.bind(learner.optimizer)
            learner.model.train()
        self._per_epoch = per_epoch
        self.device = learners[0].device
        self._waiting: list[Tensor] = []

    def steps(self, start: int, steps: int) -> Iterator[int]:
        """Takes one step after the other; yields how many are done."""
        batches = self._batches(start)
        width = len(self.alive)
        for step in range(start, steps):
            if not self.alive:
                return
            if len(self.alive) != width:
                batches, width = self._batches(step), len(self.alive)
            inputs, targets, _ = next(batches)
            self._set_rates(step, steps)
            self._take(step, inputs, targets)
            if (step + 1) % FLUSH == 0 or step + 1 == steps:
                self.settle()
            yield step + 1

    def evaluate(self, done: int, looks: Looks, look_alone: Evaluate | None) -> None:
        """Looks at every model; those that are to stop end here."""
        self.settle()
        for place, found in enumerate(looks(self.stepper) if self.alive else []):
            record, run = self.records[self.alive[place]], self.runs[self.alive[place]]
            alone = look_alone if record.stepper.average is not None else None
            record.evaluated(done, alone or _told(found), run.stop_when)
            run.learner.model.train()
        self.end([place for place, number in enumerate(self.alive) if self.records[number].stopped])

    def end(self, places: Sequence[int]) -> None:
        """These are over: their models get the weights that are kept, and what happened is told."""
        over = [self.alive[place] for place in places]
        left = [place for place in range(len(self.alive)) if place not in set(places)]
        if not over:
            return
        if left:
            self.stepper.keep(left)
        else:
            self.stepper.stack.release()
        self.alive = [self.alive[place] for place in left]
        for number in over:
            self.ended(number, self.records[number].history())

    def settle(self) -> None:
        """Where losses wait on a device: fetches them, and ends what has diverged since the last look."""
        if not self._waiting:
            return
        rows = torch.stack(self._waiting).tolist()
        first = len(self.records[self.alive[0]].losses)
        self._waiting = []
        for place, number in enumerate(self.alive):
            self.records[number].losses += [row[place] for row in rows]
        bad = {}
        for place in range(len(self.alive)):
            at = next((i for i, row in enumerate(rows) if not math.isfinite(row[place])), None)
            if at is not None:
                bad[place] = (first + at, rows[at][place])
        self._diverged(bad)

    def save(self, checkpoint: Checkpoint, done: int) -> None:
        """All that is needed to go on."""
        self.settle()
        if self.alive:
            extra = {"alive": list(self.alive), "records": [self.records[n].extra() for n in self.alive]}
            checkpoint.save(done, self._whole(), extra)

    def resume(self, checkpoint: Checkpoint | None) -> int:
        """Goes on from the newest sound checkpoint; returns the step to take next."""
        found = checkpoint.load(self._whole(), self._leave_out) if checkpoint is not None else None
        if checkpoint is None or found is None:
            return 0
        for number, extra in zip(self.alive, found.extra["records"], strict=True):
            self.records[number].restore(extra)
            self.records[number].notes = list(checkpoint.notes)
        return found.step

    def _take(self, step: int, inputs: Tree, targets: Tensor) -> None:
        """The step, with an update but for those whose loss is no number."""
        if self.device.type != "cpu":
            self._waiting.append(self.stepper.take(step, inputs, targets))
            return
        losses = self.stepper(step, inputs, targets)
        numbers = losses.tolist()
        bad = {place: (step, value) for place, value in enumerate(numbers) if not math.isfinite(value)}
        self.stepper.apply(torch.isfinite(losses) if bad else None)
        for place, number in enumerate(self.alive):
            if place not in bad:
                self.records[number].losses.append(numbers[place])
        self._diverged(bad)

    def _diverged(self, bad: dict[int, tuple[int, float]]) -> None:
        """Ends those at these places; the weights are those from which the bad loss was computed."""
        for place, (step, value) in bad.items():
            number = self.alive[place]
            record, run = self.records[number], self.runs[number]
            batch = next(islice(run.feed.batches(step), 1))
            record.cut(step)
            record.stopped = explain(NonFinite(step, value, [batch]), record.stepper)
        self.end(list(bad))

    def _set_rates(self, step: int, steps: int) -> None:
        for number in self.alive:
            learner = self.runs[number].learner
            rate = learner.schedule.apply(learner.optimizer, step, steps, self._per_epoch)
            self.records[number].rates.append(rate)

    def _batches(self, position: int) -> Iterator[tuple[Tree, Tensor, Sequence[Batch]]]:
        feeds = [self.runs[number].feed for number in self.alive]
        if self.shared:
            for batch in feeds[0].batches(position):
                yield batch.inputs, batch.targets, [batch]
            return
        for batches in zip(*(feed.batches(position) for feed in feeds), strict=True):
            yield _together([b.inputs for b in batches]), torch.stack([b.targets for b in batches]), batches

    def _leave_out(self, extra: dict[str, Any]) -> None:
        """Those that were over before the checkpoint: what they came to is on the disk."""
        left = [place for place, number in enumerate(self.alive) if number in extra["alive"]]
        if len(left) < len(self.alive):
            self.stepper.keep(left)
            self.alive = [self.alive[place] for place in left]

    def _whole(self) -> Any:
        return _Whole(self.stepper.stack, self.stepper.update, self.device)


def _told(found: dict[str, dict[str, float]]) -> Evaluate:
    """An evaluation that was made already."""
    return lambda _: found


class _Whole(NamedTuple):
    """The stack as a checkpoint sees a learner."""

    model: Any
    optimizer: Any
    device: torch.device


def _together(trees: Sequence[Tree]) -> Tree:
    """One tree with the models as the first dimension."""
    first = trees[0]
    if isinstance(first, Tensor):
        return torch.stack(list(trees))
    if isinstance(first, dict):
        return {key: _together([tree[key] for tree in trees]) for key in first}
    return tuple(_together(column) for column in zip(*trees, strict=True))
