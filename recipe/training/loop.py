"""The one training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import torch

from recipe.record.history import History
from recipe.record.progress import Progress, Silent
from recipe.training.allocator import keep_freed_memory
from recipe.training.checkpoint import Checkpoint
from recipe.training.diagnostics import Diagnostics
from recipe.training.early_stopping import EarlyStopping
from recipe.training.feed import Feed
from recipe.training.learner import Learner
from recipe.training.nonfinite import explain
from recipe.training.recording import Evaluate, Recording, StopWhen
from recipe.training.seeding import Counter, set_seeds
from recipe.training.step import NonFinite, Stepper, Watcher

__all__ = ["Watcher", "fit"]

FLUSH = 100
"""Steps after which losses are fetched from a device, where fetching each would make it wait."""


def fit(
    learner: Learner,
    feed: Feed,
    *,
    steps: int,
    seed: int,
    evaluate: Evaluate | None = None,
    evaluate_every: int | None = None,
    early_stopping: EarlyStopping | None = None,
    watchers: Sequence[Watcher] = (),
    sample_every: int = 50,
    checkpoint: Checkpoint | None = None,
    progress: Progress | None = None,
    stop_when: StopWhen | None = None,
    enough: Callable[[], bool] | None = None,
) -> History:
    """Trains for `steps` optimizer steps and returns what happened; the model ends with the weights that are kept.

    evaluate(model) is called every `evaluate_every` steps (None: once an epoch) and after the last one, with averaged
    weights if there are such. Random numbers of a step depend on (seed, step) alone and batches on the feed's
    (seed, epoch, index), so that a run that goes on from `checkpoint` ends in the same bytes. enough() is asked after
    each step: once it is true the run ends there. A run that is asked so leaves a checkpoint from which it can go on.
    """
    keep_freed_memory()
    progress = progress or Silent()
    run = _Run(learner, feed, seed, watchers, sample_every, early_stopping)
    record = run.record
    every = evaluate_every or max(1, round(record.steps_per_epoch))
    start = record.resume(checkpoint, progress)
    bar = progress.bar("train", steps)
    record.draw(bar, start)
    try:
        for done in run.steps(start, steps):
            if evaluate is not None and (done % every == 0 or done == steps):
                run.reseed(-done)
                record.evaluated(done, evaluate, stop_when)
                learner.model.train()
            record.tick(bar, done, steps, checkpoint)
            if enough is not None and (done == steps or enough()):
                record.leave(done, checkpoint, told=done < steps)
    except NonFinite as bad:
        record.cut(bad.step)
        record.stopped = explain(bad, run.stepper)
    finally:
        run.close()
        bar.done()
    return record.history()


class _Run:
    """Takes the steps: batches, rate and random numbers of each are addressed by its number."""

    def __init__(
        self,
        learner: Learner,
        feed: Feed,
        seed: int,
        watchers: Sequence[Watcher],
        sample_every: int,
        early_stopping: EarlyStopping | None,
    ) -> None:
        self.learner, self.feed = learner, feed
        self.diagnostics = Diagnostics(learner.model, sample_every)
        self.stepper = Stepper(learner, (self.diagnostics, *watchers))
        per_epoch = feed.steps_per_epoch / learner.accumulate
        self.record = Recording(learner, self.stepper, self.diagnostics, early_stopping, steps_per_epoch=per_epoch)
        learner.schedule.bind(learner.optimizer)
        self._count = Counter(seed, "step")
        self._device = torch.cuda.default_generators[feed.device.index or 0] if feed.device.type == "cuda" else None

    def steps(self, start: int, steps: int) -> Iterator[int]:
        """Takes one step after the other; yields how many are done."""
        learner, record, stepper = self.learner, self.record, self.stepper
        optimizer, size = learner.optimizer, learner.accumulate
        batches = self.feed.batches(start * size)
        learner.model.train()
        for step in range(start, steps):
            if record.stopped:
                self._look_back()
                return
            taken = list(islice(batches, size))
            rate = learner.schedule.apply(optimizer, step, steps, record.steps_per_epoch)
            self.reseed(step)
            self.diagnostics.before_step(step)
            record.step(stepper(step, taken, self.again), rate)
            if not stepper.checks and ((step + 1) % FLUSH == 0 or step + 1 == steps):
                self._look_back()
            yield step + 1

    def reseed(self, count: int) -> None:
        """Random numbers of a step (below zero: of an evaluation); for a user's step also numpy's and Python's."""
        self._now = count
        seed = self._count(count)
        torch.default_generator.manual_seed(seed)
        if self._device is not None:
            self._device.manual_seed(seed)
        if self.learner.step is not None:
            set_seeds(seed)

    def again(self) -> None:
        """The random numbers of this step from their beginning."""
        self.reseed(self._now)

    def close(self) -> None:
        """Detaches from the model and the optimizer, however the run ended."""
        self.diagnostics.close()
        self.stepper.close()

    def _look_back(self) -> None:
        """Where steps are not checked one by one: the first bad loss since the last look ends the run."""
        step = self.record.settle()
        if step is not None:
            size = self.learner.accumulate
            batches = list(islice(self.feed.batches(step * size), size))
            raise NonFinite(step, self.record.losses[step], batches)
