"""Test-time augmentation: the same picture seen mirrored or moved by a pixel, as the recipe's augmentations have it."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from recipe.record.saved_model import View
from recipe.training.augment import Flip, Shift

PLAIN = View()


def views_of(augmentations: Iterable[object]) -> tuple[View, ...]:
    """The views that the recipe's own augmentations allow, the plain one first; it alone if they allow none.

    What training moved, turned or mirrored keeps its label: that was checked when the augmentation was taken on. Only
    changes that are the same for every picture become views; noise and erasing tell nothing new.
    """
    found = list(augmentations)
    flips = [False, True] if any(isinstance(one, Flip) and one.p > 0 for one in found) else [False]
    moves = any(isinstance(one, Shift) and one.pixels > 0 for one in found)
    places = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)] if moves else [(0, 0)]
    return tuple(View(flip=flip, down=down, right=right) for flip in flips for down, right in places)


def seen(inputs: Tensor, view: View) -> Tensor:
    """inputs (B, C, H, W) as the view has them; at an edge each channel's darkest value comes in, as in Shift."""
    if view.flip:
        inputs = inputs.flip(-1)
    if not (view.down or view.right):
        return inputs
    moved = torch.roll(inputs, (view.down, view.right), (-2, -1))
    inside = torch.ones(inputs.shape[-2:], dtype=torch.bool, device=inputs.device)
    _blank(inside, view.down)
    _blank(inside.T, view.right)
    return torch.where(inside, moved, inputs.amin((2, 3), keepdim=True))


def _blank(rows: Tensor, by: int) -> None:
    """The rows that a move by so many leaves empty."""
    if by > 0:
        rows[:by] = False
    elif by < 0:
        rows[by:] = False
