"""One optimizer step of many models: forward, backward, penalties, clipping, update; as `Stepper` does for one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.training.learner import Learner
from recipe.training.optimizers import decayed_names
from recipe.training.regularizers import Loss
from recipe.training.stack import Stack
from recipe.training.stacked_draws import Draws
from recipe.training.stacked_loss import StackedLoss
from recipe.training.stacked_update import StackedUpdate
from recipe.training.step import Stepper
from recipe.tree import Tree, map_tree


class StackedStepper:
    """learners: alike but for their numbers. seeds: of their steps. loss: without smoothing."""

    def __init__(self, learners: Sequence[Learner], seeds: Sequence[int], loss: Loss) -> None:
        self.learners = list(learners)
        self.draws = Draws(seeds, learners[0].device)
        self.stack = Stack([learner.model for learner in learners], self.draws)
        # Each model's own: its average, its count of clipped steps. They live in the stack's memory.
        self.singles = [Stepper(learner) for learner in learners]
        self.update = StackedUpdate(self.stack.parameters, self.stack.models, [one.optimizer for one in learners])
        self.loss = StackedLoss(loss, self._amounts("label_smoothing"))
        decayed = decayed_names(learners[0].model)
        self._weights = [n in decayed and t for n, t in zip(self.stack.names, self.stack.trained, strict=True)]
        self.draws.needed = self.draws.needed or any(self._amounts("input_noise"))

    def __call__(self, step: int, inputs: Tree, targets: Tensor, *, shared: bool) -> Tensor:
        """Backward of step `step`; the data losses (K). `apply` then takes the step.

        shared: inputs and targets (B, ...) are the same for all models; else they are (K, B, ...).
        """
        self.draws.step(step)
        if shared:
            targets = targets.expand(len(self.stack), *targets.shape)
        noise = self._amounts("input_noise")
        if any(noise):
            inputs, shared = map_tree(lambda leaf: self._noisy(leaf, noise, shared), inputs), False
        for parameter in self.stack.parameters:
            parameter.grad = None
        losses = self.loss(self.stack.forward(inputs, shared=shared), targets)
        losses.sum().backward()  # type: ignore[no-untyped-call]
        return losses.detach()

    @torch.no_grad()
    def apply(self, alive: Tensor | None = None) -> None:
        """Penalties, clipping and the update. alive: (K) bool; the weights of the others stay as they are."""
        self._penalize()
        self._clip()
        self.update.step(self.stack.parameters, alive)
        self._limit_norms()
        for single in self.singles:
            if single.average is not None:
                single.average.update()

    def keep(self, places: Sequence[int]) -> None:
        """Only these models go on."""
        self.learners = [self.learners[place] for place in places]
        self.singles = [self.singles[place] for place in places]
        self.stack.keep(places)
        self.update.keep(places)
        self.loss.keep(places)

    def _amounts(self, name: str) -> list[float]:
        return [float(getattr(learner.regularizers, name) or 0.0) for learner in self.learners]

    def _wide(self, amounts: Sequence[float], like: Tensor) -> Tensor:
        return like.new_tensor(list(amounts)).view(-1, *[1] * (like.ndim - 1))

    def _noisy(self, leaf: Tensor, amounts: Sequence[float], shared: bool) -> Tensor:
        every = leaf.expand(len(self.stack), *leaf.shape) if shared else leaf
        return every + self.draws.noise(every, amounts) if leaf.is_floating_point() else every

    def _penalize(self) -> None:
        """L1 on the weights, through its gradient."""
        amounts = self._amounts("l1")
        if any(amounts):
            for parameter, penalized in zip(self.stack.parameters, self._weights, strict=True):
                if penalized and parameter.grad is not None:
                    parameter.grad.addcmul_(self._wide(amounts, parameter), parameter.sign())

    def _clip(self) -> None:
        """Each model's whole gradient has at most its norm, as torch's clip_grad_norm_ has it."""
        limits = [learner.clip_norm or 0.0 for learner in self.learners]
        if not any(limits):
            return
        gradients = [p.grad for p in self.stack.parameters if p.grad is not None]
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
        most = norms.new_tensor([limit or float("inf") for limit in limits])
        scale = (most / (norms + 1e-6)).clamp(max=1.0).nan_to_num(1.0)
        for gradient in gradients:
            gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))
        for single, over in zip(self.singles, norms > most, strict=True):
            single.clipped = single.clipped + over

    def _limit_norms(self) -> None:
        """Max-norm of the incoming weights of each unit, as `Tensor.renorm_` does it."""
        amounts = self._amounts("max_norm")
        if not any(amounts):
            return
        for parameter, limited in zip(self.stack.parameters, self._weights, strict=True):
            if limited:
                norms = parameter.flatten(2).norm(dim=2)
                most = self._wide([amount or float("inf") for amount in amounts], norms)
                scale = torch.where(norms > most, most / (norms + 1e-7), torch.ones_like(norms))
                parameter.mul_(scale.view(*scale.shape, *[1] * (parameter.ndim - 2)))
