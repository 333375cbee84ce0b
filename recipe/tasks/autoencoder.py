"""The input again: outputs as the inputs are, or flat; targets the inputs just before the net, float32."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recipe import losses
from recipe.intervals import bootstrap
from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form
from recipe.tasks.task import check_same_shape, zeros_like


def make(targets: Any, classes: Sequence[str] | None) -> Autoencoder:
    """The task; it needs nothing of the data."""
    return Autoencoder()


@dataclass(frozen=True)
class Autoencoder:
    """The headline is R², the share of the inputs' variance that comes through. squashed: outputs are logits of it."""

    squashed: bool = False
    name: str = "autoencoder"
    headline: str = "r2"
    higher_is_better: bool = True
    default_loss: str = "torch.nn.MSELoss"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        if bool((targets == targets[0]).all()):
            raise Refusal("every item is the same", where="data", fix="nothing can be learnt from it")
        return math.prod(targets.shape[1:])

    def targets(self, targets: Any) -> Tensor:
        if not isinstance(targets, Tensor) or not targets.is_floating_point():
            raise Refusal(
                "an autoencoder gives back numbers, and the inputs are codes or several tensors",
                where="task",
                fix="task=auto, or data.encode=bag",
            )
        values = targets.to(torch.float32)
        if not bool(values.isfinite().all()):
            row = int((~values.reshape(len(values), -1).isfinite()).any(dim=1).nonzero()[0])
            raise Refusal("an input is not finite", where=f"item {row}", fix="remove the item, or mend it")
        return values

    def check(self, outputs: Any, targets: Tensor) -> None:
        check_same_shape(outputs, targets, self.name)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return self._values(outputs)

    def predictions(self, outputs: Tensor) -> Tensor:
        return self._values(outputs)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        squares = self.per_item(outputs, targets)
        mse, spread = float(squares.mean()), float(_spread(targets).mean())
        r2 = 1 - mse / spread if spread > 0 else float(mse == 0)
        return {"r2": r2, "error": 1 - r2, "mse": mse, "rmse": math.sqrt(mse)}

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        differences = (self._values(outputs) - targets).reshape(len(targets), -1)
        return (differences**2).to(torch.float64).mean(dim=1)

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        both = torch.stack([self.per_item(outputs, targets), _spread(targets)], dim=1).numpy()
        return bootstrap(both, lambda rows: 1 - rows[:, 0].sum() / max(rows[:, 1].sum(), 1e-30), draws=300)

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        constant = self._constant(loss, targets) if prior else torch.zeros_like(targets[0])
        return float(reference(constant.expand_as(targets), targets))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        kind = losses.family(loss)
        if kind in ("bce-with-logits", "bce"):
            entropy = torch.special.entr(targets) + torch.special.entr(1 - targets)
            return float(entropy.mean()) if _shares(targets) else None
        return 0.0 if kind in ("mse", "l1", "smooth-l1", "huber") else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        mean = targets.mean(dim=0).reshape(-1)
        return mean.clamp(1e-4, 1 - 1e-4).logit() if self.squashed else mean

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return None

    def chance(self, targets: Tensor) -> dict[str, float]:
        return {"mean": 0.0}

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        reference = losses.mean_form(loss) or losses.mean_form(torch.nn.functional.mse_loss)
        assert reference is not None
        mean = self._constant(loss, targets).expand_as(targets)
        return {
            "mean-only": float(reference(mean, targets)),
            "says-nought": float(reference(torch.zeros_like(targets), targets)),
        }

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        """The distance halves with each unit of margin (up to 20); at 0 it is one deviation of the whole."""
        spread = targets.std().clamp(min=1e-6)
        away = torch.where(targets > targets.mean(dim=0), -spread, spread)
        moved: Tensor = targets + away * 2.0 ** -min(20.0, max(-20.0, margin))
        return moved.clamp(1e-6, 1 - 1e-6).logit() if self.squashed else moved

    def form(self, outputs: Tensor) -> Form:
        return "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return None

    def _values(self, outputs: Tensor) -> Tensor:
        return outputs.sigmoid() if self.squashed else outputs

    def _constant(self, loss: Loss, targets: Tensor) -> Tensor:
        """What is best said of every item alike, as outputs."""
        return self.prior_bias(targets).reshape(targets.shape[1:])


def _spread(targets: Tensor) -> Tensor:
    """(N,) float64 squared distance of each item from the mean of all, a number."""
    differences = (targets - targets.mean(dim=0)).reshape(len(targets), -1)
    return (differences**2).to(torch.float64).mean(dim=1)


def _shares(targets: Tensor) -> bool:
    return bool(((targets >= 0) & (targets <= 1)).all())
