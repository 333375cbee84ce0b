"""Whether probabilities mean what they say: reliability, and the temperature that validation asks for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from recipe.intervals import t_interval, wilson
from recipe.predict.average import has_probabilities, item_losses, tempered
from recipe.record.calibration import Bin, Calibration, Confidence, Reliability
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval

if TYPE_CHECKING:
    from recipe.tasks.task import Task

# Bins of equally many answers, and answers that a bin needs at least.
_BINS, _FEWEST = 15, 20
_DRAWS, _MOST = 400, 20_000
_COOLEST, _HOTTEST = 0.05, 20.0
_HALVINGS = 3


def calibrate(probabilities: Tensor, targets: Tensor, task: Task, *, seed: int) -> Calibration:
    """probabilities: of the ensemble on validation. The temperature is taken home if it lowers the loss of the half of
    validation that it was not fitted on by more than noise (Guo et al. 2017). CannotMeasure where outputs are values.
    """
    if not has_probabilities(task):
        raise CannotMeasure("the model says values, not probabilities")
    n = len(targets)
    if n < 2 * _FEWEST:
        raise CannotMeasure(f"{n} validation items are too few to fit a temperature and to judge it")
    before = item_losses(task, probabilities, targets)
    after, cooled = torch.zeros_like(before), torch.zeros_like(probabilities)
    for number in range(_HALVINGS):
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1000 + number))
        for one, other in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
            t = fit_temperature(probabilities[one], targets[one], task)
            cooled[other] = tempered(task, probabilities[other], t)
            after[other] += _against(task, cooled, targets, other) / _HALVINGS
    fitted = fit_temperature(probabilities, targets, task)
    gain = t_interval((before - after).tolist())
    pays = gain.low > 0
    told = f"the temperature {fitted:.3g} takes {gain} off the loss of items it was not fitted on"
    return Calibration(
        fitted=fitted,
        temperature=fitted if pays else 1.0,
        gain=gain,
        because=told if pays else f"left as it is: {told}",
        before=measure_reliability(probabilities, targets, task, seed=seed),
        after=measure_reliability(cooled, targets, task, seed=seed),
    )


def measure_confidence(
    plain: Tensor, targets: Tensor, task: Task, split: str, temperature: float, *, seed: int
) -> Confidence:
    """plain: what the ensemble says before the temperature. Raises CannotMeasure where outputs are values."""
    if not has_probabilities(task):
        raise CannotMeasure("the model says values, not probabilities")
    return Confidence(
        split=split,
        temperature=temperature,
        before=measure_reliability(plain, targets, task, seed=seed),
        after=measure_reliability(tempered(task, plain, temperature), targets, task, seed=seed),
    )


def fit_temperature(probabilities: Tensor, targets: Tensor, task: Task) -> float:
    """The temperature of the lowest loss; the loss is convex in its inverse, so that a bounded search finds it."""
    from scipy.optimize import minimize_scalar

    def loss(log: float) -> float:
        return float(item_losses(task, tempered(task, probabilities, math.exp(log)), targets).mean())

    ends = (math.log(_COOLEST), math.log(_HOTTEST))
    return float(math.exp(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-4}).x))


def measure_reliability(probabilities: Tensor, targets: Tensor, task: Task, *, seed: int) -> Reliability:
    """Confidence: the probability of what is said, of each answer: of each label where there are several."""
    sure, right = _answers(probabilities, targets, task)
    generator = np.random.default_rng([seed, 5])
    if len(sure) > _MOST:
        some = np.sort(generator.permutation(len(sure))[:_MOST])
        sure, right = sure[some], right[some]
    order = np.argsort(sure, kind="stable")
    sure, right = sure[order], right[order]
    count = max(1, min(_BINS, len(sure) // _FEWEST))
    where = np.arange(len(sure)) * count // max(1, len(sure))
    sizes = np.bincount(where, minlength=count)
    error = _ece(where, sure, right, count)
    drawn = generator.integers(0, len(sure), (_DRAWS, len(sure)))
    spread = [_ece(where[d], sure[d], right[d], count) for d in drawn]
    perfect = [_ece(where, sure, (generator.random(len(sure)) < sure).astype(float), count) for _ in range(_DRAWS)]
    # Resampling adds to an error that cannot be negative: the interval is turned about it (the basic bootstrap).
    high, low = 2 * error - np.quantile(spread, [0.025, 0.975])
    hits = np.bincount(where, right, minlength=count)
    means = np.bincount(where, sure, minlength=count) / sizes
    return Reliability(
        bins=tuple(
            Bin(confidence=float(m), right=wilson(float(h), int(n))) for m, h, n in zip(means, hits, sizes, strict=True)
        ),
        ece=Interval(error, float(max(0.0, min(low, error))), float(max(high, error)), len(sure)),
        noise=float(np.quantile(perfect, 0.95)),
        rms=_rms(means, hits / sizes, sizes),
        excess=float(sure.mean() - right.mean()),
        answers=len(sure),
    )


def _answers(probabilities: Tensor, targets: Tensor, task: Task) -> tuple[Any, Any]:
    """(confidence, right) of each answer, float64."""
    p = probabilities.to(torch.float64)
    if task.name in ("classification", "language_model"):
        sure, said = p.max(dim=-1)
        asked = targets >= 0
        return sure[asked].numpy(), (said == targets)[asked].double().numpy()
    sure = torch.maximum(p, 1 - p).flatten()
    return sure.numpy(), ((p > 0.5) == (targets == 1)).flatten().double().numpy()


def _ece(where: Any, sure: Any, right: Any, count: int) -> float:
    """Sum over bins of |right - confidence| times the bin's share."""
    gaps = np.bincount(where, right - sure, minlength=count)
    return float(np.abs(gaps).sum() / len(sure))


def _rms(means: Any, shares: Any, sizes: Any) -> float:
    """Kumar et al. 2019: squared gaps less the variance that a share of so many has by itself."""
    own = shares * (1 - shares) / np.maximum(sizes - 1, 1)
    return float(np.sqrt(max(0.0, float((sizes * ((shares - means) ** 2 - own)).sum() / sizes.sum()))))


def _against(task: Task, probabilities: Tensor, targets: Tensor, items: Tensor) -> Tensor:
    return item_losses(task, probabilities[items], targets[items])
