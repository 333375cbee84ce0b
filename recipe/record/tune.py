"""What tuning planned, tried and found: records that checks judge and stories draw, long after the search is over."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Literal

import msgspec

from recipe.record.axis import Axis
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval
from recipe.record.trial import Change, Outcome

Direction = Literal["minimize", "maximize"]
ROOM = 0.2
"""Share of the recipe's own length below which runs on fresh seeds decide nothing."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Trials of one length. seconds: what each is expected to take."""

    trials: int
    epochs: float
    seconds: float | None = None


class SearchPlan(Evidence, frozen=True, kw_only=True):
    """What the search sets out to do, decided before the first trial.

    split, metric: the objective; natural: the direction that its kind asks for, None when the metric is unknown.
    generation: so many trials are proposed on the same knowledge. trials: of the whole search, of which `coarse` come
    first, short and over the wide space, and the others, of trial_epochs, where the best of those lie. epochs: of a run
    on fresh seeds; trial_seconds, seconds: what each is expected to take. val_items: how many items tell trials apart.
    budget, estimate: seconds for all. own_epochs: length of the recipe's own runs. left_out: keys that would have been
    searched, had the budget had room for more than schedules.
    """

    search: str
    split: str
    metric: str
    headline: str
    direction: Direction
    natural: Direction | None
    axes: tuple[Axis, ...]
    trials: int
    generation: int
    seed: int
    fresh_seeds: tuple[int, ...]
    finalists: int
    schedules: tuple[str, ...] = ()
    trial_epochs: float = 0.0
    epochs: float = 0.0
    pruner: str | None = None
    val_items: int = 0
    budget: float | None = None
    own_epochs: float | None = None
    estimate: float | None = None
    trial_seconds: float | None = None
    seconds: float | None = None
    coarse: Round | None = None
    left_out: tuple[str, ...] = ()

    @property
    def fine(self) -> Round:
        """The trials that compare with each other and with the recipe so far."""
        trials = self.trials - (self.coarse.trials if self.coarse else 0)
        return Round(trials=trials, epochs=self.trial_epochs, seconds=self.trial_seconds)

    @property
    def problem(self) -> str:
        """Why a search by this plan would mislead, as a stable slug; empty when it would not."""
        if self.split != "val":
            return f"tuned-on-{self.split}"
        if self.natural not in (None, self.direction):
            return "wrong-direction"
        # What wins so early in a run is what starts fast.
        return "no-room" if self.own_epochs and self.epochs < ROOM * self.own_epochs else ""

    def value_of(self, outcome: Outcome) -> float:
        """The objective; not-a-number of a run that came to nothing, whatever it measured on its way."""
        return math.nan if outcome.status in ("diverged", "failed") else outcome.value(self.split, self.metric)

    def headline_of(self, outcome: Outcome) -> float:
        """The task's metric on validation, likewise."""
        return math.nan if outcome.status in ("diverged", "failed") else outcome.value("val", self.headline)


class Tried(Evidence, frozen=True, kw_only=True):
    """One trial of the search. number 0 is the recipe so far. value: the objective, not-a-number without one.

    status: finished, pruned, diverged or failed. curve: (epoch, objective) at its evaluations. short: whether it was of
    the short trials that come first: its value compares with theirs alone.
    """

    number: int
    generation: int
    trial: str
    change: Change
    status: str
    value: float
    headline: float
    epochs: float = 0.0
    steps: int = 0
    curve: tuple[tuple[float, float], ...] = ()
    note: str = ""
    short: bool = False


