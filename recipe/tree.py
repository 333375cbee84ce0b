"""Inputs as the data give them: a tensor, or a tuple or mapping of such. Shared by the rooms that hold or feed them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

Tree: TypeAlias = Any
"""Tensor | tuple[Tree, ...] | dict[str, Tree]; every tensor has the item as its first dimension."""


def map_tree(function: Callable[[Tensor], Any], tree: Tree) -> Tree:
    """The same tree with `function` applied to every tensor."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, dict):
        return {key: map_tree(function, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return tuple(map_tree(function, value) for value in tree)
    raise TypeError(f"inputs are tensors, tuples or mappings of them, not {type(tree).__name__}")


def leaves(tree: Tree) -> Iterator[Tensor]:
    """The tensors, in order."""
    if isinstance(tree, Tensor):
        yield tree
    else:
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(value)


def is_tree(value: object) -> bool:
    """Whether `value` consists of tensors only."""
    if isinstance(value, dict):
        return bool(value) and all(map(is_tree, value.values()))
    if isinstance(value, (tuple, list)):
        return bool(value) and all(map(is_tree, value))
    return isinstance(value, Tensor)


def stack(items: Sequence[Any]) -> Tree:
    """Single examples (tensors, arrays, pictures, numbers, tuples or mappings of them) to one batch."""
    first = items[0]
    if isinstance(first, dict):
        return {key: stack([item[key] for item in items]) for key in first}
    if isinstance(first, (tuple, list)):
        return tuple(stack(column) for column in zip(*items, strict=True))
    return torch.stack([as_tensor(item) for item in items])


def join(parts: Sequence[Tree]) -> Tree:
    """Batches of one structure, one after the other, as one batch."""
    first = parts[0]
    if isinstance(first, dict):
        return {key: join([part[key] for part in parts]) for key in first}
    if isinstance(first, (tuple, list)):
        return tuple(join(column) for column in zip(*parts, strict=True))
    return torch.cat(list(parts)) if len(parts) > 1 else first


def as_tensor(item: Any) -> Tensor:
    """One example as a tensor; a picture becomes uint8 of shape (channels, height, width)."""
    if isinstance(item, Tensor):
        return item
    import numpy

    array = numpy.asarray(item)
    if hasattr(item, "getbands"):
        array = array[:, :, None] if array.ndim == 2 else array
        array = array.transpose(2, 0, 1)
    return torch.from_numpy(numpy.ascontiguousarray(array))


def count_bytes(tree: Tree) -> int:
    """Memory of all tensors in bytes."""
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves(tree))
