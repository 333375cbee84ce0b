"""What overfit measures: the capacity ladder, the edge of the learning rate, the health of the chosen net."""

from __future__ import annotations

from typing import Any

from recipe.record.evidence import Evidence
from recipe.record.gain import Gain
from recipe.record.interval import Interval


class Cost(Evidence, frozen=True, kw_only=True):
    """Seconds of one optimizer step, and of one whole look at the validation split and at the training split."""

    step: float
    val: float
    train: float


class OverfitPlan(Evidence, frozen=True, kw_only=True):
    """What the stage will do. steps: by rung. seconds: the estimate, at most. budget: None for the shipped plan.

    costs are measured once, by rung. edge_steps: 0 leaves the edge out. rates: how many are tried beside that in use,
    over rate_part of a rung's run. remedies: how many may be tried where nothing fits, each for remedy_steps at most.
    """

    steps: dict[str, int]
    edge_steps: int
    rate_seeds: int
    rates: int
    rate_part: float
    seconds: float
    costs: dict[str, Cost]
    budget: float | None = None
    remedies: int = 0
    remedy_steps: int = 0

    @property
    def each(self) -> float:
        """Seconds of a rung's steps, on average."""
        return sum(self.costs[name].step * steps for name, steps in self.steps.items()) / max(1, len(self.steps))


class Rung(Evidence, frozen=True, kw_only=True):
    """One model of the ladder after its run. train_error: with Wilson's interval. epochs: how long it ran.

    fits: the training error is at the ceiling. falling: how much the mean training loss still fell from the last fifth
    but one of the run to the last, as a share of itself or of all that the run gained.
    """

    name: str
    change: dict[str, Any]
    expects: str
    trial: str
    status: str
    parameters: int
    steps: int
    epochs: float
    seconds: float
    train_loss: float
    train_error: Interval
    val: float
    fits: bool
    falling: float
    note: str = ""


class CapacityLadder(Evidence, frozen=True, kw_only=True):
    """The rungs that were climbed, in order, and the one that was chosen.

    ceiling: the training error that the labels themselves allow (0, or what conflicting labels cost). tolerance: how
    far above it still counts as fitted. chance: the error of a predictor that never sees its input.
    left: rungs that were not climbed. short: the steps were cut to fit a budget. own: the model is the user's choice;
    then later rungs are the standard ones, as a control, and never chosen. unknown: why nobody knows what can be
    reached; the ceiling is then what perfect outputs would have.
    """

    rungs: tuple[Rung, ...]
    chosen: int
    examples: int
    ceiling: float
    tolerance: float
    chance: float
    metric: str
    left: tuple[str, ...] = ()
    short: bool = False
    own: bool = False
    unknown: str = ""

    @property
    def best(self) -> Rung:
        """The rung that was chosen."""
        return self.rungs[self.chosen]


class RateRun(Evidence, frozen=True, kw_only=True):
    """A short run at one constant rate. ratio: loss over that of the untrained net on the same batches, second half."""

    rate: float
    seed: int
    ratio: float
    diverged: bool
    why: str = ""


class LearningRateEdge(Evidence, frozen=True, kw_only=True):
    """The largest constant rate that does not diverge. edge: geometric mean over seeds; low held for every seed.

    high is the smallest that diverged for every seed (infinite when none was found up to the largest tried).
    rate: the one in use. start: the rate to start from, edge.low / 10; up to half of edge.low it may work.
    """

    edge: Interval
    rate: float
    start: float
    steps: int
    optimizer: str
    runs: tuple[RateRun, ...]


class RateTrial(Evidence, frozen=True, kw_only=True):
    """One rate on every seed. loss: training loss after the same steps. fit: median steps to fit, None if not all did.

    val, val_loss: what it gains over the best rate before it in headline and validation loss (None for that in use).
    costs: validation pays for it by more than the noise.
    """

    rate: float
    loss: Interval
    fit: int | None
    val: Gain | None = None
    val_loss: Gain | None = None
    better: bool = False
    costs: bool = False
    why: str = ""


class RateChoice(Evidence, frozen=True, kw_only=True):
    """The rate in use beside those that the edge suggests: same seeds, same steps. rate: the one that was chosen."""

    used: RateTrial
    tried: tuple[RateTrial, ...]
    steps: int
    seeds: int
    rate: float
    why: str


class LayerHealth(Evidence, frozen=True, kw_only=True):
    """One activation layer over many examples: units that never fired, before and after training; a unit of a
    convolution is a channel. saturated: share of activations at the ends of a bounded activation, after training.
    constant: units that fire, but give the same to every example. twins: units that always give what another one does.
    """

    layer: str
    kind: str
    units: int
    dead_before: int
    dead_after: int
    saturated: float | None = None
    constant: int = 0
    twins_before: int = 0
    twins_after: int = 0


class UnitHealth(Evidence, frozen=True, kw_only=True):
    """Every activation layer, in the order in which they are called."""

    layers: tuple[LayerHealth, ...]
    examples: int
