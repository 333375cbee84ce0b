"""Batched augmentations: aug(inputs, keys) on preprocessed pictures (B, C, H, W), random by item key alone.

What a picture is filled up with is its own darkest value per channel, unless a number is given: after
preprocessing, zero need not be black.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from recipe.record.refusal import Refusal
from recipe.training.counter import integers, normal, uniform


class Augmentation:
    """One random change of each picture of a batch."""

    batched: ClassVar[bool] = True
    pictures: ClassVar[bool] = True

    def __call__(self, inputs: Tensor, keys: Tensor) -> Tensor:
        """inputs (B, C, H, W) float, keys int64 (B) → the same shape."""
        if self.pictures and inputs.ndim != 4:
            raise Refusal(
                f"{type(self).__name__} needs pictures (B, C, H, W), not {tuple(inputs.shape)}",
                where="regularizers.augment",
                fix="regularizers.augment=null",
            )
        return self._change(inputs, keys)

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        raise NotImplementedError


class Shift(Augmentation):
    """Moves the picture by up to `pixels` each way (a random crop after padding)."""

    def __init__(self, pixels: int = 2, fill: float | None = None) -> None:
        self.pixels, self.fill = pixels, fill

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        batch, channels, height, width = inputs.shape
        down = integers(keys, 0, -self.pixels, self.pixels)[:, None]
        right = integers(keys, 1, -self.pixels, self.pixels)[:, None]
        rows = torch.arange(height, device=inputs.device) - down
        columns = torch.arange(width, device=inputs.device) - right
        inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
        flat = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
        places = flat.view(batch, 1, -1).expand(-1, channels, -1)
        moved = inputs.flatten(2).gather(2, places).view(inputs.shape)
        return torch.where(inside[:, None], moved, _filling(inputs, self.fill))


class Flip(Augmentation):
    """Mirrors left and right with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        chosen = uniform(keys, 0) < self.p
        return torch.where(chosen.view(-1, 1, 1, 1), inputs.flip(-1), inputs)


class Rotate(Augmentation):
    """Turns the picture by up to `degrees` and scales it by up to a share of `scale`, both ways."""

    def __init__(self, degrees: float = 10.0, scale: float = 0.0, fill: float | None = None) -> None:
        self.degrees, self.scale, self.fill = degrees, scale, fill

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        angle = (2 * uniform(keys, 0) - 1) * math.radians(self.degrees)
        size = 1 + (2 * uniform(keys, 1) - 1) * self.scale
        cosine, sine, zero = torch.cos(angle) / size, torch.sin(angle) / size, torch.zeros_like(angle)
        ratio = inputs.shape[-2] / inputs.shape[-1]
        rows = ((cosine, -sine * ratio, zero), (sine / ratio, cosine, zero))
        return resampled(inputs, rows, self.fill)


class Stretch(Augmentation):
    """Makes the picture wider or narrower, and taller or flatter by another draw: each by up to a share of `amount`."""

    def __init__(self, amount: float = 0.15, fill: float | None = None) -> None:
        self.amount, self.fill = amount, fill

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        wide, tall = (1 / (1 + (2 * uniform(keys, draw) - 1) * self.amount) for draw in (0, 1))
        zero = torch.zeros_like(wide)
        return resampled(inputs, ((wide, zero, zero), (zero, tall, zero)), self.fill)


class Crop(Augmentation):
    """Cuts out a part of at least the share `least` of each side, anywhere, and enlarges it to the picture's size."""

    def __init__(self, least: float = 0.8) -> None:
        self.least = least

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        size = self.least + uniform(keys, 0) * (1 - self.least)
        right, down = ((2 * uniform(keys, draw) - 1) * (1 - size) for draw in (1, 2))
        zero = torch.zeros_like(size)
        return resampled(inputs, ((size, zero, right), (zero, size, down)), None)


class Brightness(Augmentation):
    """Adds up to `amount` standard deviations of the picture, both ways."""

    def __init__(self, amount: float = 0.2) -> None:
        self.amount = amount

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        shift = (2 * uniform(keys, 0) - 1) * self.amount
        return inputs + shift.view(-1, 1, 1, 1) * inputs.std((1, 2, 3), keepdim=True)


class Contrast(Augmentation):
    """Stretches the picture about its mean by up to a share of `amount`, both ways."""

    def __init__(self, amount: float = 0.2) -> None:
        self.amount = amount

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        factor = 1 + (2 * uniform(keys, 0) - 1).view(-1, 1, 1, 1) * self.amount
        mean = inputs.mean((1, 2, 3), keepdim=True)
        return mean + (inputs - mean) * factor


