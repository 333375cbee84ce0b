"""Mixup, CutMix, copy-paste: batches blended with themselves in another order."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipe.record.refusal import Refusal
from recipe.tree import Tree, leaves, map_tree

_PASTE = "regularizers.copy_paste"
# A border may vary by this share of what a picture spans and still be a plain ground; an object differs by that one.
_PLAIN, _STANDS_OUT = 0.1, 0.25


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


def copy_paste(inputs: Tree, amount: float) -> tuple[Tree, Tensor, Tensor]:
    """The object of a partner laid over a share `amount` of the pictures (B, C, H, W), at another place.

    An object is what differs from the picture's own border, so the background must be plain (Ghiasi et al. 2021 take
    masks that people drew). Returns (inputs, partner (B), share of what is seen that is the item's own (B)).
    """
    if not isinstance(inputs, Tensor) or inputs.ndim != 4:
        raise Refusal("only pictures (B, C, H, W) have objects", where=_PASTE, fix=f"{_PASTE}=null")
    batch, _, height, width = inputs.shape
    own = objects(inputs)
    partner = torch.randperm(batch).to(inputs.device)
    chosen = (torch.rand(batch) < amount).to(inputs.device)
    down, right = (int(torch.randint(-(size // 4), size // 4 + 1, ())) for size in (height, width))
    pasted = _moved(inputs[partner], down, right)
    mask = _moved(own[partner], down, right) & chosen.view(-1, 1, 1, 1)
    left = (own & ~mask).sum((1, 2, 3)).float()
    shown = mask.sum((1, 2, 3)).float()
    # Where nothing was laid over it an item is its own, also when its own object cannot be told.
    shares = torch.where(shown > 0, left / (left + shown).clamp(min=1), 1.0)
    return torch.where(mask, pasted, inputs), partner, shares


def objects(pictures: Tensor) -> Tensor:
    """bool (B, 1, H, W): what stands out from the border by a quarter of what the picture spans, in any channel."""
    border = torch.cat([pictures[..., 0, :], pictures[..., -1, :], pictures[..., 0], pictures[..., -1]], dim=-1)
    ground = border.median(dim=-1).values[..., None, None]
    span = (pictures.amax((1, 2, 3)) - pictures.amin((1, 2, 3))).view(-1, 1, 1, 1)
    rough = (border - ground[..., 0]).abs().mean((1, 2)).view(-1, 1, 1, 1)
    # A border that is no plain ground tells nothing: then there is no object.
    plain = rough < _PLAIN * span
    return ((pictures - ground).abs() > _STANDS_OUT * span).any(dim=1, keepdim=True) & plain


def blended(loss: object, targets: Tensor, classes: int, partner: Tensor, shares: Tensor) -> Tensor:
    """Targets of which each item keeps its own share: classes become rows of shares. Refusal for a loss without."""
    if isinstance(loss, nn.CrossEntropyLoss) and targets.ndim == 1 and not targets.is_floating_point():
        targets = F.one_hot(targets, classes)
    elif not isinstance(loss, nn.BCEWithLogitsLoss):
        raise Refusal(f"{type(loss).__name__} takes no shares of two labels", where=_PASTE, fix=f"{_PASTE}=null")
    own = shares.view(-1, *[1] * (targets.ndim - 1))
    return own * targets + (1 - own) * targets[partner]


def _moved(pictures: Tensor, down: int, right: int) -> Tensor:
    """Whole pixels; what leaves on one side does not come back on the other."""
    moved = torch.zeros_like(pictures)
    height, width = pictures.shape[-2:]
    rows = slice(max(0, down), min(height, height + down)), slice(max(0, -down), min(height, height - down))
    columns = slice(max(0, right), min(width, width + right)), slice(max(0, -right), min(width, width - right))
    moved[..., rows[0], columns[0]] = pictures[..., rows[1], columns[1]]
    return moved


def _drawn(inputs: Tree, alpha: float) -> tuple[float, Tensor]:
    """A Beta(alpha, alpha) share and a permutation, from the global CPU generator, on the inputs' device."""
    first = next(leaves(inputs))
    gammas = torch._standard_gamma(torch.full((2,), float(alpha), dtype=torch.float64))
    share = float(gammas[0] / gammas.sum())
    return share, torch.randperm(len(first)).to(first.device)


def _side(centre: float, size: int, share: float) -> tuple[int, int]:
    length = size * math.sqrt(1 - share)
    return max(0, round(centre * size - length / 2)), min(size, round(centre * size + length / 2))
