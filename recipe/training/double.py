"""A learner in double precision: the loss of a step as a function of the weights alone, for differences."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from recipe.machine import own_random_numbers
from recipe.record.evidence import CannotMeasure
from recipe.record.said import said
from recipe.training.batch import Batch
from recipe.training.evaluate import evaluating
from recipe.training.learner import Learner
from recipe.tree import map_tree


def in_double(learner: Learner) -> Learner:
    """A copy of model and loss in float64, on the CPU."""
    try:
        learner.model = copy.deepcopy(learner.model).double().cpu()
        if isinstance(learner.loss, nn.Module):
            learner.loss = copy.deepcopy(learner.loss).double().cpu()
    except (RuntimeError, TypeError, AttributeError) as error:
        raise CannotMeasure(f"the model cannot be copied in double precision ({said(error, kind=False)})") from error
    return learner


def doubled(batch: Batch) -> Batch:
    """The batch in float64, on the CPU; whole numbers stay."""

    def double(leaf: Tensor) -> Tensor:
        return leaf.detach().cpu().double() if leaf.is_floating_point() else leaf.detach().cpu()

    return Batch(map_tree(double, batch.inputs), double(batch.targets), batch.index)


@contextmanager
def double_precision() -> Iterator[None]:
    """What a forward pass makes anew (a first hidden state) is in double precision too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class StepLoss:
    """The step's loss as a function of the weights alone: same batch, random numbers and buffers every time."""

    def __init__(self, learner: Learner, batch: Batch, mode: str, seed: int) -> None:
        self.learner, self.model, self._batch, self._mode, self._seed = learner, learner.model, batch, mode, seed
        self._buffers = [(b, b.detach().clone()) for b in learner.model.buffers()]
        self.named = [(name, p) for name, p in learner.model.named_parameters() if p.requires_grad]

    def __call__(self) -> Tensor:
        """The loss, with its graph."""
        with self.inside():
            learner = self.learner
            if learner.step is not None:
                return learner.step(self.model, self._batch, learner.loss)
            return learner.loss(self.model(self._batch.inputs), self._batch.targets)

    def outputs(self) -> Tensor:
        """What the loss gets of the net."""
        with self.inside(), torch.no_grad():
            outputs: Tensor = self.model(self._batch.inputs)
        return outputs

    @contextmanager
    def inside(self) -> Iterator[None]:
        """The mode, the random numbers and the buffers of every evaluation."""
        with torch.no_grad():
            # before and not after: the backward pass still needs what the forward pass has written
            for buffer, kept in self._buffers:
                if not torch.equal(buffer, kept):
                    buffer.copy_(kept)
        with own_random_numbers(self._seed):
            if self._mode == "train":
                self.model.train()
                yield
            else:
                with evaluating(self.model):
                    yield

    def require(self) -> None:
        """Raises CannotMeasure where differences would mean nothing."""
        if not self.named:
            raise CannotMeasure("no parameter is trained")
        narrow = _Narrow()
        try:
            with narrow:
                first = self()
        except (RuntimeError, TypeError, ValueError) as error:
            raise CannotMeasure(f"the model cannot run in double precision ({said(error, kind=False)})") from error
        if not first.requires_grad:
            raise CannotMeasure("the loss has no gradient")
        if not bool(first.isfinite()):
            raise CannotMeasure("the loss is not finite")
        if narrow.seen:
            raise CannotMeasure(f"the net computes in {narrow.seen} inside, too coarse for differences")
        if float(first.detach()) != float(self().detach()):
            raise CannotMeasure("the loss changes from call to call, by random numbers that no seed reaches")


class _Narrow(TorchFunctionMode):
    """Notes a computation in less than double precision. (A dispatch mode would see more, and import the compiler.)"""

    seen = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for one in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(one, Tensor) and one.is_floating_point() and one.dtype != torch.float64 and one.numel():
                self.seen = self.seen or f"{str(one.dtype).removeprefix('torch.')} ({getattr(func, '__name__', func)})"
        return result
