"""One optimizer step of many models: forward, backward, penalties, clipping, update; as `Stepper` does for one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.training.constants import Constants, wide
from recipe.training.learner import Learner
from recipe.training.optimizers import decayed_names
from recipe.training.regularizers import Loss
from recipe.training.replay import Replay
from recipe.training.stack import Stack
from recipe.training.stacked_draws import Draws
from recipe.training.stacked_loss import StackedLoss
from recipe.training.stacked_update import StackedUpdate
from recipe.training.step import Stepper
from recipe.tree import Tree, map_tree


class StackedStepper:
    """learners: alike but for their numbers. seeds: of their steps. loss: without smoothing.

    shared: inputs and targets (B, ...) are the same for all models; else they are (K, B, ...).
    """

    def __init__(self, learners: Sequence[Learner], seeds: Sequence[int], loss: Loss, *, shared: bool) -> None:
        self.learners, self.shared = list(learners), shared
        self.constants = Constants(learners[0].device)
        self.draws = Draws(seeds, learners[0].device, self.constants)
        self.stack = Stack([learner.model for learner in learners], self.draws)
        # Each model's own: its average, its count of clipped steps. They live in the stack's memory.
        self.singles = [Stepper(learner) for learner in learners]
        self.update = StackedUpdate(self.stack.parameters, self.stack.models, [one.optimizer for one in learners])
        self.loss = StackedLoss(loss, self._amounts("label_smoothing"), self.constants)
        decayed = decayed_names(learners[0].model)
        self._weights = [n in decayed and t for n, t in zip(self.stack.names, self.stack.trained, strict=True)]
        self.draws.needed = self.draws.needed or any(self._amounts("input_noise"))
        self.going = torch.ones(len(self.learners), dtype=torch.bool, device=learners[0].device)
        self.replay = Replay(self.stack.python)

    def __call__(self, step: int, inputs: Tree, targets: Tensor) -> Tensor:
        """Backward of step `step`; the data losses (K). `apply` then takes the step."""
        self.draws.step(step)
        self.update.read()
        return self._backward(inputs, targets)

    @torch.no_grad()
    def apply(self, alive: Tensor | None = None) -> None:
        """Penalties, clipping and the update. alive: (K) bool; the weights of the others stay as they are."""
        self._update(alive)
        self._average()

    def take(self, step: int, inputs: Tree, targets: Tensor) -> Tensor:
        """Step `step` on a device, without waiting for it: the data losses (K).

        A model whose loss is no number stays as it is from there on (`going`).
        """
        self.draws.step(step)
        if self.update.read():
            self.replay.forget()
        if self.going.device.type == "cuda" and self.update.in_tensors:
            losses = self.replay(self._unasked, inputs, targets).clone()
        else:
            losses = self._unasked(inputs, targets)
        self._average()
        return losses

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on."""
        self.replay.forget()
        self.going = self.going[list(places)]
        self.learners = [self.learners[place] for place in places]
        self.singles = [self.singles[place] for place in places]
        self.stack.keep(places)
        self.update.keep(places)
        self.loss.keep(places)

    def _unasked(self, inputs: Tree, targets: Tensor) -> Tensor:
        """Backward and update, of which nothing is fetched from the device."""
        losses = self._backward(inputs, targets)
        self.going &= torch.isfinite(losses)
        with torch.no_grad():
            self._update(self.going)
        return losses

    def _backward(self, inputs: Tree, targets: Tensor) -> Tensor:
        shared, noise = self.shared, self._amounts("input_noise")
        if shared:
            targets = targets.expand(len(self.stack), *targets.shape)
        self.draws.restart()
        if any(noise):
            inputs, shared = map_tree(lambda leaf: self._noisy(leaf, noise), inputs), False
        for parameter in self.stack.parameters:
            parameter.grad = None
        losses = self.loss(self.stack.forward(inputs, shared=shared), targets)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        return losses.detach()

    def _update(self, alive: Tensor | None) -> None:
        self._penalize()
        self._clip()
        self.update.step(self.stack.parameters, alive)
        self._limit_norms()

    def _average(self) -> None:
        for single in self.singles:
            if single.average is not None:
                single.average.update()

    def _amounts(self, name: str) -> list[float]:
        return [float(getattr(learner.regularizers, name) or 0.0) for learner in self.learners]

    def _noisy(self, leaf: Tensor, amounts: Sequence[float]) -> Tensor:
        every = leaf.expand(len(self.stack), *leaf.shape) if self.shared else leaf
        return every + self.draws.noise(every, amounts) if leaf.is_floating_point() else every

    def _penalize(self) -> None:
        """L1 on the weights, through its gradient."""
        amounts = self._amounts("l1")
        if any(amounts):
            for parameter, penalized in zip(self.stack.parameters, self._weights, strict=True):
                if penalized and parameter.grad is not None:
                    parameter.grad.addcmul_(self.constants.wide(amounts, parameter), parameter.sign())

    def _clip(self) -> None:
        """Each model's whole gradient has at most its norm, as torch's clip_grad_norm_ has it."""
        limits = [learner.clip_norm or 0.0 for learner in self.learners]
        if not any(limits):
            return
        gradients = [p.grad for p in self.stack.parameters if p.grad is not None]
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
        most = self.constants([limit or float("inf") for limit in limits], norms.dtype)
        scale = (most / (norms + 1e-6)).clamp(max=1.0).nan_to_num(1.0)
        for gradient in gradients:
            gradient.mul_(wide(scale, gradient))
        for single, over in zip(self.singles, norms > most, strict=True):
            single.clipped.add_(over)

    def _limit_norms(self) -> None:
        """Max-norm of the incoming weights of each unit, as `Tensor.renorm_` does it."""
        amounts = self._amounts("max_norm")
        if not any(amounts):
            return
        for parameter, limited in zip(self.stack.parameters, self._weights, strict=True):
            if limited:
                norms = parameter.flatten(2).norm(dim=2)
                most = self.constants.wide([amount or float("inf") for amount in amounts], norms)
                scale = torch.where(norms > most, most / (norms + 1e-7), torch.ones_like(norms))
                parameter.mul_(scale.view(*scale.shape, *[1] * (parameter.ndim - 2)))
