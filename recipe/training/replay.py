"""A step recorded once and played again: small nets keep a GPU waiting for the processor that names its kernels.

What is recorded (https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs) is told to the GPU in one go. Its
kernels and numbers are those of the step itself; Python is not run again, so all that changes has to lie in tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from recipe.tree import Tree, leaves, map_tree

WARM_UP = 3
"""Steps before the recording: libraries set themselves up and optimizers make their state at the first."""

Function = Callable[[Tree, Tensor], Tensor]


class Replay:
    """Plays one function of inputs and targets on a GPU; the weights that it changes stay where they are.

    python: what the function might keep in Python. If that changes from call to call, nothing is recorded. After
    `forget`, whatever the function reads may lie elsewhere.
    """

    def __init__(self, python: Callable[[], Any] = lambda: None) -> None:
        # The function comes with each call: kept, it would keep its owner's memory on the GPU until Python tidies up.
        self._python = python
        self._before: Any = None
        self._calls: dict[Any, int] = {}
        self._recordings: dict[Any, Recording] = {}
        self.refused = ""

    def __call__(self, function: Function, inputs: Tree, targets: Tensor) -> Tensor:
        """What the function (the same in every call) returns, in memory that the next call may write over."""
        key = tuple((leaf.shape, leaf.dtype) for leaf in (*leaves(inputs), targets))
        if key in self._recordings:
            return self._recordings[key](inputs, targets)
        calls = self._calls[key] = self._calls.get(key, 0) + 1
        if not self._recordings and calls == 1:
            self._before = self._python()
        if self.refused or calls <= WARM_UP:
            return function(inputs, targets)
        if self._python() != self._before:
            self.refused = "the model keeps numbers in Python that change with every step"
            return function(inputs, targets)
        try:
            self._recordings[key] = Recording(function, inputs, targets)
        except RuntimeError as error:  # of a kernel that cannot be recorded, or for want of memory
            self.refused = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            return function(inputs, targets)
        return self._recordings[key](inputs, targets)

    def forget(self) -> None:
        """Recordings are made anew."""
        self._calls, self._recordings = {}, {}


class Recording:
    """One call of the function with tensors of these shapes; made without running it."""

    def __init__(self, function: Function, inputs: Tree, targets: Tensor) -> None:
        self._inputs, self._targets = map_tree(torch.clone, inputs), targets.clone()
        self._graph = torch.cuda.CUDAGraph()
        # Readers that pin memory in a thread of their own are not in the way of this thread's recording.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._result = function(self._inputs, self._targets)

    def __call__(self, inputs: Tree, targets: Tensor) -> Tensor:
        """Plays it on these."""
        for own, given in zip(leaves(self._inputs), leaves(inputs), strict=True):
            own.copy_(given)
        self._targets.copy_(targets)
        self._graph.replay()
        return self._result
