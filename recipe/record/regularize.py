"""What regularize measures: what each idea costs in training and gains in validation; what more data would bring."""

from __future__ import annotations

from typing import Any, Literal

from recipe.record.evidence import Evidence
from recipe.record.gain import Gain
from recipe.record.interval import Interval


class RegularizePlan(Evidence, frozen=True, kw_only=True):
    """What the stage will do: `ideas`, the most promising first, on `seeds` seeds, `steps` long; fractions of the data.

    left: ideas that the budget has no room for. each: seconds of one training. seconds: the estimate of all.
    budget: None for the shipped plan.
    """

    ideas: tuple[str, ...]
    seeds: int
    steps: int
    fractions: tuple[float, ...]
    each: float
    seconds: float
    budget: float | None = None
    left: tuple[str, ...] = ()


class Reference(Evidence, frozen=True, kw_only=True):
    """overfit's model, unregularized: headline and loss on train and val over seeds.

    gap: headline on train minus val (by its sign, so that positive is overfitting). rise: by how much of itself the
    validation loss had risen from its lowest to the end of the run; rise > 0 is what early stopping saves.
    """

    metric: str
    higher_is_better: bool
    train: Interval
    val: Interval
    train_loss: Interval
    val_loss: Interval
    train_error: float
    gap: Interval
    rise: Interval
    best_at: float
    seeds: tuple[int, ...]
    steps: int
    examples: int
    val_examples: int


class Idea(Evidence, frozen=True, kw_only=True):
    """One idea alone against the reference. train, val: headlines over seeds. cost: headline given up in training.

    kind: the row of the recipe that it belongs to, in a word. gain in the headline, loss_gain in the validation loss
    (None where the losses do not compare). removes: it takes away what the configuration had switched on. seeds: how
    many it was run on. why: the numbers that decided. trend: by how much the gain in validation loss rises with each
    doubling of the run's length (None where that cannot be told).
    """

    name: str
    change: dict[str, Any]
    hypothesis: str
    train: Interval
    val: Interval
    cost: Interval
    gain: Gain
    loss_gain: Gain | None
    seconds: float
    seeds: int
    removes: bool = False
    kind: str = ""
    trend: Interval | None = None
    verdict: Literal["kept", "dropped", "harmful", "diverged"]
    why: str

    def pays_late(self, doublings: float) -> bool:
        """Whether it was not kept, and by its trend would gain in runs so many times twice as long.

        Whatever slows learning down catches up when the rest has learnt: a rise alone says nothing.
        """
        if self.verdict not in ("dropped", "harmful") or self.trend is None or self.loss_gain is None:
            return False
        return self.trend.low > 0 and self.loss_gain.difference.mean + doublings * self.trend.mean > 0


class Regularizers(Evidence, frozen=True, kw_only=True):
    """Every idea that was tried alone, in the order of trying.

    ground: the one of them that all later ones had on both sides of the comparison, as it helps and takes noise away.
    """

    ideas: tuple[Idea, ...]
    ground: str = ""

    def under(self, idea: Idea) -> dict[str, Any]:
        """What the idea's runs and those beside them had in common."""
        ground = next((one for one in self.ideas if one.name == self.ground), None)
        return {} if ground is None or ground is idea or set(ground.change) & set(idea.change) else ground.change


class Addition(Evidence, frozen=True, kw_only=True):
    """One winner put on top of those before it: what it still gains there."""

    name: str
    change: dict[str, Any]
    gain: Gain
    loss_gain: Gain | None
    kept: bool
    why: str


class Combination(Evidence, frozen=True, kw_only=True):
    """The winners added one at a time. change: all that stayed. fresh: its gain on seeds that chose nothing.

    val, train: headlines of the final net over all its seeds. gap: between them.
    """

    added: tuple[Addition, ...]
    change: dict[str, Any]
    val: Interval
    train: Interval
    gap: Interval
    val_loss: Interval
    fresh: Gain | None = None


class Subset(Evidence, frozen=True, kw_only=True):
    """The reference trained on `examples` of the training set: headline and error on the whole validation split."""

    examples: int
    fraction: float
    error: Interval
    train_error: float
    seeds: int


class Forecast(Evidence, frozen=True, kw_only=True):
    """What `times` as many examples would bring by the fitted power law: the validation error with its band."""

    times: float
    error: Interval


class LearningCurve(Evidence, frozen=True, kw_only=True):
    """Validation error against training-set size, with the power law a·n^(-b) + c fitted to it.

    now: the fitted error at the whole set. forecasts: +20 %, 2 and 10 times the data.
    """

    metric: str
    subsets: tuple[Subset, ...]
    a: float
    b: float
    c: float
    now: Interval
    forecasts: tuple[Forecast, ...]


class KeptWeights(Evidence, frozen=True, kw_only=True):
    """Of a run with early stopping: what was monitored at the kept step and the best over the whole run.

    lower_is_better: by the metric's own nature, not by the configured mode.
    """

    monitor: str
    mode: str
    lower_is_better: bool
    kept: float
    best: float
    worst: float
    last: float
    best_step: int
    kept_step: int
    points: int
