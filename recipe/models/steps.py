"""What sequence models read: tokens through an embedding, numbers through a linear layer; and what is padding."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor, nn

PADDING = 0
"""The token that only fills up."""


class Sequence(NamedTuple):
    """steps: (B, T, width). there: bool (B, T), which steps are no padding; None where all are."""

    steps: Tensor
    there: Tensor | None


class Steps(nn.Module):
    """Inputs → a sequence of vectors: tokens (T), numbers (T) or (T, F), or the rows of a picture (C, H, W).

    vocabulary: how many tokens there are, None for numbers. padded: whether token 0 is padding; then it has no vector.
    masked: whether the last number of a step is positive where the step is there, and not where it only fills up.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        vocabulary: int | None,
        width: int,
        *,
        padded: bool,
        masked: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(input_shape, tuple) or not 1 <= len(input_shape) <= 3 or isinstance(input_shape[0], tuple):
            raise ValueError(f"a sequence has the shape (T), (T, F) or (C, H, W), not {input_shape}")
        self.tokens = vocabulary is not None and len(input_shape) == 1
        self.padded, self.masked = padded and self.tokens, masked and len(input_shape) == 2
        self.length = input_shape[1] if len(input_shape) == 3 else input_shape[0]
        if self.tokens:
            self.reader: nn.Module = nn.Embedding(vocabulary or 0, width, padding_idx=PADDING if self.padded else None)
        else:
            self.reader = nn.Linear(math.prod(input_shape) // self.length, width)

    def forward(self, x: Tensor) -> Sequence:
        """(B, *input_shape) → (B, T, width)."""
        if self.tokens:
            return Sequence(self.reader(x), x != PADDING if self.padded else None)
        rows = x.transpose(1, 2).flatten(2) if x.ndim == 4 else x[..., None] if x.ndim == 2 else x
        return Sequence(self.reader(rows), rows[..., -1] > 0 if self.masked else None)


def pooled(states: Tensor, there: Tensor | None, how: str) -> Tensor:
    """(B, T, H) → (B, H): the mean or the largest of the steps that are there, or the last of them."""
    if how not in POOLS:
        raise ValueError(f"pool {how!r} is none of {', '.join(POOLS)}")
    if there is None:
        return states[:, -1] if how == "last" else states.mean(dim=1) if how == "mean" else states.amax(dim=1)
    count = there.sum(dim=1).clamp(min=1)
    if how == "last":
        return states[range(len(states)), count - 1]
    if how == "mean":
        return (states * there[..., None]).sum(dim=1) / count[:, None]
    # A text without a word has no largest step; it gets nothing.
    return states.masked_fill(~there[..., None], -1e4).amax(dim=1) * there.any(dim=1)[:, None]


POOLS = ("mean", "max", "last")
