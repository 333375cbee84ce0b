"""R13: the weights of the first layer as pictures, each with a score of how much it looks like noise.

"Visualize the network's first-layer weights and ensure you get nice edges that make sense. If your first layer filters
look like noise then something could be off." Karpathy 2019.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from recipe.data.pictures import drawn, sheet
from recipe.record.evidence import CannotMeasure
from recipe.record.features import Sheet
from recipe.record.filters import FirstFilters

if TYPE_CHECKING:
    from recipe.record.evidence import Shelf

SHOWN, ACROSS = 64, 16
LEAST = 3
"""Pixels a side below which a filter has no neighbours to speak of."""


def first_filters(before: nn.Module, after: nn.Module, input_shape: object, shelf: Shelf) -> FirstFilters:
    """Of the same net at its start and at its end. CannotMeasure where its first layer sees no pictures."""
    name, filters = first_layer(after, input_shape)
    _, at_start = first_layer(before, input_shape)
    noise, start = noise_of(filters), noise_of(at_start)
    # The loudest first: a filter that hardly answers says little, whatever it looks like.
    order = filters.flatten(1).norm(dim=1).argsort(descending=True)[:SHOWN].tolist()
    picture, down = sheet([_drawn(filters[k]) for k in order], min(ACROSS, len(order)))
    return FirstFilters(
        layer=name,
        count=len(filters),
        shape=tuple(filters.shape[1:]),
        noise=tuple(noise.tolist()),
        noise_at_start=tuple(start.tolist()),
        sheet=Sheet(
            side=shelf.put_side("first_filters.png", picture),
            across=min(ACROSS, len(order)),
            down=down,
            count=len(order),
            captions=tuple(f"noise {float(noise[k]):.2f}" for k in order),
        ),
    )


def first_layer(model: nn.Module, input_shape: object) -> tuple[str, Tensor]:
    """(name of the first layer, its weights (O, C, h, w)); of a dense one as the pictures that it weighs."""
    if not isinstance(input_shape, tuple) or len(input_shape) != 3:
        raise CannotMeasure("inputs are no pictures")
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, nn.Conv2d) and min(module.kernel_size) >= LEAST:
            return name, module.weight.detach().cpu().float()
        if isinstance(module, nn.Linear) and module.in_features == math.prod(input_shape):
            return name, module.weight.detach().cpu().float().view(-1, *input_shape)
        if isinstance(weight, Tensor) and weight.dim() > 1:
            break
    raise CannotMeasure(f"the first layer has no filters of {LEAST} pixels or more that see a picture")


def noise_of(filters: Tensor) -> Tensor:
    """(O,) of (O, C, h, w): squared difference of neighbours over twice the variance (von Neumann 1941).

    About 1 for independent numbers, near 0 where a filter is smooth; not-a-number where it is constant.
    """
    across = filters.diff(dim=3).square().flatten(1)
    along = filters.diff(dim=2).square().flatten(1)
    steps = torch.cat([across, along], 1).mean(1)
    variance = filters.flatten(2).var(dim=2).mean(1)
    return torch.where(variance > 0, steps / (2 * variance), torch.nan)


def _drawn(one: Tensor) -> np.ndarray:
    """uint8 (h, w, 3): grey is nothing, white and black are the filter's own largest weight."""
    most = float(one.abs().max()) or 1.0
    shown = one if one.shape[0] in (1, 3) else one.mean(0, keepdim=True)
    return drawn(shown.permute(1, 2, 0), (-most, most))
