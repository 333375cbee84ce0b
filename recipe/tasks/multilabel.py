"""Any of K labels: outputs (N, K) scores, targets (N, K) float32 of 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recipe import losses
from recipe.intervals import of_items
from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form
from recipe.tasks.task import as_floats, check_same_shape, zeros_like


def make(targets: Any, classes: Sequence[str] | None) -> Multilabel:
    """The task; it needs nothing of the data."""
    return Multilabel()


@dataclass(frozen=True)
class Multilabel:
    """The headline is Jaccard's index an item, |said and true| / |said or true|: guessing none scores nothing."""

    name: str = "multilabel"
    headline: str = "jaccard"
    higher_is_better: bool = True
    default_loss: str = "torch.nn.BCEWithLogitsLoss"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        if bool((targets == targets[0]).all()):
            raise Refusal("every item has the same labels", where="target", fix="nothing can be learnt from it")
        return targets.shape[1]

    def targets(self, targets: Any) -> Tensor:
        values = as_floats(targets, self.name)
        wrong = (values != 0) & (values != 1)
        if bool(wrong.any()):
            raise Refusal(
                f"a target is {values[wrong][0].item()}; multilabel needs 0 or 1 a label",
                where=f"target of item {int(wrong.any(dim=1).nonzero()[0])}",
                fix="recode the targets, or say task=classification or regression",
            )
        return values

    def check(self, outputs: Any, targets: Tensor) -> None:
        check_same_shape(outputs, targets, self.name)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid()

    def predictions(self, outputs: Tensor) -> Tensor:
        return (outputs > 0).to(torch.float32)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        hits = (outputs > 0) == (targets == 1)
        jaccard = float(self.per_item(outputs, targets).mean())
        return {
            "jaccard": jaccard,
            "error": 1 - jaccard,
            "label_accuracy": float(hits.to(torch.float64).mean()),
            "exact_match": float(hits.all(dim=1).to(torch.float64).mean()),
        }

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        said, true = outputs > 0, targets == 1
        both, either = (said & true).sum(dim=1), (said | true).sum(dim=1)
        return torch.where(either == 0, 1.0, both / either.clamp(min=1)).to(torch.float64)

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        return of_items(self.per_item(outputs, targets).tolist())

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        outputs = self.prior_bias(targets).expand_as(targets) if prior else torch.zeros_like(targets)
        return float(reference(outputs.sigmoid() if losses.form_wanted(loss) == "probabilities" else outputs, targets))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        known = ("bce-with-logits", "bce", "multilabel-soft-margin", "mse", "l1")
        return 0.0 if losses.family(loss) in known else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        return targets.mean(dim=0).clamp(0.5 / len(targets), 1 - 0.5 / len(targets)).logit()

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return None

    def chance(self, targets: Tensor) -> dict[str, float]:
        majority = torch.where(targets.mean(dim=0) > 0.5, 1.0, -1.0).expand_as(targets)
        everything = torch.ones_like(targets)
        return {
            "majority": float(self.per_item(majority, targets).mean()),
            "every label": float(self.per_item(everything, targets).mean()),
        }

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        shares = targets.mean(dim=0).to(torch.float64)
        return {
            "uniform-guess": math.log(2),
            "prior-only": float((-torch.xlogy(shares, shares) - torch.xlogy(1 - shares, 1 - shares)).mean()),
        }

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        scores = margin * (2 * targets - 1)
        return scores if form == "scores" else scores.sigmoid()

    def form(self, outputs: Tensor) -> Form:
        """Every output between 0 and 1: the model ends in a sigmoid."""
        inside = bool(((outputs >= 0) & (outputs <= 1)).all())
        return "probabilities" if inside and outputs.numel() >= 8 else "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return None
