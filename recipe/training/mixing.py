"""Mixup and CutMix: batches blended with themselves in another order."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from recipe.record.refusal import Refusal
from recipe.tree import Tree, leaves, map_tree


def mixup(inputs: Tree, alpha: float) -> tuple[Tree, Tensor, float]:
    """Convex blends (Zhang et al. 2018): (inputs, partner of each item (B), share of the item itself)."""
    if not all(leaf.is_floating_point() for leaf in leaves(inputs)):
        raise Refusal("whole numbers cannot be blended", where="regularizers.mixup", fix="regularizers.mixup=null")
    share, partner = _drawn(inputs, alpha)
    return map_tree(lambda leaf: share * leaf + (1 - share) * leaf[partner], inputs), partner, share


def cutmix(inputs: Tree, alpha: float) -> tuple[Tree, Tensor, float]:
    """A rectangle of each picture (B, C, H, W) replaced by its partner's (Yun et al. 2019); share is the area kept."""
    if not isinstance(inputs, Tensor) or inputs.ndim != 4:
        raise Refusal("CutMix needs pictures (B, C, H, W)", where="regularizers.cutmix", fix="regularizers.cutmix=null")
    share, partner = _drawn(inputs, alpha)
    height, width = inputs.shape[-2:]
    centre = torch.rand(2).tolist()
    top, bottom = _side(centre[0], height, share)
    left, right = _side(centre[1], width, share)
    mixed = inputs.clone()
    mixed[..., top:bottom, left:right] = inputs[partner][..., top:bottom, left:right]
    return mixed, partner, 1 - (bottom - top) * (right - left) / (height * width)


def _drawn(inputs: Tree, alpha: float) -> tuple[float, Tensor]:
    """A Beta(alpha, alpha) share and a permutation, from the global CPU generator, on the inputs' device."""
    first = next(leaves(inputs))
    gammas = torch._standard_gamma(torch.full((2,), float(alpha), dtype=torch.float64))
    share = float(gammas[0] / gammas.sum())
    return share, torch.randperm(len(first)).to(first.device)


def _side(centre: float, size: int, share: float) -> tuple[int, int]:
    length = size * math.sqrt(1 - share)
    return max(0, round(centre * size - length / 2)), min(size, round(centre * size + length / 2))