class Colour(Augmentation):
    """Makes each channel stronger or weaker about its mean, by a draw of its own: up to a share of `amount`."""

    def __init__(self, amount: float = 0.1) -> None:
        self.amount = amount

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        factor = 1 + (2 * uniform(keys, 0, (inputs.shape[1], 1, 1)) - 1) * self.amount
        mean = inputs.mean((2, 3), keepdim=True)
        return mean + (inputs - mean) * factor


class Erase(Augmentation):
    """Blanks one rectangle of up to `share` of the area with probability p (Zhong et al. 2017)."""

    def __init__(self, share: float = 0.2, p: float = 0.5, fill: float | None = None) -> None:
        self.share, self.p, self.fill = share, p, fill

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        area = uniform(keys, 0) * self.share
        shape = torch.exp((2 * uniform(keys, 1) - 1) * math.log(2.0))
        rows = _span(inputs.shape[-2], torch.sqrt(area * shape), uniform(keys, 2), inputs.device)
        columns = _span(inputs.shape[-1], torch.sqrt(area / shape), uniform(keys, 3), inputs.device)
        chosen = (uniform(keys, 4) < self.p).view(-1, 1, 1)
        blank = rows[:, :, None] & columns[:, None, :] & chosen
        return torch.where(blank[:, None], _filling(inputs, self.fill), inputs)


class WordDrop(Augmentation):
    """Leaves out each word with probability p: a token becomes the unknown one (1), a column of a bag of words 0."""

    pictures: ClassVar[bool] = False

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        gone = uniform(keys, 0, inputs.shape[1:]) < self.p
        nothing = torch.zeros_like(inputs) if inputs.is_floating_point() else torch.ones_like(inputs)
        # Padding is no word.
        return torch.where(gone & (inputs != 0), nothing, inputs)


class Noise(Augmentation):
    """Adds normal noise of standard deviation `std`; for any shape."""

    pictures: ClassVar[bool] = False

    def __init__(self, std: float = 0.05) -> None:
        self.std = std

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        if not inputs.is_floating_point():
            return inputs
        return inputs + self.std * normal(keys, 0, inputs.shape[1:]).to(inputs.dtype)


class Blank(Augmentation):
    """Sets each number of a row to 0, its mean after preprocessing, with probability p; for any shape."""

    pictures: ClassVar[bool] = False

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        if not inputs.is_floating_point():
            return inputs
        return inputs.masked_fill(uniform(keys, 0, inputs.shape[1:]) < self.p, 0.0)


class BlankTime(Augmentation):
    """Sets one stretch of up to `share` of the steps of a series (B, T, …) to 0, its mean after preprocessing."""

    pictures: ClassVar[bool] = False

    def __init__(self, share: float = 0.1) -> None:
        self.share = share

    def _change(self, inputs: Tensor, keys: Tensor) -> Tensor:
        if not inputs.is_floating_point() or inputs.ndim < 2:
            return inputs
        gone = _span(inputs.shape[1], uniform(keys, 0) * self.share, uniform(keys, 1), inputs.device)
        return inputs.masked_fill(gone.view(*gone.shape, *[1] * (inputs.ndim - 2)), 0.0)


def resampled(inputs: Tensor, rows: Sequence[Sequence[Tensor]], fill: float | None) -> Tensor:
    """Each picture as its own 2 × 3 matrix says, which takes places of the result to places of the picture."""
    matrices = torch.stack([torch.stack(tuple(row), 1) for row in rows], 1).to(inputs.dtype)
    grid = F.affine_grid(matrices, list(inputs.shape), align_corners=False)
    filling = _filling(inputs, fill)
    return F.grid_sample(inputs - filling, grid, align_corners=False) + filling


def _filling(inputs: Tensor, fill: float | None) -> Tensor:
    """(B, C, 1, 1), or (1) for a number."""
    return inputs.amin((2, 3), keepdim=True) if fill is None else inputs.new_tensor(fill)


def _within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)


def _span(size: int, length: Tensor, centre: Tensor, device: torch.device) -> Tensor:
    """Which of `size` places lie within length · size of the centre: bool (B, size)."""
    places = (torch.arange(size, device=device) + 0.5) / size
    return (places - centre[:, None]).abs() < length[:, None] / 2
