"""What a source gives as inputs and targets, in whatever form → tensors and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from recipe.data.cells import Cells
from recipe.data.texts import Texts
from recipe.record.refusal import Refusal
from recipe.tree import as_tensor, is_tree, leaves, map_tree


def inputs_of(value: Any, name: str, target: str) -> Any:
    """Arrays, tensors or lists, in tuples or mappings or not, as a tree of tensors; cells and texts as they are."""
    if isinstance(value, (Cells, Texts)):
        return value
    if _are_texts(value):
        return Texts([str(text) for text in value])
    if isinstance(value, Mapping):
        tree: Any = {key: inputs_of(part, name, target) for key, part in value.items()}
    elif isinstance(value, tuple):
        tree = tuple(inputs_of(part, name, target) for part in value)
    else:
        try:
            tree = as_tensor(np.asarray(value) if isinstance(value, list) else value)
        except (TypeError, ValueError) as error:
            raise Refusal(
                f"the inputs of {name} cannot be made a tensor ({str(error).splitlines()[0]})",
                where=target,
                fix="give numbers in an array of one shape",
            ) from error
    sizes = {len(leaf) if leaf.ndim else 0 for leaf in leaves(tree)} if is_tree(tree) else {0}
    if len(sizes) != 1:
        raise Refusal(
            f"the inputs of {name} differ in length: {sorted(sizes)}", where=target, fix="give each as many items"
        )
    return map_tree(lambda leaf: leaf.detach().cpu(), tree)


def _are_texts(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(text, str) for text in value)
    return isinstance(value, np.ndarray) and value.ndim == 1 and (value.dtype.kind == "U" or _are_texts(value.tolist()))


def array_of(values: Any) -> np.ndarray:
    """Targets, or what stands beside the items, as an array."""
    if isinstance(values, Tensor):
        return values.detach().cpu().numpy()
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], Tensor):
        return np.stack([v.detach().cpu().numpy() for v in values])
    return np.asarray(values)
