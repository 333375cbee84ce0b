"""Inputs that are preprocessed and on their device already: the feeds of many trials share one copy."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from recipe.tree import Tree, leaves


class _Entry(NamedTuple):
    made_by: Callable[[], Any] | None
    device: torch.device
    identity: tuple[int, ...]
    inputs: Tree


class Ready:
    """Remembers copies by the very tensors they were made of, for as long as those live."""

    def __init__(self) -> None:
        self._known: Any = WeakTensorKeyDictionary()

    def find(self, inputs: Tree, preprocess: Any, device: torch.device) -> Tree | None:
        """The copy that this very preprocessing made of these very tensors."""
        for entry in self._known.get(next(leaves(inputs)), ()):
            made_by = entry.made_by and entry.made_by()
            if made_by is preprocess and (entry.device, entry.identity) == (device, _identity(inputs)):
                return entry.inputs
        return None

    def keep(self, inputs: Tree, preprocess: Any, device: torch.device, ready: Tree) -> None:
        """Shares `ready` from now on; what a preprocessing made that is gone is forgotten."""
        if any(a is b for a, b in zip(leaves(inputs), leaves(ready), strict=False)):
            return
        try:
            made_by = None if preprocess is None else weakref.ref(preprocess)
        except TypeError:
            return
        first = next(leaves(inputs))
        kept = [entry for entry in self._known.get(first, ()) if entry.made_by is None or entry.made_by() is not None]
        self._known[first] = [*kept, _Entry(made_by, device, _identity(inputs), ready)]


READY = Ready()


def _identity(inputs: Tree) -> tuple[int, ...]:
    return tuple(map(id, leaves(inputs)))
