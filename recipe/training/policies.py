"""RandAugment and TrivialAugment for whole batches: each picture its own operation and strength, by its key alone.

The operations are torchvision's, with a strength a picture instead of one a call: a batch costs a handful of tensor
operations, not a Python call a picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from recipe.training.augment import Augmentation, resampled
from recipe.training.counter import integers, salted, uniform

BINS = 30
"""Strengths are k / 30, as torchvision's 31 bins are."""


class Reach(NamedTuple):
    """How far the strongest operation goes: a tangent, a share of the side, degrees, a factor less one, bits."""

    shear: float
    shift: float
    degrees: float
    factor: float
    bits: float


class Policy(Augmentation):
    """black, white: what 0 and full are after preprocessing, a number a channel; None: each picture's own range."""

    reach: Reach

    def __init__(self, black: Sequence[float] | None = None, white: Sequence[float] | None = None) -> None:
        self.black, self.white = black, white

    def _one(self, pictures: Tensor, keys: Tensor, strength: Tensor) -> Tensor:
        """One operation a picture, from 0 (black) to 1."""
        names = [name for name in OPERATIONS if pictures.shape[1] == 3 or name != "colour"]
        chosen = integers(keys, 0, 0, len(names) - 1)
        signed = strength * torch.where(uniform(keys, 1) < 0.5, -1.0, 1.0)
        changed = pictures.clone()
        for number, name in enumerate(names):
            rows = (chosen == number).nonzero()[:, 0]
            if len(rows):
                changed[rows] = OPERATIONS[name](pictures[rows], signed[rows], self.reach).clamp(0, 1)
        return changed

    def _span(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """(black, white − black), to be broadcast."""
        if self.black is None or self.white is None:
            low = inputs.amin((1, 2, 3), keepdim=True)
            return low, (inputs.amax((1, 2, 3), keepdim=True) - low).clamp(min=1e-12)
        black, white = (inputs.new_tensor(list(ends)).view(1, -1, 1, 1) for ends in (self.black, self.white))
        return black, white - black


class Trivial(Policy):
    """One operation of a strength drawn from all (TrivialAugment wide, Müller and Hutter 2021)."""

    reach = Reach(shear=0.99, shift=0.45, degrees=135.0, factor=0.99, bits=6.0)

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        black, span = self._span(inputs)
        strength = integers(keys, 2, 0, BINS) / BINS
        return self._one((inputs - black) / span, keys, strength) * span + black


class Rand(Policy):
    """`operations` one after the other, all of one strength: `magnitude` of 30 (RandAugment, Cubuk et al. 2020)."""

    reach = Reach(shear=0.3, shift=0.45, degrees=30.0, factor=0.9, bits=4.0)

    def __init__(
        self,
        operations: int = 2,
        magnitude: int = 9,
        black: Sequence[float] | None = None,
        white: Sequence[float] | None = None,
    ) -> None:
        super().__init__(black, white)
        self.operations, self.magnitude = operations, magnitude

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        black, span = self._span(inputs)
        pictures = (inputs - black) / span
        strength = torch.full((len(inputs),), self.magnitude / BINS, device=inputs.device)
        for turn in range(self.operations):
            pictures = self._one(pictures, salted(keys, turn), strength)
        return pictures * span + black


def _sheared(pictures: Tensor, strength: Tensor, reach: Reach, *, down: bool) -> Tensor:
    one, zero = torch.ones_like(strength), torch.zeros_like(strength)
    # Places run from -1 to 1 along either side, so that a tangent in pixels depends on how the sides compare.
    ratio = pictures.shape[-2] / pictures.shape[-1]
    tangent = strength * reach.shear * (1 / ratio if down else ratio)
    rows = ((one, zero, zero), (tangent, one, zero)) if down else ((one, tangent, zero), (zero, one, zero))
    return resampled(pictures, rows, 0.0)


def _shifted(pictures: Tensor, strength: Tensor, reach: Reach, *, down: bool) -> Tensor:
    one, zero = torch.ones_like(strength), torch.zeros_like(strength)
    way = 2 * strength * reach.shift
    return resampled(pictures, ((one, zero, zero if down else way), (zero, one, way if down else zero)), 0.0)


def _turned(pictures: Tensor, strength: Tensor, reach: Reach) -> Tensor:
    angle, zero = strength * math.radians(reach.degrees), torch.zeros_like(strength)
    ratio = pictures.shape[-2] / pictures.shape[-1]
    cosine, sine = angle.cos(), angle.sin()
    return resampled(pictures, ((cosine, -sine * ratio, zero), (sine / ratio, cosine, zero)), 0.0)


def _blended(pictures: Tensor, strength: Tensor, reach: Reach, other: Callable[[Tensor], Tensor]) -> Tensor:
    """Away from `other` for positive strengths, towards it for negative ones."""
    factor = (1 + strength * reach.factor).view(-1, 1, 1, 1)
    return factor * pictures + (1 - factor) * other(pictures)


def _grey(pictures: Tensor) -> Tensor:
    if pictures.shape[1] != 3:
        return pictures.mean(1, keepdim=True)
    weights = pictures.new_tensor([0.2989, 0.587, 0.114]).view(1, 3, 1, 1)
    return (pictures * weights).sum(1, keepdim=True)


def _mean_grey(pictures: Tensor) -> Tensor:
    return _grey(pictures).mean((2, 3), keepdim=True)


def _smooth(pictures: Tensor) -> Tensor:
    """A 3 × 3 mean in which the middle counts five times; the rim as it is."""
    kernel = pictures.new_tensor([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
    channels = pictures.shape[1]
    inner = F.conv2d(pictures, kernel.expand(channels, 1, 3, 3), groups=channels)
    smooth = pictures.clone()
    smooth[..., 1:-1, 1:-1] = inner
    return smooth


def _posterized(pictures: Tensor, strength: Tensor, reach: Reach) -> Tensor:
    levels = 2.0 ** (8 - (strength.abs() * reach.bits).round()).view(-1, 1, 1, 1)
    return (pictures * levels).floor().clamp(max=levels - 1) / levels


def _solarized(pictures: Tensor, strength: Tensor, _: Reach) -> Tensor:
    return torch.where(pictures >= (1 - strength.abs()).view(-1, 1, 1, 1), 1 - pictures, pictures)


def _stretched(pictures: Tensor, _: Tensor, __: Reach) -> Tensor:
    """Each channel from black to white."""
    low, high = pictures.amin((2, 3), keepdim=True), pictures.amax((2, 3), keepdim=True)
    return torch.where(high > low, (pictures - low) / (high - low).clamp(min=1e-12), pictures)


def _equalized(pictures: Tensor, _: Tensor, __: Reach) -> Tensor:
    """Each channel's 256 levels spread so that all are about as frequent: Pillow's equalize, and torchvision's."""
    levels = (pictures.clamp(0, 1) * 255).to(torch.int64).flatten(2)
    counts = torch.zeros(*levels.shape[:2], 256, dtype=torch.int64, device=levels.device)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    last = counts.gather(2, levels.amax(2, keepdim=True))
    step = (levels.shape[2] - last) // 255
    below = counts.cumsum(2) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp(0, 255)
    spread = table.gather(2, levels).view(pictures.shape).to(pictures.dtype) / 255
    return torch.where((step > 0)[..., None], spread, pictures)


Operation = Callable[[Tensor, Tensor, Reach], Tensor]
OPERATIONS: dict[str, Operation] = {
    "same": lambda pictures, _, __: pictures,
    "shear right": lambda *given: _sheared(*given, down=False),
    "shear down": lambda *given: _sheared(*given, down=True),
    "shift right": lambda *given: _shifted(*given, down=False),
    "shift down": lambda *given: _shifted(*given, down=True),
    "turn": _turned,
    "brightness": lambda p, s, r: _blended(p, s, r, torch.zeros_like),
    "colour": lambda p, s, r: _blended(p, s, r, _grey),
    "contrast": lambda p, s, r: _blended(p, s, r, _mean_grey),
    "sharpness": lambda p, s, r: _blended(p, s, r, _smooth),
    "posterize": _posterized,
    "solarize": _solarized,
    "auto-contrast": _stretched,
    "equalize": _equalized,
}
