"""The next token at every position: outputs (N, T, V) scores, targets (N, T) int64, -100 where nothing is asked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from recipe import losses
from recipe.intervals import t_interval
from recipe.losses import Loss
from recipe.record.interval import Interval
from recipe.record.refusal import Refusal
from recipe.record.skeleton import Form
from recipe.tasks.task import distinct, shape_of, zeros_like

IGNORED = -100
SOME = 1 << 16
"""Positions from which an expected loss is taken where there are more."""
CHUNK = 1 << 22
"""Scores that are looked at together."""


def make(targets: Any, classes: Sequence[str] | None) -> LanguageModel:
    """The task with the size of the vocabulary that names or targets tell."""
    return LanguageModel(len(classes) if classes else int(torch.as_tensor(targets).max()) + 1)


@dataclass(frozen=True)
class LanguageModel:
    """vocabulary: V, or None to count it in the targets at hand. The headline is the cross-entropy in nats a token."""

    vocabulary: int | None = None
    name: str = "language_model"
    headline: str = "nats"
    higher_is_better: bool = False
    default_loss: str = "recipe.losses.TokenCrossEntropy"

    def num_outputs(self, targets: Tensor, classes: Sequence[str] | None) -> int:
        targets = self.targets(targets)
        if len(distinct(_asked(targets))) < 2:
            raise Refusal("every target is the same token", where="target", fix="nothing can be learnt from it")
        return len(classes) if classes else self._count(targets)

    def targets(self, targets: Any) -> Tensor:
        values = torch.as_tensor(targets)
        if values.is_floating_point() or values.is_complex() or values.ndim != 2:
            raise Refusal(
                f"targets are {str(values.dtype).removeprefix('torch.')} of shape {tuple(values.shape)}; "
                "language_model needs whole numbers (N, T)",
                where="target",
                fix="give the next token at each position, -100 where there is none",
            )
        values = values.to(torch.int64)
        limit = self.vocabulary or math.inf
        wrong = ((values < 0) & (values != IGNORED)) | (values >= limit)
        if bool(wrong.any()):
            row, place = wrong.nonzero()[0].tolist()
            raise Refusal(
                f"the token {int(values[row, place])} is outside 0…{self.vocabulary - 1 if self.vocabulary else 'V-1'}",
                where=f"target of item {row}, position {place}",
                fix="number the tokens from 0, name them all in classes, and give -100 where nothing is asked",
            )
        return values

    def check(self, outputs: Any, targets: Tensor) -> None:
        fits = isinstance(outputs, Tensor) and outputs.ndim == 3 and outputs.shape[:2] == targets.shape
        if not fits or outputs.shape[2] < self._count(targets):
            wanted = (*targets.shape, self._count(targets))
            raise Refusal(
                f"the model returned {shape_of(outputs)}; language_model with targets {tuple(targets.shape)} "
                f"needs {wanted}",
                where="model",
                fix="return a raw score for each token at each position from forward",
            )

    def probabilities(self, outputs: Tensor) -> Tensor:
        return outputs if self.form(outputs) == "probabilities" else outputs.softmax(dim=-1)

    def predictions(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(dim=-1)

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        count = max(1, int((targets != IGNORED).sum()))
        nats = float(self._costs(outputs, targets).sum()) / count
        hits = (self.predictions(outputs) == targets) & (targets != IGNORED)
        accuracy = float(hits.sum()) / count
        return {
            "nats": nats,
            "bits": nats / math.log(2),
            "perplexity": math.exp(min(nats, 700.0)),
            "accuracy": accuracy,
            "error": 1 - accuracy,
        }

    def per_item(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The cost of a token, plus what each item costs beyond that, over the mean length (a ratio's influence)."""
        lengths = (targets != IGNORED).sum(dim=1).to(torch.float64)
        costs = self._costs(outputs, targets)
        nats = costs.sum() / lengths.sum().clamp(min=1)
        each: Tensor = nats + (costs - nats * lengths) / lengths.mean().clamp(min=1e-12)
        return each

    def interval(self, outputs: Tensor, targets: Tensor) -> Interval:
        return t_interval(self.per_item(outputs, targets).tolist())

    def expected_initial_loss(self, loss: Loss, targets: Tensor, *, prior: bool = False) -> float | None:
        reference = losses.mean_form(loss)
        if reference is None:
            return None
        asked = _asked(targets)
        logits = self.prior_bias(targets) if prior else torch.zeros(self._count(targets))
        some = asked[:: max(1, len(asked) // SOME)]
        return float(reference(logits.log_softmax(dim=0).expand(len(some), -1), some))

    def lowest_loss(self, loss: Loss, targets: Tensor) -> float | None:
        kind, options = losses.family(loss), losses.options(loss)
        smoothing = float(options.get("label_smoothing", 0.0))
        if kind == "cross-entropy" and smoothing > 0:
            return losses.smoothed_floor(_asked(targets), self._count(targets), smoothing, options.get("weight"))
        return 0.0 if kind in ("cross-entropy", "nll") else None

    def prior_bias(self, targets: Tensor) -> Tensor:
        counts = torch.bincount(_asked(targets), minlength=self._count(targets)).to(torch.float64)
        return (counts.clamp(min=0.5) / counts.sum()).log().to(torch.float32)

    def prior_scale(self, targets: Tensor) -> Tensor | None:
        return None

    def chance(self, targets: Tensor) -> dict[str, float]:
        return {"uniform": math.log(self._count(targets)), "unigram": self._entropy(targets)}

    def constants(self, loss: Loss, targets: Tensor) -> dict[str, float]:
        k = self._count(targets)
        return {
            "uniform-guess": math.log(k),
            "prior-only": self._entropy(targets),
            "softmax-twice": math.log1p((k - 1) / math.e),
        }

    def outputs_for(self, targets: Tensor, margin: float, form: Form = "scores") -> Tensor:
        known = F.one_hot(targets.clamp(min=0), self._count(targets)) * (targets != IGNORED)[..., None]
        scores = margin * known.to(torch.float32)
        if form == "scores":
            return scores
        return scores.log_softmax(dim=-1) if form == "log-probabilities" else scores.softmax(dim=-1)

    def form(self, outputs: Tensor) -> Form:
        values = outputs.detach()[:64].to(torch.float32)
        if bool((values >= 0).all()) and bool(((values.sum(dim=-1) - 1).abs() < 1e-3).all()):
            return "probabilities"
        if bool((values <= 0).all()) and bool((values.logsumexp(dim=-1).abs() < 1e-3).all()):
            return "log-probabilities"
        return "scores"

    def blind(self, inputs: Any) -> Any:
        return zeros_like(inputs)

    def time_axis(self) -> int | None:
        return 1

    def _costs(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(N,) float64 cross-entropy of the outputs, summed over the positions of each item."""
        rows = max(1, CHUNK // max(1, outputs[0].numel()))
        found = []
        for part, asked in zip(torch.split(outputs, rows), torch.split(targets, rows), strict=True):
            scores = part.clamp(min=1e-30).log() if self.form(outputs) == "probabilities" else part.log_softmax(dim=-1)
            each = F.nll_loss(scores.movedim(-1, 1), asked, ignore_index=IGNORED, reduction="none")
            found.append(each.to(torch.float64).sum(dim=1))
        return torch.cat(found)

    def _entropy(self, targets: Tensor) -> float:
        counts = torch.bincount(_asked(targets), minlength=self._count(targets)).to(torch.float64)
        shares = counts / counts.sum()
        return float(-torch.xlogy(shares, shares).sum())

    def _count(self, targets: Tensor) -> int:
        return self.vocabulary or int(targets.max()) + 1


class LeftOpen(NamedTuple):
    """loss: the mean cost left when all that stands before a token is known. told: bool (N, T), where that tells it."""

    loss: float
    told: Tensor


def left_open(inputs: Any, targets: Tensor) -> LeftOpen:
    """How far the items at hand tell what comes next: the same start may go on in several ways."""
    told = targets != IGNORED
    if not isinstance(inputs, Tensor) or inputs.shape[:2] != targets.shape:
        return LeftOpen(0.0, told)
    rows = inputs.cpu().reshape(*targets.shape, -1).tolist()
    after: dict[tuple[Any, ...], Counter[int]] = {}
    places: dict[tuple[int, int], tuple[Any, ...]] = {}
    for i, row in enumerate(rows):
        start: tuple[Any, ...] = ()
        for t, step in enumerate(row):
            start = (hash(start), tuple(step), t)
            if bool(told[i, t]):
                after.setdefault(start, Counter())[int(targets[i, t])] += 1
                places[i, t] = start
    cost = 0.0
    for counts in after.values():
        cost -= sum(n * math.log(n / counts.total()) for n in counts.values())
    for (i, t), start in places.items():
        told[i, t] = len(after[start]) == 1
    return LeftOpen(cost / max(1, len(places)), told)


def _asked(targets: Tensor) -> Tensor:
    """(positions,) the targets that are some."""
    flat = targets.reshape(-1)
    return flat[flat != IGNORED]
