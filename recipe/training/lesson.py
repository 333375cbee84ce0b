"""Distillation: a net learns what a teacher says of its inputs, beside the labels (Hinton et al. 2015)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe.training.batch import Batch

Loss = Callable[[Any, Any], Tensor]
TINY = 1e-30


class Lesson:
    """Mixes a loss on the teacher's answers into the learner's own: (1 - hard) · soft + hard · loss(outputs, targets).

    answer(inputs) → probabilities, or values, of a preprocessed batch. kind: "classes" (the last axis is a softmax),
    "yes-no" (each number is a sigmoid) or "numbers", which are learnt by the learner's own loss. known: the answers to
    all items of the training split, (N, ...), where an item's inputs never change; else each batch is asked about as
    the net gets it, augmented and mixed (Beyer et al. 2022: both have to see the same picture).
    """

    def __init__(
        self,
        answer: Callable[[Any], Tensor],
        *,
        kind: str,
        temperature: float,
        hard: float,
        known: Tensor | None = None,
        ignored: int | None = None,
    ) -> None:
        self._answer, self._kind, self._temperature, self._hard = answer, kind, temperature, hard
        self._known, self._ignored = known, ignored
        self._said: Tensor | None = None

    def join(self, learner: Any) -> None:
        """From now on the `Learner` learns from both."""
        learner.lesson, learner.loss = self, self._over(learner.loss)
        if self._known is None:
            learner.forward.register_forward_pre_hook(self._listen)

    def turn(self, batch: Batch) -> None:
        """The batch that comes next."""
        if self._known is not None:
            self._said = self._known[batch.index].to(batch.targets.device)

    def _listen(self, _module: Any, given: tuple[Any, ...]) -> None:
        # Validation asks nothing of the teacher.
        if torch.is_grad_enabled():
            with torch.no_grad(), torch.autocast("cpu", enabled=False):
                self._said = self._answer(given[0])

    def _over(self, own: Loss) -> Loss:
        def loss(outputs: Tensor, targets: Tensor) -> Tensor:
            if self._said is None:
                raise RuntimeError("the teacher was not asked")
            said = self._said.to(outputs.device)
            soft = own(outputs, said) if self._kind == "numbers" else self._soft(outputs, said, targets)
            return (1 - self._hard) * soft + self._hard * own(outputs, targets)

        return loss

    def _soft(self, outputs: Tensor, said: Tensor, targets: Tensor) -> Tensor:
        """T² · KL(teacher ‖ net), both softened by T: its gradients then have the size of those of the labels."""
        t = self._temperature
        if self._kind == "yes-no":
            wanted = (logit(said) / t).sigmoid()
            ours = F.binary_cross_entropy_with_logits(outputs.float() / t, wanted)
            least = F.binary_cross_entropy(wanted, wanted)
            return t * t * (ours - least)
        wanted = (said.clamp(min=TINY).log() / t).softmax(dim=-1)
        ours = (outputs.float() / t).log_softmax(dim=-1)
        each = (torch.xlogy(wanted, wanted) - wanted * ours).sum(dim=-1)
        if self._ignored is not None and each.shape == targets.shape:
            asked = targets != self._ignored
            return t * t * (each * asked).sum() / asked.sum().clamp(min=1)
        return t * t * each.mean()


def logit(probabilities: Tensor) -> Tensor:
    """The inverse of the sigmoid, finite at 0 and 1."""
    p = probabilities.to(torch.float64)
    return (p.clamp(min=TINY).log() - (1 - p).clamp(min=TINY).log()).to(torch.float32)
