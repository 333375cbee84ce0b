"""One label of K: outputs (N, K) scores, targets (N,) int64."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe import losses
from recipe.intervals import wilson
from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form
from recipe.tasks.task import distinct, shape_of, zeros_like


def make(targets: Any, classes: Sequence[str] | None) -> Classification:
    """The task with the number of classes that names or targets tell."""
    values = torch.as_tensor(targets)
    return Classification(len(classes) if classes else int(values.max()) + 1)


@dataclass(frozen=True)
class Classification:
    """classes: K, or None to count them in the targets at hand."""

    classes: int | None = None
    name: str = "classification"
    headline: str = "accuracy"
    higher_is_better: bool = True
    default_loss: str = "torch.nn.CrossEntropyLoss"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        count = len(classes) if classes else self._count(targets)
        if count < 2 or len(distinct(targets)) < 2:
            raise Refusal(
                f"there is one class only among {len(targets)} targets", where="target", fix="give two or more"
            )
        return count

    def targets(self, targets: Any) -> Tensor:
        values = torch.as_tensor(targets)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.is_floating_point() or values.is_complex() or values.ndim != 1:
            raise Refusal(
                f"targets are {str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}; "
                "classification needs whole numbers (N,)",
                where="target",
                fix="give class indices 0…K-1 as integers, or say task=regression, binary or multilabel",
            )
        values = values.to(torch.int64)
        limit = self.classes or math.inf
        if len(values) and (int(values.min()) < 0 or int(values.max()) >= limit):
            row = int(((values < 0) | (values >= limit)).nonzero()[0])
            raise Refusal(
                f"the label {int(values[row])} is outside the classes 0…{self.classes - 1 if self.classes else 'K-1'}",
                where=f"target of item {row}",
                fix="number the classes from 0, or name them all in classes",
            )
        return values

    def check(self, outputs: Any, targets: Tensor) -> None:
        fits = isinstance(outputs, Tensor) and outputs.ndim == 2 and len(outputs) == len(targets)
        if not fits or outputs.shape[1] < max(2, self._count(targets)):
            raise Refusal(
                f"the model returned {shape_of(outputs)}; classification with targets {tuple(targets.shape)} "
                f"needs ({len(targets)}, {self._count(targets)})",
                where="model",
                fix="return one raw score a class from forward; num_outputs is passed if the signature has it",
            )

    def probabilities(self, outputs: Tensor) -> Tensor:
        form = self.form(outputs)
        return outputs if form == "probabilities" else outputs.softmax(dim=1)

    def predictions(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(dim=1)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        correct = self.per_item(outputs, targets)
        accuracy = float(correct.mean())
        recalls = torch.stack([correct[targets == k].mean() for k in distinct(targets)])
        return {"accuracy": accuracy, "error": 1 - accuracy, "macro_recall": float(recalls.mean())}

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.argmax(dim=1) == targets).to(torch.float64)

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        return wilson(float(self.per_item(outputs, targets).sum()), len(targets))

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        logits = self.prior_bias(targets) if prior else torch.zeros(self._count(targets))
        rows = logits.log_softmax(dim=0).expand(len(targets), -1)
        return float(reference(rows, targets))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        kind, options = losses.family(loss), losses.options(loss)
        smoothing = float(options.get("label_smoothing", 0.0))
        if kind == "cross-entropy" and smoothing > 0:
            return losses.smoothed_floor(targets, self._count(targets), smoothing, options.get("weight"))
        return 0.0 if kind in ("cross-entropy", "nll", "hinge") else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        counts = torch.bincount(targets, minlength=self._count(targets)).to(torch.float64)
        # a class without examples counts as half a one: its log would be minus infinity
        return (counts.clamp(min=0.5) / counts.sum()).log().to(torch.float32)

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return None

    def chance(self, targets: Tensor) -> dict[str, float]:
        shares = torch.bincount(targets).to(torch.float64) / len(targets)
        return {"majority": float(shares.max()), "prior": float((shares**2).sum()), "uniform": 1 / self._count(targets)}

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        k = self._count(targets)
        shares = torch.bincount(targets).to(torch.float64) / len(targets)
        return {
            "uniform-guess": math.log(k),
            "prior-only": float(-torch.xlogy(shares, shares).sum()),
            "softmax-twice": math.log1p((k - 1) / math.e),
        }

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        scores = margin * F.one_hot(targets, self._count(targets)).to(torch.float32)
        if form == "scores":
            return scores
        return scores.log_softmax(dim=1) if form == "log-probabilities" else scores.softmax(dim=1)

    def form(self, outputs: Tensor) -> Form:
        values = outputs.detach().to(torch.float32)
        if bool((values >= 0).all()) and bool(((values.sum(dim=1) - 1).abs() < 1e-3).all()):
            return "probabilities"
        if bool((values <= 0).all()) and bool((values.logsumexp(dim=1).abs() < 1e-3).all()):
            return "log-probabilities"
        return "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return None

    def _count(self, targets: Tensor) -> int:
        return self.classes or int(targets.max()) + 1
