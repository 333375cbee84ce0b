"""One batch of examples."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from recipe.tree import Tree


class Batch(NamedTuple):
    """inputs: a tree of tensors (B, ...). targets: (B, ...). index: positions in the split, int64 (B), on the CPU."""

    inputs: Tree
    targets: Tensor
    index: Tensor  # type: ignore[assignment] # a tuple has a method of that name
