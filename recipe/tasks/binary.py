"""Yes or no: outputs (N, 1) scores, targets (N, 1) float32 of 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recipe import losses
from recipe.intervals import wilson
from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form
from recipe.tasks.task import as_floats, check_same_shape, distinct, zeros_like


def make(targets: Any, classes: Sequence[str] | None) -> Binary:
    """The task; it needs nothing of the data."""
    return Binary()


@dataclass(frozen=True)
class Binary:
    """One score an item; above 0 is yes."""

    name: str = "binary"
    headline: str = "accuracy"
    higher_is_better: bool = True
    default_loss: str = "torch.nn.BCEWithLogitsLoss"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        if len(distinct(targets)) < 2:
            raise Refusal(f"there is one class only among {len(targets)} targets", where="target", fix="give both")
        return 1

    def targets(self, targets: Any) -> Tensor:
        values = as_floats(targets, self.name)
        wrong = (values != 0) & (values != 1)
        if values.shape[1] != 1 or bool(wrong.any()):
            seen = values[wrong][0].item() if bool(wrong.any()) else f"of shape {tuple(values.shape)}"
            raise Refusal(
                f"a target is {seen}; binary needs 0 or 1 an item",
                where="target",
                fix="recode the targets, or say task=classification, multilabel or regression",
            )
        return values

    def check(self, outputs: Any, targets: Tensor) -> None:
        check_same_shape(outputs, targets, self.name)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()

    def predictions(self, outputs: Tensor) -> Tensor:
        return (outputs > 0).to(torch.float32)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        correct = self.per_item(outputs, targets)
        yes = targets[:, 0] == 1
        recalls = [float(correct[side].mean()) for side in (yes, ~yes) if bool(side.any())]
        accuracy = float(correct.mean())
        return {
            "accuracy": accuracy,
            "error": 1 - accuracy,
            "macro_recall": sum(recalls) / len(recalls),
            "auc": _auc(outputs[:, 0], yes),
        }

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return ((outputs > 0) == (targets == 1))[:, 0].to(torch.float64)

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        return wilson(float(self.per_item(outputs, targets).sum()), len(targets))

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        outputs = self.prior_bias(targets).expand_as(targets) if prior else torch.zeros_like(targets)
        return float(reference(outputs.sigmoid() if losses.form_wanted(loss) == "probabilities" else outputs, targets))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        return 0.0 if losses.family(loss) in ("bce-with-logits", "bce", "mse", "l1") else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        share = targets.mean(dim=0).clamp(0.5 / len(targets), 1 - 0.5 / len(targets))
        return share.logit()

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return None

    def chance(self, targets: Tensor) -> dict[str, float]:
        share = float(targets.mean())
        return {"majority": max(share, 1 - share), "prior": share**2 + (1 - share) ** 2, "uniform": 0.5}

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        share = targets.mean().to(torch.float64)
        always = torch.where(targets == 1, math.log1p(math.exp(-1)), math.log1p(math.exp(1))).mean()
        return {
            "uniform-guess": math.log(2),
            "prior-only": float(-torch.xlogy(share, share) - torch.xlogy(1 - share, 1 - share)),
            # softmax over one unit is 1 whatever the input
            "softmax-over-one-unit": float(always),
        }

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        scores = margin * (2 * targets - 1)
        return scores if form == "scores" else scores.sigmoid()

    def form(self, outputs: Tensor) -> Form:
        """Every output between 0 and 1: the model ends in a sigmoid (or a softmax)."""
        inside = bool(((outputs >= 0) & (outputs <= 1)).all())
        return "probabilities" if inside and outputs.numel() >= 4 else "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return None


def _auc(scores: Tensor, yes: Tensor) -> float:
    """Share of (yes, no) pairs in the right order, ties counting half (Mann and Whitney 1947)."""
    positives, negatives = int(yes.sum()), int((~yes).sum())
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = torch.unique(scores, sorted=True, return_inverse=True, return_counts=True)
    last = counts.cumsum(0).to(torch.float64)
    ranks = (last - (counts - 1) / 2)[inverse]
    return float((ranks[yes].sum() - positives * (positives + 1) / 2) / (positives * negatives))
