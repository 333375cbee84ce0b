"""Which units never fire on many training examples, before and after training.

Activations are heard where they are computed, whether a module does it (nn.ReLU) or the net's own forward (F.relu).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from recipe.record.evidence import CannotMeasure
from recipe.record.overfit import LayerHealth, UnitHealth
from recipe.training.evaluate import evaluating

if TYPE_CHECKING:
    from recipe.training.feed import Feed

# Functions whose output and slope are exactly zero for a unit that is off: only those units can die.
_CAN_DIE: dict[Any, str] = {
    F.relu: "ReLU", torch.relu: "ReLU", torch.relu_: "ReLU", Tensor.relu: "ReLU", Tensor.relu_: "ReLU",
    F.relu6: "ReLU6", F.threshold: "Threshold", F.hardswish: "Hardswish",
}  # fmt: skip
_BOUNDED: dict[Any, tuple[str, float, float]] = {
    F.tanh: ("Tanh", -1.0, 1.0), torch.tanh: ("Tanh", -1.0, 1.0), Tensor.tanh: ("Tanh", -1.0, 1.0),
    F.sigmoid: ("Sigmoid", 0.0, 1.0), torch.sigmoid: ("Sigmoid", 0.0, 1.0), Tensor.sigmoid: ("Sigmoid", 0.0, 1.0),
    F.hardtanh: ("Hardtanh", -1.0, 1.0), F.hardsigmoid: ("Hardsigmoid", 0.0, 1.0),
}  # fmt: skip
# Within this share of the range from its end an activation counts as saturated.
_MARGIN = 0.01
# Two units, or a unit and its mean, that differ by less than this share of their size are the same in float32.
_ALIKE = 1e-6


def unit_health(before: nn.Module, after: nn.Module, feed: Feed) -> UnitHealth:
    """Every activation layer of the same net at its start and at its end, over all items of the feed, in eval mode."""
    start, end = Census(before, feed).layers, Census(after, feed).layers
    if not end:
        raise CannotMeasure("the net has no activation that can die or saturate")
    return UnitHealth(
        layers=tuple(
            LayerHealth(
                layer=name,
                kind=count.kind,
                units=count.units,
                dead_before=start[name].dead if name in start else 0,
                dead_after=count.dead,
                saturated=count.saturated,
                constant=count.constant,
                twins_before=start[name].twins if name in start else 0,
                twins_after=count.twins,
            )
            for name, count in end.items()
        ),
        examples=feed.size,
    )


class Count:
    """One layer: which units fired at least once, which differ from the others, how often the layer was at its ends."""

    def __init__(self, kind: str, limits: tuple[float, float] | None) -> None:
        self.kind, self._limits = kind, limits
        self._fired: Tensor | None = None
        self._extreme = self._seen = self._rows = 0
        self._draws = torch.Generator().manual_seed(0)
        self._sums: Tensor | None = None

    def hear(self, output: Tensor) -> None:
        """Units are channels of (B, C, H, W), else the last dimension."""
        rows = output.transpose(1, -1) if output.ndim == 4 else output
        rows = rows.reshape(-1, rows.shape[-1])
        fired = (rows != 0).any(0)
        self._fired = fired if self._fired is None else self._fired | fired
        # Three numbers a unit tell which are alike: its sum, its sum of squares, and a random mixture of all it gave.
        flat = rows.double()
        mixture = torch.randn(len(flat), generator=self._draws, dtype=torch.float64).to(flat.device) @ flat
        sums = torch.stack([flat.sum(0), flat.square().sum(0), mixture])
        self._sums = sums if self._sums is None else self._sums + sums
        self._rows += len(flat)
        if self._limits is not None:
            low, high = self._limits
            edge = _MARGIN * (high - low)
            self._extreme += int(((output < low + edge) | (output > high - edge)).sum())
            self._seen += output.numel()

    @property
    def units(self) -> int:
        """Units in the layer."""
        return 0 if self._fired is None else len(self._fired)

    @property
    def dead(self) -> int:
        """Units that never fired; a bounded activation that is zero is not dead."""
        return 0 if self._limits is not None or self._fired is None else int((~self._fired).sum())

    @property
    def constant(self) -> int:
        """Units that fire, and give every example the same."""
        return int((self._alive & self._still).sum())

    @property
    def twins(self) -> int:
        """Units that gave on everything what another one gave, not counting those that never change."""
        if self._sums is None:
            return 0
        moving = self._sums[:, self._alive & ~self._still]
        mixture, order = moving[2].sort()
        size = moving[1][order].sqrt()
        alike = (mixture.diff().abs() <= _ALIKE * size[1:]) & (size.diff().abs() <= _ALIKE * size[1:])
        none = torch.zeros(1, dtype=torch.bool, device=alike.device)
        return int((torch.cat([none, alike]) | torch.cat([alike, none])).sum()) if len(mixture) > 1 else 0

    @property
    def _alive(self) -> Tensor:
        return torch.zeros(0, dtype=torch.bool) if self._fired is None else self._fired

    @property
    def _still(self) -> Tensor:
        if self._sums is None:
            return torch.zeros(0, dtype=torch.bool)
        mean = self._sums[0] / self._rows
        return self._sums[1] / self._rows - mean.square() <= _ALIKE * mean.square()

    @property
    def saturated(self) -> float | None:
        """Share of activations at the ends, where there are ends."""
        return self._extreme / self._seen if self._seen else None


class Census(TorchFunctionMode):
    """Hears all activations of a model during one pass over a feed."""

    def __init__(self, model: nn.Module, feed: Feed) -> None:
        super().__init__()
        self.layers: dict[str, Count] = {}
        self._inside, self._last, self._busy = "", "input", False
        model = model.to(feed.device)
        leaves = [(name, module) for name, module in model.named_modules() if not list(module.children())]
        hooks = [hook for name, module in leaves for hook in self._follow(name, module)]
        try:
            with evaluating(model), torch.no_grad(), self:
                for batch in feed.in_order():
                    model(batch.inputs)
        finally:
            for hook in hooks:
                hook.remove()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # F.relu calls torch.relu: only the outer one is heard.
        outer, self._busy = not self._busy, True
        try:
            result = func(*args, **(kwargs or {}))
        finally:
            self._busy = not outer
        if outer and isinstance(result, Tensor) and result.ndim >= 2:
            if func in _CAN_DIE:
                self._count(_CAN_DIE[func], None).hear(result)
            elif func in _BOUNDED:
                kind, low, high = _BOUNDED[func]
                self._count(kind, (low, high)).hear(result)
        return result

    def _count(self, kind: str, limits: tuple[float, float] | None) -> Count:
        """Named by the module that computes it, or after the last one before it."""
        return self.layers.setdefault(self._inside or f"{self._last}.{kind.lower()}", Count(kind, limits))

    def _follow(self, name: str, module: nn.Module) -> list[Any]:
        def enter(*_: Any) -> None:
            self._inside = name

        def leave(*_: Any) -> None:
            self._inside, self._last = "", name

        before: Callable[..., Any] = module.register_forward_pre_hook
        return [before(enter), module.register_forward_hook(leave)]
