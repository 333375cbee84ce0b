"""B17: what goes through each layer, forwards and backwards, before training and after a few steps.

Any model: outputs of modules that have weights or are activations, and of activation functions called in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recipe.losses import Loss
from recipe.probes.probe import chunked, copied, plain_learner, repeatable, rows_of, take
from recipe.record.evidence import CannotMeasure
from recipe.record.signals import LayerSignals, Signal, Signals
from recipe.training.batch import Batch
from recipe.training.listening import BOUNDED, SILENT, Listener

if TYPE_CHECKING:
    from recipe.probes.reference import Reference

ITEMS = (32, 256)
"""Items of the backward pass: a batch of the user's, but not fewer or more than these."""
NUMBERS = 100_000
"""So many numbers of an output are looked at for quantiles, and so many for twins."""
SUSPECT = 0.1
"""From this share of silent units on, more items are asked before they count as dead."""
SATURATED = 0.85
"""A unit is saturated whose mean distance from the middle of its range is more than this share of half of it."""


def measure_signals(reference: Reference, *, early: int, dead_items: int) -> Signals:
    """Both moments on the same items. dead_items: of the training sample, asked where units seem dead."""
    fresh = plain_learner(reference.ingredients, reference.seed).model
    size = min(max(ITEMS[0], reference.ingredients.config["train"]["batch_size"]), ITEMS[1])
    batch = take(reference.train, torch.arange(min(size, len(reference.train.targets))))
    loss = reference.ingredients.loss
    start, later = (_Hearing(copied(model), batch, loss) for model in (fresh, reference.early))
    names = [name for name in start.found if name in later.found]
    if not names:
        raise CannotMeasure("no layer's output could be heard")
    more = take(reference.train, torch.arange(min(dead_items, len(reference.train.targets))))
    dead = [_dead(hearing, more) for hearing in (start, later)]
    return Signals(
        items=len(batch.targets),
        dead_items=len(more.targets),
        early=early,
        layers=tuple(
            LayerSignals(
                name=name,
                kind=start.kinds[name].__name__,
                units=start.units[name],
                can_die=issubclass(start.kinds[name], SILENT),
                start=start.signal(name),
                early=later.signal(name),
                dead_start=dead[0].get(name, 0),
                dead_early=dead[1].get(name, 0),
            )
            for name in names
        ),
    )


class _Hearing(Listener):
    """One forward and one backward pass of a model of its own. found: {layer: numbers of its output}."""

    def __init__(self, model: nn.Module, batch: Batch, loss: Loss) -> None:
        super().__init__(model)
        self.model = model
        self.found: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, type[nn.Module]] = {}
        self.units: dict[str, int] = {}
        self._gradients: dict[str, Tensor] = {}
        model.train()
        self.start()
        with repeatable(0):
            outputs = model(batch.inputs)
        self.stop()
        value = loss(outputs, batch.targets) * len(batch.targets)
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]

    def measure(self, name: str, kind: type[nn.Module], output: Any) -> None:
        """Numbers of the output now, as it may be changed in place later; its gradient when it comes."""
        made = output[0] if isinstance(output, (tuple, list)) and output else output
        inner = name != "model" or not list(self.model.children())
        if (
            not inner
            or name in self.found
            or not isinstance(made, Tensor)
            or not made.is_floating_point()
            or made.ndim < 2
        ):
            return
        with torch._C.DisableTorchFunction():
            if made.requires_grad:
                made.register_hook(self._keep(name))  # type: ignore[no-untyped-call]
            self.kinds[name] = kind
            with torch.no_grad():
                self.found[name] = self._numbers(name, kind, made.detach().float())

    def _keep(self, name: str) -> Callable[[Tensor], None]:
        def hear(gradient: Tensor) -> None:
            self._gradients[name] = gradient.detach().float().flatten(1).norm(dim=1)

        return hear

    def _numbers(self, name: str, kind: type[nn.Module], output: Tensor) -> dict[str, Any]:
        others = self.all_but_units(output)
        units = next(d for d in range(output.ndim) if d not in others)
        self.units[name] = output.shape[units]
        sizes = _some(output).abs()
        present = sizes[sizes > 0]
        ends = torch.quantile(present, present.new_tensor([0.05, 0.5, 0.95])).tolist() if len(present) else [0.0] * 3
        columns = output.movedim(units, -1).flatten(0, -2)
        found: dict[str, Any] = {
            "rms": float(output.square().mean().sqrt()),
            "varies": float((output - output.mean(0, keepdim=True)).square().mean().sqrt()),
            "low": ends[0],
            "middle": ends[1],
            "high": ends[2],
            "zeros": 1 - len(present) / max(1, len(sizes)),
            "silent": int((columns == 0).all(0).sum()),
            "twins": _twins(columns),
            "finite": bool(output.isfinite().all()),
        }
        if kind in BOUNDED:
            low, high = BOUNDED[kind]
            found["saturated"] = float(
                ((2 * (columns - low) / (high - low) - 1).abs().mean(0) > SATURATED).float().mean()
            )
        return found

    def signal(self, name: str) -> Signal:
        """The record of one layer."""
        lengths = self._gradients.get(name)
        low, middle, high = (0.0, 0.0, 0.0) if lengths is None else _quantiles(lengths)
        return Signal(gradient=middle, gradient_low=low, gradient_high=high, **self.found[name])


def _some(output: Tensor) -> Tensor:
    """Numbers at even distances."""
    flat = output.flatten()
    return flat[:: max(1, len(flat) // NUMBERS)]


def _quantiles(values: Tensor) -> tuple[float, float, float]:
    low, middle, high = torch.quantile(values, values.new_tensor([0.05, 0.5, 0.95])).tolist()
    return low, middle, high


def _twins(columns: Tensor) -> int:
    """Units (columns) that give what another gives, on every row looked at; those that are always zero do not count."""
    rows = columns[:: max(1, columns.numel() // (10 * NUMBERS))]
    alive = rows[:, (rows != 0).any(0)]
    if alive.shape[1] < 2:
        return 0
    _, counts = torch.unique(alive, dim=1, return_counts=True)
    return int(counts[counts > 1].sum())


def _dead(hearing: _Hearing, batch: Batch) -> dict[str, int]:
    """Units that stay off on all of the items: asked only where many are off on a part of them."""
    silent = {n: f["silent"] for n, f in hearing.found.items() if issubclass(hearing.kinds[n], SILENT)}
    if not any(count > SUSPECT * hearing.units[name] for name, count in silent.items()):
        return silent
    asking = _Asking(hearing.model)
    with torch.no_grad(), repeatable(0):
        for rows in chunked(len(batch.targets), ITEMS[1]):
            asking.ask(rows_of(batch.inputs, rows))
    return {name: int(off.sum()) for name, off in asking.off.items() if name in silent}


class _Asking(Listener):
    """Which units are off on everything that was asked so far."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self._net = model
        self.off: dict[str, Tensor] = {}
        self._seen: set[str] = set()

    def ask(self, inputs: Any) -> None:
        """One more batch."""
        self._seen.clear()
        self.start()
        try:
            self._net(inputs)
        finally:
            self.stop()

    def measure(self, name: str, kind: type[nn.Module], output: Any) -> None:
        """Notes what is off, once a batch."""
        if name in self._seen or not issubclass(kind, SILENT) or not isinstance(output, Tensor) or output.ndim < 2:
            return
        self._seen.add(name)
        with torch._C.DisableTorchFunction():
            off = output.amax(self.all_but_units(output)) <= 0
            self.off[name] = off & self.off[name] if name in self.off else off
