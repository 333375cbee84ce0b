"""Gradients by backpropagation beside those by centred differences, in double precision.

The first step is the usual 1e-5 (CS231n). Where the two disagree smaller and larger steps are tried, as a kink of a
ReLU within the step is no error; on a kink itself backpropagation has to lie between the slopes of its sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from recipe.record.gradient_check import GradientOf

STEPS = (1e-5, 1e-6, 1e-4, 1e-7)
"""Differences are taken over such a share of a tensor's length."""
CLOSE = 1e-6
"""A relative error below which no other step is tried."""
ROUNDING = 20 * 2.0**-52
"""Relative error of a loss in double precision, after the sums of a deep net."""

NEGLIGIBLE = 1e-4
"""A slope of this share of a tensor's largest is as good as none."""

Loss = Callable[[], Tensor]
"""A number that depends on some tensors, computed afresh at every call."""


class Compared(NamedTuple):
    """Backpropagation and differences along one direction. kink: both are right, from their side."""

    error: float
    backward: float
    difference: float
    kink: bool


def gradients_of(loss: Loss, tensors: Sequence[Tensor]) -> list[Tensor]:
    """By backpropagation; zeros where the loss does not depend on a tensor."""
    found = torch.autograd.grad(loss(), list(tensors), allow_unused=True)
    return [torch.zeros_like(t) if g is None else g.detach() for t, g in zip(tensors, found, strict=True)]


def compare(
    name: str,
    loss: Loss,
    tensors: Sequence[Tensor],
    *,
    seed: int,
    coordinates: int,
    gradients: Sequence[Tensor] | None = None,
) -> GradientOf:
    """Along a direction in which every number moves, and along some coordinates: the steepest, and some by chance.

    tensors: float64 leaves, moved in place and put back. coordinates: of a single tensor. gradients: if known already.
    """
    slopes = list(gradients) if gradients is not None else gradients_of(loss, tensors)
    here = _value(loss)
    tried = [_along(loss, here, tensors, slopes, way) for way in _ways(tensors, slopes, seed, coordinates)]
    # what is wrong beside the usual slope of this tensor is wrong; a slope of next to nothing is not looked at closely
    sizes = [abs(value) for one in tried for value in (one.backward, one.difference) if math.isfinite(value)]
    least = NEGLIGIBLE * max(sizes, default=0.0)
    tried = [one._replace(error=_beside(one, least)) for one in tried]
    judged = [one for one in tried if not one.kink] or tried[:1]
    worst = max(judged, key=lambda one: one.error)
    return GradientOf(
        name=name,
        error=0.0 if worst.kink else worst.error,
        backward=worst.backward,
        difference=worst.difference,
        tried=len(tried),
        kinks=sum(one.kink for one in tried),
    )


def _beside(one: Compared, least: float) -> float:
    """The error, its denominator at least `least`."""
    if not math.isfinite(one.error) or not one.error:
        return one.error
    return abs(one.backward - one.difference) / max(abs(one.backward), abs(one.difference), least)


def _ways(tensors: Sequence[Tensor], gradients: Sequence[Tensor], seed: int, count: int) -> Iterator[list[Tensor]]:
    """Directions as long as the tensors are, so that a step is a share of their size.

    Each tensor moves partly along its gradient: every one has its part in the slope, and none hides behind others.
    """
    generator = torch.Generator().manual_seed(seed % 2**63)
    lengths = [max(float(t.detach().norm()), 1e-2 * math.sqrt(t.numel())) for t in tensors]
    around = []
    for tensor, gradient, length in zip(tensors, gradients, lengths, strict=True):
        way = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        way = way / way.norm().clamp(min=1e-30) + gradient / gradient.norm().clamp(min=1e-30)
        around.append(way * (length / float(way.norm().clamp(min=1e-30))))
    yield around
    if not count or len(tensors) != 1:
        return
    size = tensors[0].numel()
    steep = gradients[0].abs().flatten().topk(min(size, (count + 1) // 2)).indices
    some = torch.randint(size, (count // 2,), generator=generator)
    for place in dict.fromkeys([*steep.tolist(), *some.tolist()]):
        way = torch.zeros(size, dtype=torch.float64)
        way[place] = 10 * lengths[0] / math.sqrt(size)
        yield [way.reshape(tensors[0].shape)]


def _along(
    loss: Loss, here: float, tensors: Sequence[Tensor], gradients: Sequence[Tensor], way: Sequence[Tensor]
) -> Compared:
    """The step at which both agree best, and whether it is a kink where they do not."""
    backward = math.fsum(float((g * v).sum()) for g, v in zip(gradients, way, strict=True))
    best = Compared(math.inf, backward, math.nan, False)
    for step in STEPS:
        up, down = (_moved(loss, tensors, way, sign * step) for sign in (1.0, -1.0))
        slope, right, left = (up - down) / (2 * step), (up - here) / step, (here - down) / step
        rounding = ROUNDING * max(abs(here), abs(up), abs(down)) / step
        error = _relative(backward, slope, rounding)
        if error < CLOSE:
            return Compared(error, backward, slope, False)
        if error < best.error or math.isnan(best.difference):
            within = min(left, right) - 3 * rounding <= backward <= max(left, right) + 3 * rounding
            bent = abs(right - left) > max(2 * rounding, abs(backward - slope))
            best = Compared(error, backward, slope, within and bent)
    return best


def _relative(a: float, b: float, rounding: float) -> float:
    """|a - b| over the larger; nothing where rounding explains it."""
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    gap = abs(a - b)
    return 0.0 if gap <= rounding else gap / max(abs(a), abs(b))


def _value(loss: Loss) -> float:
    with torch.no_grad():
        return float(loss())


def _moved(loss: Loss, tensors: Sequence[Tensor], way: Sequence[Tensor], step: float) -> float:
    """The loss with the tensors moved along the way; they are put back bit by bit."""
    kept = [t.detach().clone() for t in tensors]
    with torch.no_grad():
        for tensor, direction in zip(tensors, way, strict=True):
            tensor.add_(direction, alpha=step)
        value = float(loss())
        for tensor, old in zip(tensors, kept, strict=True):
            tensor.copy_(old)
    return value
