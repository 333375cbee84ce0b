"""A transformer for tokens, rows of numbers, or patches of a picture (Vaswani et al. 2017; Dosovitskiy et al. 2021)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recipe.models.block import Branch
from recipe.models.steps import Steps, pooled

STD = 0.02
"""Deviation of the initial weights of embeddings and head, as in GPT-2."""


class Transformer(nn.Module):
    """Sequences or pictures → raw outputs (B, num_outputs), or (B, T, num_outputs) where every step is asked.

    `depth` blocks of `heads` heads and `width` numbers a step, normed before each part. patch: side of a picture's
    patches, None for about a seventh of it. Where every step is asked, none sees what comes after it.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        vocabulary: int | None = None,
        every_step: bool = False,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        patch: int | None = None,
        dropout: float = 0.0,
        masked: bool = False,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{width} numbers a step cannot be shared by {heads} heads: model.heads=…")
        self.every_step = every_step
        picture = len(input_shape) == 3 and not every_step
        self.steps: nn.Module = (
            Patches(input_shape, width, patch)
            if picture
            else Steps(input_shape, vocabulary, width, padded=not every_step, masked=masked)
        )
        self.place = nn.Parameter(torch.empty(1, int(self.steps.length), width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout, causal=every_step) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, num_outputs)
        nn.init.normal_(self.place, std=STD)
        nn.init.normal_(self.head.weight, std=STD)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        states, there = self.steps(x)
        states = states + self.place[:, : states.shape[1]]
        for block in self.blocks:
            states = block(states, there)
        states = self.norm(states)
        return self.head(states if self.every_step else pooled(states, there, "mean"))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention, then two layers on each step by itself; both beside a shortcut."""

    def __init__(self, width: int, heads: int, dropout: float, *, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.first_norm, self.second_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.hidden, self.back = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.activation = nn.GELU()
        self.drop = nn.Dropout(dropout) if dropout else nn.Identity()
        self.branch = Branch()

    def forward(self, x: Tensor, there: Tensor | None) -> Tensor:
        """(B, T, width) → the same shape."""
        x = x + self.branch(self.drop(self._attend(self.first_norm(x), there)))
        return x + self.branch(self.drop(self.back(self.activation(self.hidden(self.second_norm(x))))))  # type: ignore[no-any-return]

    def _attend(self, x: Tensor, there: Tensor | None) -> Tensor:
        batch, length, width = x.shape
        parts = self.ask(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mask = None
        if there is not None:
            # A text without a word attends to its padding: a row of nothing would be no number.
            mask = (there | ~there.any(dim=1, keepdim=True))[:, None, None, :]
        found = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=mask, is_causal=self.causal)
        return self.answer(found.transpose(1, 2).reshape(batch, length, width))  # type: ignore[no-any-return]


class Patches(nn.Module):
    """Pictures (B, C, H, W) → (B, patches, width), None."""

    def __init__(self, input_shape: tuple[int, ...], width: int, patch: int | None) -> None:
        super().__init__()
        channels, height, across = input_shape
        side = patch or _side(height, across)
        if height % side or across % side:
            raise ValueError(f"patches of {side} do not fill pictures of {across} × {height}: model.patch=…")
        self.length = (height // side) * (across // side)
        self.cut = nn.Conv2d(channels, width, side, stride=side)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Row by row."""
        return self.cut(x).flatten(2).transpose(1, 2), None


def _side(height: int, width: int) -> int:
    """The divisor of both sides that is nearest to a seventh of the picture; above 1 where there is one."""
    common = math.gcd(height, width)
    sides = [k for k in range(2, common + 1) if common % k == 0] or [1]
    return min(sides, key=lambda k: abs(k - min(height, width) / 7))