class Searched(Evidence, frozen=True, kw_only=True):
    """All trials of the search in their order; axes as they were at its end. exhausted: no point was left to try."""

    direction: Direction
    metric: str
    headline: str
    axes: tuple[Axis, ...]
    tried: tuple[Tried, ...]
    exhausted: bool = False

    @property
    def ranked(self) -> tuple[Tried, ...]:
        """Finished trials of full length, the best first; equal ones in their order."""
        return self._ranked(short=False)

    @property
    def ranked_short(self) -> tuple[Tried, ...]:
        """Finished short trials, likewise."""
        return self._ranked(short=True)

    @property
    def best(self) -> Tried | None:
        """The best finished trial, the recipe so far among them."""
        return next(iter(self.ranked), None)

    @property
    def reference(self) -> Tried | None:
        """The recipe so far, tried like the others."""
        return next((t for t in self.tried if not t.change), None)

    def _ranked(self, *, short: bool) -> tuple[Tried, ...]:
        done = [t for t in self.tried if t.status == "finished" and t.short == short and math.isfinite(t.value)]
        return tuple(sorted(done, key=lambda t: self.loss_of(t.value)))

    def loss_of(self, value: float) -> float:
        """The objective turned so that lower is better."""
        return value if self.direction == "minimize" else -value

    def value_at(self, axis: Axis, tried: Tried) -> Any:
        """The value a trial had on an axis: the recipe's own where it changed nothing."""
        return tried.change.get(axis.key, axis.reference)

    def distinct(self, axis: Axis) -> int:
        """How many different values an axis got."""
        return len(Counter(str(t.change[axis.key]) for t in self.tried if axis.key in t.change))

    def trend(self, axis: Axis) -> tuple[float, int]:
        """Spearman's rank correlation between position on the axis and loss over finished trials, and their number."""
        pairs = [
            (position, self.loss_of(t.value))
            for t in self.ranked
            if (position := axis.position(self.value_at(axis, t))) is not None
        ]
        return rank_correlation(pairs), len(pairs)

    def edge(self, axis: Axis, margin: float = 0.1) -> Literal["low", "high", ""]:
        """The end at which the good values lie: the best, or half of the best tenth, and the trend points there."""
        if axis.scale == "choice":
            return ""
        top = self.ranked[: max(1, math.ceil(len(self.ranked) / 10))]
        places = [axis.position(self.value_at(axis, t)) for t in top]
        near_low = [p is not None and p <= margin for p in places]
        near_high = [p is not None and p >= 1 - margin for p in places]
        # The recipe's own value may lie beyond a range that the user declared.
        if places and places[0] is not None and not 0 <= places[0] <= 1:
            return "low" if places[0] < 0 else "high"
        correlation, n = self.trend(axis)
        # Without a trend the best lies near an end by chance, one time in five for every axis.
        if n < 4 or abs(correlation) < 1.96 / math.sqrt(n - 1):
            return ""
        if any(near_low[:1]) or sum(near_low) * 2 >= len(top):
            return "low" if correlation > 0 else ""
        if any(near_high[:1]) or sum(near_high) * 2 >= len(top):
            return "high" if correlation < 0 else ""
        return ""


class Contender(Evidence, frozen=True, kw_only=True):
    """One configuration on the fresh seeds: its objective and headline metric, a number a seed.

    trials: ids of its trainings. searched: what the search had measured for it, None for what it never tried.
    """

    name: str
    change: Change
    objective: tuple[float, ...]
    headline: tuple[float, ...]
    trials: tuple[str, ...] = ()
    searched: float | None = None


class Rerun(Evidence, frozen=True, kw_only=True):
    """The recipe so far and its challengers on seeds that the search never saw, paired seed by seed.

    contenders[0] is the reference. gains, headline_gains: one interval a challenger, positive when it is better than
    the reference. winner: index of the contender that is taken on (0: none beat the reference beyond noise).
    noise: standard deviation of the objective over seeds, pooled. optimism: by how much the search had overrated the
    best trial (positive: it was better in the search than on fresh seeds), None when nothing but the reference ran.
    """

    metric: str
    headline: str
    direction: Direction
    seeds: tuple[int, ...]
    contenders: tuple[Contender, ...]
    gains: tuple[Interval, ...]
    headline_gains: tuple[Interval, ...]
    winner: int
    noise: float
    optimism: float | None = None

    @property
    def adopted(self) -> Contender:
        """What goes into the recipe."""
        return self.contenders[self.winner]


def rank_correlation(pairs: list[tuple[float, float]]) -> float:
    """Spearman's, with mean ranks for ties; 0 where one side does not vary."""
    if len(pairs) < 3:
        return 0.0
    xs, ys = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    middle = (len(pairs) + 1) / 2
    covariance = sum((x - middle) * (y - middle) for x, y in zip(xs, ys, strict=True))
    spread = math.sqrt(sum((x - middle) ** 2 for x in xs) * sum((y - middle) ** 2 for y in ys))
    return covariance / spread if spread else 0.0


def _ranks(values: list[float]) -> list[float]:
    ordered = sorted(values)
    return [ordered.index(v) + (ordered.count(v) + 1) / 2 for v in values]


class AxisShare(msgspec.Struct, frozen=True, kw_only=True):
    """share: of what differs between trials, explained by this axis alone, beyond what it explains of permuted results.

    Its interval is what chance moves it by: an axis matters whose interval lies above 0.
    """

    key: str
    share: Interval


class Importance(Evidence, frozen=True, kw_only=True):
    """Which axes matter, the most first. trials: finished ones; what the shares leave is joint effects and noise."""

    trials: int
    axes: tuple[AxisShare, ...]
