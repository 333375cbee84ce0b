"""Learning-rate schedules: the fraction of the run that is done → a factor on the base rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch.optim import Optimizer

from recipe.record.refusal import Refusal


class Schedule:
    """A shape over the run. Subclasses give `_at`; those that listen to the validation loss keep a state."""

    def __call__(self, fraction: float) -> float:
        """Factor on the base rate when `fraction` in [0, 1) of the run is done."""
        return self._at(fraction)

    def _at(self, fraction: float) -> float:
        raise NotImplementedError

    def bind(self, optimizer: Optimizer) -> None:
        """Remembers each group's base rate before the first step."""
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])

    def apply(self, optimizer: Optimizer, step: int, steps: int, steps_per_epoch: float) -> float:  # noqa: ARG002
        """Sets the rates of step `step` of `steps`; returns the first group's."""
        factor = self(step / steps)
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor
        return float(optimizer.param_groups[0]["lr"])

    def told(self, loss: float) -> None:
        """Hears the validation loss after each evaluation."""

    def state(self) -> dict[str, Any]:
        """Plain numbers that a resumed run needs."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""


class Constant(Schedule):
    """The base rate throughout."""

    def _at(self, _: float) -> float:
        return 1.0


class Cosine(Schedule):
    """Half a cosine from the base rate to `final` of it (Loshchilov and Hutter 2017, without restarts)."""

    def __init__(self, final: float = 0.0) -> None:
        self.final = final

    def _at(self, fraction: float) -> float:
        return _cosine(1.0, self.final, fraction)


class Cyclic(Schedule):
    """Half a cosine from the base rate to `final` of it, `cycles` times over (Loshchilov and Hutter 2017, restarts)."""

    def __init__(self, cycles: int = 3, final: float = 0.0) -> None:
        self.cycles, self.final = cycles, final

    def _at(self, fraction: float) -> float:
        # Rounded, as thirds of a run are not thirds in binary.
        return _cosine(1.0, self.final, round(fraction * self.cycles, 9) % 1.0)


class OneCycle(Schedule):
    """Up from `start` to the base rate at `peak_at` of the run, then to `final`, both as half cosines (Smith 2018)."""

    def __init__(self, peak_at: float = 0.3, start: float = 0.04, final: float = 0.0) -> None:
        self.peak_at, self.start, self.final = _share("peak_at", peak_at), start, final

    def _at(self, fraction: float) -> float:
        if fraction < self.peak_at:
            return _cosine(self.start, 1.0, fraction / self.peak_at)
        return _cosine(1.0, self.final, (fraction - self.peak_at) / (1 - self.peak_at))


class WarmupCosine(Schedule):
    """A straight warm-up from `start` over the first `warmup` of the run, then half a cosine to `final`."""

    def __init__(self, warmup: float = 0.05, start: float = 0.01, final: float = 0.0) -> None:
        self.warmup, self.start, self.final = _share("warmup", warmup), start, final

    def _at(self, fraction: float) -> float:
        if fraction < self.warmup:
            return self.start + (1 - self.start) * fraction / self.warmup
        return _cosine(1.0, self.final, (fraction - self.warmup) / (1 - self.warmup))


class Step(Schedule):
    """Times `factor` at each of the fractions `at`."""

    def __init__(self, at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> None:
        self.at, self.drop = tuple(at), factor

    def _at(self, fraction: float) -> float:
        return float(self.drop ** sum(fraction >= at for at in self.at))


class Exponential(Schedule):
    """A straight line on a log scale from the base rate to `final` of it."""

    def __init__(self, final: float = 0.01) -> None:
        if final <= 0:
            raise Refusal(f"an exponential never reaches {final}", where="schedule.final", fix="schedule.final=0.01")
        self.final = final

    def _at(self, fraction: float) -> float:
        return float(self.final**fraction)


class InverseTime(Schedule):
    """1 / (1 + rate · fraction): the classic 1/t decay; rate 9 ends at a tenth."""

    def __init__(self, rate: float = 9.0) -> None:
        self.rate = rate

    def _at(self, fraction: float) -> float:
        return 1 / (1 + self.rate * fraction)


class Polynomial(Schedule):
    """(1 − fraction)^power from the base rate to `final` of it; power 1 is a straight line."""

    def __init__(self, power: float = 1.0, final: float = 0.0) -> None:
        self.power, self.final = power, final

    def _at(self, fraction: float) -> float:
        return float(self.final + (1 - self.final) * (1 - fraction) ** self.power)


class HalveOnPlateau(Schedule):
    """Times `factor` whenever the validation loss has not fallen for `patience` evaluations."""

    def __init__(self, patience: int = 3, factor: float = 0.5) -> None:
        self.patience, self.drop = patience, factor
        self.best, self.waited, self.now = math.inf, 0, 1.0

    def _at(self, _: float) -> float:
        return self.now

    def told(self, loss: float) -> None:
        """Counts the evaluations since the lowest loss."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.now, self.waited = self.now * self.drop, 0

    def state(self) -> dict[str, Any]:
        """What was heard so far."""
        return {"best": self.best, "waited": self.waited, "now": self.now}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.best, self.waited, self.now = float(state["best"]), int(state["waited"]), float(state["now"])


class TorchSchedule(Schedule):
    """Any torch.optim.lr_scheduler, made from the optimizer and stepped once a `step` or once an `epoch`."""

    def __init__(self, make: Callable[[Optimizer], Any], interval: str = "epoch") -> None:
        if interval not in ("step", "epoch"):
            raise Refusal(f"unknown interval {interval!r}", where="schedule.interval", fix="step or epoch")
        self.make, self.interval = make, interval
        self.scheduler: Any = None
        self.taken = 0

    def _at(self, _: float) -> float:
        group = self.scheduler.optimizer.param_groups[0]
        return float(group["lr"]) / float(group["initial_lr"])

    def bind(self, optimizer: Optimizer) -> None:
        """Makes the scheduler, which remembers the base rates."""
        if self.scheduler is None:
            super().bind(optimizer)
            self.scheduler = self.make(optimizer)
            # a scheduler of ours need not be told that the optimizer's step comes first: it does
            optimizer._opt_called = True  # type: ignore[attr-defined]

    def apply(self, optimizer: Optimizer, step: int, steps: int, steps_per_epoch: float) -> float:  # noqa: ARG002
        """Steps the scheduler as often as is due before this step."""
        due = step if self.interval == "step" else int(step / steps_per_epoch + 1e-9)
        while self.taken < due and not self._listens:
            self.scheduler.step()
            self.taken += 1
        return float(optimizer.param_groups[0]["lr"])

    def told(self, loss: float) -> None:
        """ReduceLROnPlateau follows the validation loss, whatever the interval."""
        if self._listens:
            self.scheduler.step(loss)

    def state(self) -> dict[str, Any]:
        """The scheduler's own numbers; functions that it was given come from the config again."""
        plain = {key: value for key, value in self.scheduler.state_dict().items() if _is_plain(value)}
        return {"taken": self.taken, "scheduler": plain}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.taken = int(state["taken"])
        self.scheduler.load_state_dict(state["scheduler"])

    @property
    def _listens(self) -> bool:
        return type(self.scheduler).__name__ == "ReduceLROnPlateau"


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))


def _share(key: str, value: float) -> float:
    if not 0 <= value < 1:
        raise Refusal(f"{value} is not a fraction of the run", where=f"schedule.{key}", fix="a number in [0, 1)")
    return value


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, float, str))
