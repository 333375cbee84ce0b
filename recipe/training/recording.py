"""What a run has done so far: its history, its best weights, and all that goes into a checkpoint beside the learner."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from recipe.record.history import History, Point, Sample
from recipe.record.plain import from_plain, to_plain
from recipe.record.progress import Bar, Progress
from recipe.training.checkpoint import Checkpoint
from recipe.training.diagnostics import Diagnostics
from recipe.training.early_stopping import EarlyStopping
from recipe.training.learner import Learner
from recipe.training.step import Remembers, Stepper

Evaluate = Callable[[nn.Module], dict[str, dict[str, float]]]
StopWhen = Callable[[Point], str | None]
REDRAW = 0.1
"""Seconds between two drawings of the progress bar."""


class Recording:
    """Losses, rates, points and samples of a run; knows how to go on from a checkpoint."""

    def __init__(
        self,
        learner: Learner,
        stepper: Stepper,
        diagnostics: Diagnostics,
        early_stopping: EarlyStopping | None,
        *,
        steps_per_epoch: float,
    ) -> None:
        self.learner, self.stepper, self.diagnostics = learner, stepper, diagnostics
        self.early_stopping, self.steps_per_epoch = early_stopping, steps_per_epoch
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.points: list[Point] = []
        self.stopped = ""
        self.notes: list[str] = []
        self._best: dict[str, Tensor] = {}
        self._waiting: list[Tensor] = []
        self._drawn, self._shown = 0.0, 0

    def step(self, loss: float | Tensor, rate: float) -> None:
        """One optimizer step was taken; a loss on a device stays there until `settle`."""
        self.rates.append(rate)
        if isinstance(loss, Tensor):
            self._waiting.append(loss)
        else:
            self.losses.append(loss)

    def settle(self) -> int | None:
        """Fetches the losses that are still on the device, at once; the step of the first that is no number."""
        start = len(self.losses)
        if self._waiting:
            self.losses += torch.stack(self._waiting).tolist()
            self._waiting = []
        return next((i for i in range(start, len(self.losses)) if not math.isfinite(self.losses[i])), None)

    def cut(self, step: int) -> None:
        """Forgets what came from step `step` on: the weights did not take it in."""
        self.losses, self.rates = self.losses[:step], self.rates[:step]
        self.points = [point for point in self.points if point.step <= step]
        self.diagnostics.samples = [sample for sample in self.diagnostics.samples if sample.step < step]

    def evaluated(self, step: int, evaluate: Evaluate, stop_when: StopWhen | None) -> None:
        """Evaluates (with averaged weights, if there are such), and decides whether to go on."""
        model, average = self.learner.model, self.stepper.average
        with average.in_place() if average is not None else nullcontext():
            point = Point(step=step, epoch=step / self.steps_per_epoch, metrics=evaluate(model))
            self.points.append(point)
            if self.early_stopping is not None and self.early_stopping.update(point):
                self._best = {name: value.detach().clone() for name, value in model.state_dict().items()}
            if stop_when is not None:
                self.stopped = stop_when(point) or ""
        if "loss" in point.metrics.get("val", {}):
            self.learner.schedule.told(point.metrics["val"]["loss"])
        if not self.stopped and self.early_stopping is not None and self.early_stopping.exhausted:
            self.stopped = "early-stopping"

    def draw(self, bar: Bar, done: int) -> None:
        """Moves the bar, with the newest loss that is here already."""
        bar.advance(done - self._shown, f"loss {self.losses[-1]:.3g}" if self.losses else "")
        self._shown = done

    def tick(self, bar: Bar, done: int, steps: int, checkpoint: Checkpoint | None) -> None:
        """Between two steps: progress and checkpoint, when it is time."""
        now = time.monotonic()
        if now - self._drawn > REDRAW or done == steps or self.stopped:
            self._drawn = now
            self.draw(bar, done)
        if checkpoint is not None and checkpoint.due(done, now):
            self.settle()
            checkpoint.save(done, self.learner, self.extra())

    def leave(self, done: int, checkpoint: Checkpoint | None, *, told: bool) -> None:
        """Ends the run here, in a state from which it can go on. told: before its length."""
        self.settle()
        if checkpoint is not None:
            checkpoint.save(done, self.learner, self.extra())
        if told:
            self.stopped = "told to stop"

    def history(self) -> History:
        """The finished record; the model gets the weights that are kept."""
        kept = len(self.losses)
        if self.early_stopping is not None and self._best:
            self.learner.model.load_state_dict(self._best)
            kept = self.early_stopping.best_step or kept
        elif self.stepper.average is not None:
            self.stepper.average.put()
        limited = self.learner.clip_norm and self.losses
        return History(
            losses=tuple(self.losses),
            rates=tuple(self.rates),
            points=tuple(self.points),
            samples=tuple(self.diagnostics.samples),
            steps_per_epoch=max(1, round(self.steps_per_epoch)),
            stopped=self.stopped or "finished",
            best_step=kept,
            clip_rate=float(self.stepper.clipped) / len(self.losses) if limited else None,
            notes=tuple(self.notes),
        )

    def resume(self, checkpoint: Checkpoint | None, progress: Progress) -> int:
        """Goes on from the newest sound checkpoint; returns the step to take next."""
        if checkpoint is None:
            return 0
        found = checkpoint.load(self.learner)
        self.notes = list(checkpoint.notes)
        for note in self.notes:
            progress.say(note)
        if found is None:
            return 0
        self.restore(found.extra)
        self._shown = found.step
        return found.step

    def extra(self) -> dict[str, Any]:
        """All that the learner's weights and the optimizer's state do not hold."""
        average, scaler, stopping = self.stepper.average, self.stepper.scaler, self.early_stopping
        return {
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "rates": torch.tensor(self.rates, dtype=torch.float64),
            "points": to_plain(self.points),
            "samples": to_plain(self.diagnostics.samples),
            "schedule": self.learner.schedule.state(),
            "stopped": self.stopped,
            "clipped": float(self.stepper.clipped),
            "best": self._best,
            "early_stopping": stopping.state() if stopping is not None else None,
            "average": {"updates": average.updates, "tensors": average.tensors} if average is not None else None,
            "scaler": scaler.state_dict() if scaler is not None else None,
            "watchers": [w.state() for w in self.stepper.watchers if isinstance(w, Remembers)],
        }

    def restore(self, extra: dict[str, Any]) -> None:
        """The inverse of `extra`."""
        self.losses, self.rates = extra["losses"].tolist(), extra["rates"].tolist()
        self.points = from_plain(extra["points"], list[Point])
        self.diagnostics.samples = from_plain(extra["samples"], list[Sample])
        self.learner.schedule.load_state(extra["schedule"])
        self.stopped = extra["stopped"]
        self.stepper.clipped.fill_(extra["clipped"])
        self._best = extra["best"]
        average, scaler, stopping = self.stepper.average, self.stepper.scaler, self.early_stopping
        if stopping is not None and extra["early_stopping"]:
            stopping.load_state(extra["early_stopping"])
        if average is not None and extra["average"]:
            average.load(extra["average"]["tensors"], extra["average"]["updates"])
        if scaler is not None and extra["scaler"]:
            scaler.load_state_dict(extra["scaler"])
        rememberers = [w for w in self.stepper.watchers if isinstance(w, Remembers)]
        for watcher, state in zip(rememberers, extra["watchers"], strict=True):
            watcher.load_state(state)
