"""One optimizer step: forward, backward, clip, update."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from recipe.record.refusal import Refusal
from recipe.training.average import Average
from recipe.training.batch import Batch
from recipe.training.dropouts import ActivationPenalty
from recipe.training.group import Group
from recipe.training.learner import PRECISIONS, Learner
from recipe.training.optimizers import bare_step, decayed_names, shrink
from recipe.tree import map_tree


class Watcher(Protocol):
    """Two moments of every step. At the first, gradients are unscaled and not yet clipped."""

    def after_backward(self, step: int, learner: Learner) -> None:
        """Gradients are there, weights are as before."""

    def after_step(self, step: int, learner: Learner) -> None:
        """Weights are updated, gradients still there."""


@runtime_checkable
class Remembers(Protocol):
    """A watcher with a memory, which a run that goes on from a checkpoint has to have again."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain numbers."""

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""


class NonFinite(Exception):  # noqa: N818 - it ends a run as StopIteration ends a loop
    """The data loss of optimizer step `step` is no number; the weights are those from which it was computed."""

    def __init__(self, step: int, value: float, batches: Sequence[Batch]) -> None:
        super().__init__(value)
        self.step, self.value, self.batches = step, value, batches


class Stepper:
    """Takes steps with a learner and keeps what lives between them: loss scale, average, count of clipped steps."""

    def __init__(self, learner: Learner, watchers: Sequence[Watcher] = ()) -> None:
        self.learner, self.watchers, self.group = learner, watchers, Group.current()
        self.model, self.optimizer, self.loss = learner.model, learner.optimizer, learner.loss
        self.regularizers = given = learner.regularizers
        self.average = Average(self.model, given.ema) if given.ema else None
        self.activations = ActivationPenalty(self.model) if given.activation_l1 else None
        self.trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        decayed = decayed_names(self.model)
        self.weights = [p for name, p in self.model.named_parameters() if name in decayed and p.requires_grad]
        self.shrinks = any(group.get("shrink") for group in self.optimizer.param_groups)
        self.kind = PRECISIONS[learner.precision]
        self.scaler = torch.amp.GradScaler(learner.device.type) if learner.precision == "fp16" else None
        self.closure = _needs_closure(self.optimizer)
        self._update = bare_step(self.optimizer)
        if self.closure and self.scaler is not None:
            raise Refusal(
                "this optimizer cannot scale its loss", where="train.precision", fix="train.precision=float32"
            )
        # Fused kernels leave the weights alone once `found_inf` is set: no synchronisation, yet nothing gets lost.
        self.frozen: Tensor | None = None
        if _fetching_waits(learner.device) and self.scaler is None and self.optimizer.param_groups[0].get("fused"):
            self.frozen, self._one = torch.zeros((), device=learner.device), torch.ones((), device=learner.device)
            self.optimizer.found_inf = self.frozen  # type: ignore[attr-defined]
        self.checks = self.frozen is None
        self.clipped: Tensor = torch.zeros((), device=learner.device)

    def __call__(self, step: int, batches: Sequence[Batch], reseed: Callable[[], None]) -> float | Tensor:
        """Takes optimizer step `step` on its batches; the data loss as a number, or as a tensor if `checks` is off."""
        if self.closure:
            return self._closed(step, batches, reseed)
        self._forget()
        value = self._backward(step, batches)
        self._gradients(step)
        if self.scaler is not None:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self._update()
        self._after(step)
        return value

    def data_loss(self, batch: Batch) -> Tensor:
        """Loss of one batch without penalties, in the learner's precision and layout."""
        learner = self.learner
        if learner.lesson is not None:
            learner.lesson.turn(batch)
        if learner.channels_last:
            batch = batch._replace(inputs=map_tree(_channels_last, batch.inputs))
        try:
            with self.autocast():
                if learner.step is not None:
                    return learner.step(learner.forward, batch, self.loss)
                if self.regularizers.mixes:
                    return self.regularizers.mixed_loss(learner.forward, batch.inputs, batch.targets, self.loss)
                return self.loss(learner.forward(batch.inputs), batch.targets)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            why = "a batch norm cannot train on a single example"
            raise Refusal(why, where="train.batch_size", fix="train.batch_size=2, or another norm") from error

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision, if asked for."""
        if self.kind is None:
            return nullcontext()
        return torch.autocast(self.learner.device.type, dtype=self.kind)

    def close(self) -> None:
        """Leaves the model and the optimizer as they were found, but for the training."""
        if self.activations is not None:
            self.activations.close()
        if self.frozen is not None:
            del self.optimizer.found_inf  # type: ignore[attr-defined]

    def _forget(self) -> None:
        """zero_grad without its profiling, which costs as much as a small layer."""
        for parameter in self.trained:
            parameter.grad = None

    def _backward(self, step: int, batches: Sequence[Batch], first: bool = True) -> float | Tensor:
        """Gradients of the mean loss over all items of the batches; the data loss as `__call__` returns it."""
        items = sum(len(batch.index) for batch in batches)
        if self.group is None:
            total = self._backward_of(batches, items)
        else:
            parts = [part for batch in batches if (part := self.group.part(batch))]
            with self.group.own_random_numbers(self.learner.device):
                total = self._backward_of(parts, items)
            summed = self.group.add_up(self.trained, total)
            total = summed.item() if self.checks else summed
        if first and isinstance(total, float) and not math.isfinite(total):
            raise NonFinite(step, total, batches)
        if self.frozen is not None and isinstance(total, Tensor):
            # one kernel, where comparing and joining would be five: sets `frozen` to 1, leaves the loss as it is
            torch._amp_foreach_non_finite_check_and_unscale_([total], self.frozen, self._one)
        return total

    def _backward_of(self, batches: Sequence[Batch], items: int) -> float | Tensor:
        """What these batches add to the gradients of the mean over `items`, and to the data loss."""
        total: float | Tensor = 0.0
        for batch in batches:
            loss = self.data_loss(batch)
            if loss.ndim or not loss.requires_grad:
                raise _not_a_loss(loss)
            value: float | Tensor = loss.item() if self.checks else loss.detach()
            loss = self._penalized(loss)
            if len(batch.index) < items:
                share = len(batch.index) / items
                loss, value = loss * share, value * share
            if self.scaler is not None:
                loss = self.scaler.scale(loss)
            loss.backward()  # type: ignore[no-untyped-call]
            total = total + value if len(batches) > 1 else value
        return total

    def _penalized(self, loss: Tensor) -> Tensor:
        """Data loss and what is added to it: L1 on weights, L1 on activations."""
        if self.regularizers.l1:
            loss = loss + self.regularizers.l1 * torch.stack([w.abs().sum() for w in self.weights]).sum()
        if self.activations is not None:
            loss = loss + (self.regularizers.activation_l1 or 0.0) * self.activations.collect()
        return loss

    def _gradients(self, step: int) -> None:
        """Watchers, noise, clipping and decay, on true gradients."""
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        for watcher in self.watchers:
            watcher.after_backward(step, self.learner)
        if self.regularizers.gradient_noise:
            self.regularizers.add_gradient_noise(self.trained)
        limit = self.learner.clip_norm
        if limit:
            self.clipped = self.clipped + (nn.utils.clip_grad_norm_(self.trained, limit) > limit)
        if self.shrinks:
            shrink(self.optimizer, self.frozen)

    def _after(self, step: int) -> None:
        if self.regularizers.max_norm:
            self.regularizers.limit_norms(self.weights)
        if self.average is not None:
            self.average.update()
        for watcher in self.watchers:
            watcher.after_step(step, self.learner)

    def _closed(self, step: int, batches: Sequence[Batch], reseed: Callable[[], None]) -> float | Tensor:
        """For optimizers that evaluate a step several times: each evaluation draws the same random numbers.

        Only the first must be finite: a line search may look too far and come back.
        """
        values: list[float | Tensor] = []

        def evaluate() -> float:
            reseed()
            self._forget()
            values.append(self._backward(step, batches, first=not values))
            if len(values) == 1:
                self._gradients(step)
            return float(values[-1])

        self.optimizer.step(evaluate)
        self._after(step)
        return values[0]


def _needs_closure(optimizer: torch.optim.Optimizer) -> bool:
    """L-BFGS and whatever else cannot step without one."""
    parameter = inspect.signature(optimizer.step).parameters.get("closure")
    return isinstance(optimizer, torch.optim.LBFGS) or (
        parameter is not None and parameter.default is inspect.Parameter.empty
    )


def _fetching_waits(device: torch.device) -> bool:
    """Whether reading a number from the device makes this process wait for all that was asked of it before."""
    return device.type != "cpu"


def _not_a_loss(loss: Tensor) -> Refusal:
    if loss.ndim:
        what, fix = (
            f"the loss has shape {tuple(loss.shape)}, not one number",
            "average over the batch (reduction='mean')",
        )
    else:
        what, fix = (
            "the loss does not depend on the weights",
            "keep .detach(), .item() and torch.no_grad() out of its way",
        )
    return Refusal(what, where="loss", fix=fix)


def _channels_last(leaf: Tensor) -> Tensor:
    return leaf.contiguous(memory_format=torch.channels_last) if leaf.ndim == 4 else leaf
