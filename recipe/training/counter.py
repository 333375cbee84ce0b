"""Random numbers that are a pure function of (seed, epoch, index, draw): whole batches of them at once.

Keys are int64 tensors (B); a draw hashes key and counter with splitmix64, so no generator has a state, and neither
the batch an item fell into nor the number of workers can matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from recipe.training.seeding import GOLDEN, derive


def _signed(word: int) -> int:
    """The same 64 bits as a signed integer, as torch's int64 wants it."""
    return word - (1 << 64) if word >= 1 << 63 else word


_GOLDEN = _signed(GOLDEN)
_FIRST = _signed(0xBF58476D1CE4E5B9)
_SECOND = _signed(0x94D049BB133111EB)


def item_keys(seed: int, epoch: int, index: Tensor) -> Tensor:
    """One key for each item: int64 (B) from positions (B)."""
    return _mix(index * _GOLDEN + derive(seed, "item", epoch))


def salted(keys: Tensor, salt: int) -> Tensor:
    """Independent keys for another purpose: (B)."""
    return _mix(keys + _signed(derive(salt, "salt")))


def uniform(keys: Tensor, draw: int, shape: Sequence[int] = ()) -> Tensor:
    """Float32 in [0, 1), shape (B, *shape); `draw` numbers the draws of one transform."""
    return (_words(keys, draw, shape) >> 40 & 0xFFFFFF).to(torch.float32) * 2.0**-24


def normal(keys: Tensor, draw: int, shape: Sequence[int] = ()) -> Tensor:
    """Standard normal float32, shape (B, *shape), by Box and Muller from the two halves of each word."""
    words = _words(keys, draw, shape)
    radius = ((words >> 40 & 0xFFFFFF).to(torch.float32) + 1) * 2.0**-24
    angle = (words & 0xFFFFFF).to(torch.float32) * (2 * math.pi * 2.0**-24)
    return torch.sqrt(-2 * torch.log(radius)) * torch.cos(angle)


def integers(keys: Tensor, draw: int, low: int, high: int) -> Tensor:
    """Int64 in [low, high], shape (B)."""
    return low + (uniform(keys, draw) * (high - low + 1)).to(torch.int64)


def _words(keys: Tensor, draw: int, shape: Sequence[int]) -> Tensor:
    base = _mix(keys + _signed(derive(draw, "draw")))
    if not shape:
        return base
    counts = torch.arange(1, math.prod(shape) + 1, device=keys.device) * _GOLDEN
    return _mix(base[:, None] + counts).view(-1, *shape)


def _mix(words: Tensor) -> Tensor:
    """splitmix64 on signed words: products wrap, shifts are masked to be logical."""
    words = (words ^ (words >> 30 & (1 << 34) - 1)) * _FIRST
    words = (words ^ (words >> 27 & (1 << 37) - 1)) * _SECOND
    return words ^ (words >> 31 & (1 << 33) - 1)
