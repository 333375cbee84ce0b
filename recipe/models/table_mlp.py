"""An MLP for tables in which every category is first read by an embedding (Guo & Berkhahn 2016)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recipe.models.mlp import MLP


class TableMLP(nn.Module):
    """Rows of numbers and one-hot categories (B, F) → raw outputs (B, num_outputs).

    blocks: (first column, columns) of each category; it becomes `embed` numbers, or as many as its size suggests where
    that is None. A one-hot block through a linear map without bias is an embedding. The rest goes as `MLP` has it.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_outputs: int,
        blocks: Sequence[tuple[int, int]] = (),
        width: int = 256,
        depth: int = 2,
        embed: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        columns = math.prod(input_shape)
        self.blocks = [(int(at), int(size)) for at, size in blocks]
        inside = {column for at, size in self.blocks for column in range(at, at + size)}
        rest = torch.tensor([column for column in range(columns) if column not in inside], dtype=torch.int64)
        self.rest: Tensor
        self.register_buffer("rest", rest, persistent=False)
        widths = [embed or suggested(size) for _, size in self.blocks]
        tables = [nn.Linear(size, wide, bias=False) for (_, size), wide in zip(self.blocks, widths, strict=True)]
        for table in tables:
            nn.init.normal_(table.weight)
        self.tables = nn.ModuleList(tables)
        self.body = MLP((len(rest) + sum(widths),), num_outputs, width=width, depth=depth, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Raw outputs."""
        x = x.flatten(1)
        vectors = [table(x[:, at : at + size]) for table, (at, size) in zip(self.tables, self.blocks, strict=True)]
        return self.body(torch.cat([x[:, self.rest], *vectors], dim=1))  # type: ignore[no-any-return]


def suggested(categories: int) -> int:
    """Numbers for so many categories: fastai's rule, 1.6 · n ** 0.56, and no more than half of them or 64."""
    return max(1, min(64, (categories + 1) // 2, int(1.6 * categories**0.56 + 0.5)))
