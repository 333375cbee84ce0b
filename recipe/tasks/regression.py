"""Numbers: outputs (N, T) values, targets (N, T) float32."""

from __future__ import annotations

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
from recipe.tasks.task import as_floats, check_same_shape, zeros_like


def make(targets: Any, classes: Sequence[str] | None) -> Regression:
    """The task; it needs nothing of the data."""
    return Regression()


@dataclass(frozen=True)
class Regression:
    """The headline is R², the share of the targets' variance that is explained; with several targets their mean."""

    name: str = "regression"
    headline: str = "r2"
    higher_is_better: bool = True
    default_loss: str = "torch.nn.MSELoss"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        if bool((targets == targets[0]).all()):
            raise Refusal("every item has the same target", where="target", fix="nothing can be learnt from it")
        return targets.shape[1]

    def targets(self, targets: Any) -> Tensor:
        return as_floats(targets, self.name)

    def check(self, outputs: Any, targets: Tensor) -> None:
        check_same_shape(outputs, targets, self.name)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs

    def predictions(self, outputs: Tensor) -> Tensor:
        return outputs

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        difference = (outputs - targets).to(torch.float64)
        r2 = _r2((difference**2).T, targets.T.to(torch.float64))
        return {
            "r2": r2,
            "error": 1 - r2,
            "mae": float(difference.abs().mean()),
            "rmse": float((difference**2).mean().sqrt()),
        }

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return ((outputs - targets).to(torch.float64) ** 2).mean(dim=1)

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        squares = (outputs - targets).to(torch.float64) ** 2
        both = torch.stack([squares, targets.to(torch.float64)], dim=1).cpu().numpy()  # (N, 2, T)

        def r2(rows: Any) -> float:
            return _r2(torch.from_numpy(rows[:, 0].T), torch.from_numpy(rows[:, 1].T))

        return bootstrap(both, r2, draws=300)

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        outputs = self.prior_bias(targets).expand_as(targets) if prior else torch.zeros_like(targets)
        return float(reference(outputs, targets))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        return 0.0 if losses.family(loss) in ("mse", "l1", "smooth-l1", "huber") else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        return targets.mean(dim=0)

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return 2.0 ** targets.std(dim=0).clamp(min=1e-12).log2().round()

    def chance(self, targets: Tensor) -> dict[str, float]:
        return {"mean": 0.0}

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        """By the loss at hand: what always saying the mean, the median or nought costs."""
        reference = losses.mean_form(loss) or losses.mean_form(torch.nn.functional.mse_loss)
        assert reference is not None
        places = {"mean-only": targets.mean(dim=0), "median-only": targets.median(dim=0).values}
        found = {name: float(reference(place.expand_as(targets), targets)) for name, place in places.items()}
        return found | {"says-nought": float(reference(torch.zeros_like(targets), targets))}

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        """The distance halves with each unit of margin (up to 20); at 0 it is one deviation towards the mean."""
        spread = targets.std(dim=0).clamp(min=1e-6)
        away = torch.where(targets > targets.mean(dim=0), -spread, spread)
        moved: Tensor = targets + away * 2.0 ** -min(20.0, max(-20.0, margin))
        return moved

    def form(self, outputs: Tensor) -> Form:
        return "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return None


def _r2(squares: Tensor, targets: Tensor) -> float:
    """(T, N) squared errors and targets. A column that does not vary counts as 1 if matched, otherwise 0."""
    variance = targets.var(dim=1, correction=0)
    unexplained = squares.mean(dim=1)
    varies = variance > 0
    scores = torch.where(varies, 1 - unexplained / variance.where(varies, 1.0), (unexplained == 0).to(torch.float64))
    return float(scores.mean())
