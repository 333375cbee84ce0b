"""Random, Sobol, TPE, CMA-ES and grid: Optuna's samplers behind our protocol. Each public function is a search node."""

from __future__ import annotations

import itertools
import random as stdlib_random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.record.trial import Change
from recipe.search.search import Told
from recipe.search.space import round_to, size
from recipe.training.seeding import derive

ATTEMPTS = 30
DIGITS = 3
SamplerOf = Callable[[int], Any]


def random(axes: Sequence[Axis], seed: int) -> OptunaSearch:
    """Independent draws, uniform on each axis's own scale (Bergstra & Bengio 2012)."""
    return OptunaSearch(axes, seed, lambda number: _optuna().samplers.RandomSampler(seed=_seed(seed, number)))


def sobol(axes: Sequence[Axis], seed: int) -> OptunaSearch:
    """A scrambled Sobol sequence: spreads more evenly than random draws."""
    space = {axis.key: _distribution(axis) for axis in axes}
    # One seed for the whole sequence: its state is the number of points drawn, which the study keeps.
    return OptunaSearch(axes, seed, lambda _: _whole_sobol()(space, scramble=True, seed=_seed(seed)))


def tpe(axes: Sequence[Axis], seed: int, startup: int = 8, multivariate: bool = True) -> OptunaSearch:
    """Tree-structured Parzen estimator; the first `startup` trials are random."""
    return OptunaSearch(
        axes,
        seed,
        lambda number: _optuna().samplers.TPESampler(
            seed=_seed(seed, number), n_startup_trials=startup, multivariate=multivariate, constant_liar=True
        ),
    )


def cmaes(axes: Sequence[Axis], seed: int, startup: int = 4) -> OptunaSearch:
    """CMA-ES for the numeric axes (choices are drawn at random); the first `startup` trials are random."""
    return OptunaSearch(
        axes,
        seed,
        lambda number: _optuna().samplers.CmaEsSampler(
            seed=_seed(seed, number), n_startup_trials=startup, warn_independent_sampling=False
        ),
    )


def grid(axes: Sequence[Axis], seed: int, points: int = 4) -> OptunaSearch:
    """Every combination of `points` values an axis (and of all choices), in a shuffled order."""
    fixed = {axis.key: _grid_values(axis, points) for axis in axes}
    search = OptunaSearch(axes, seed, lambda _: _unstopped_grid()(fixed, seed=_seed(seed)))
    shown = [axis.choices if axis.scale == "choice" else fixed[axis.key] for axis in axes]
    search.points = [dict(zip(fixed, values, strict=True)) for values in itertools.product(*shown)]
    return search


class OptunaSearch:
    """A study in memory. Proposal i comes from a sampler seeded with (seed, i) that sees what was told before."""

    def __init__(self, axes: Sequence[Axis], seed: int, sampler_of: SamplerOf) -> None:
        if not axes:
            raise Refusal(
                "there is nothing to search",
                where="search.space",
                fix="name a range: {optimizer.lr: {log: [1e-4, 1e-2]}}",
            )
        optuna = _optuna()
        self.axes, self.seed, self._sampler_of = tuple(axes), seed, sampler_of
        self._space = {axis.key: _distribution(axis) for axis in axes}
        self._study = optuna.create_study(direction="minimize", sampler=optuna.samplers.RandomSampler(0))
        self._open: list[Any] = []
        self._seen: set[str] = set()
        self._asked = 0
        self.points: list[Change] | None = None if size(axes) > 10_000 else _all_points(self.axes)

    def ask(self, count: int) -> list[Change]:
        """`count` new changes; fewer when the space is used up."""
        changes: list[Change] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while len(changes) < count and (change := self._next()) is not None:
                changes.append(change)
        return changes

    def tell(self, results: Sequence[Told]) -> None:
        """Pruned trials are ranked behind complete ones; those without any number are forgotten by the sampler."""
        state = _optuna().trial.TrialState
        for told in results:
            trial = self._open.pop(0)
            if told.loss is None:
                self._study.tell(trial, state=state.FAIL)
            elif told.complete:
                self._study.tell(trial, told.loss)
            else:
                trial.report(told.loss, step=0)
                self._study.tell(trial, state=state.PRUNED)

    def _next(self) -> Change | None:
        """The next new proposal: the sampler is asked a few times, then one of the points that are left is drawn."""
        if self.points is not None and len(self._seen) >= len(self.points):
            return None
        for attempt in range(ATTEMPTS):
            trial, change = self._propose(attempt)
            if str(change) not in self._seen:
                return self._take(trial, change)
            self._study.tell(trial, state=_optuna().trial.TrialState.FAIL)
        if self.points is None:
            return None
        left = [point for point in self.points if str(point) not in self._seen]
        point = stdlib_random.Random(_seed(self.seed, self._asked)).choice(left)
        self._study.enqueue_trial({key: _internal(self._axis(key), value) for key, value in point.items()})
        trial, _ = self._propose(ATTEMPTS)
        return self._take(trial, point)

    def _propose(self, attempt: int) -> tuple[Any, Change]:
        # Attempts get numbers of their own, far from those of later proposals.
        self._study.sampler = self._sampler_of(self._asked + attempt * 1_000_003)
        trial = self._study.ask(fixed_distributions=self._space)
        return trial, {axis.key: _external(axis, trial.params[axis.key]) for axis in self.axes}

    def _take(self, trial: Any, change: Change) -> Change:
        self._seen.add(str(change))
        self._open.append(trial)
        self._asked += 1
        return change

    def _axis(self, key: str) -> Axis:
        return next(axis for axis in self.axes if axis.key == key)


def _optuna() -> Any:
    """Optuna, told to be silent."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _whole_sobol() -> Any:
    """Optuna's sequence learns the space from finished trials, so that its first points would be random ones."""

    class Sobol(_optuna().samplers.QMCSampler):  # type: ignore[misc]
        def __init__(self, space: Change, **options: Any) -> None:
            super().__init__(**options)
            self.space = space

        def infer_relative_search_space(self, *_: Any) -> Change:
            return self.space

    return Sobol


def _unstopped_grid() -> Any:
    """Optuna's grid ends the study's own loop after the last point; ours ends because nothing is left."""

    class Grid(_optuna().samplers.GridSampler):  # type: ignore[misc]
        def after_trial(self, *_: Any) -> None:
            pass

    return Grid


def _seed(seed: int, *names: int) -> int:
    """Samplers take 32 bits."""
    return derive(seed, "search", *names) % 2**32


def _distribution(axis: Axis) -> Any:
    kinds = _optuna().distributions
    if axis.scale == "choice":
        # The index stands for the choice: choices may be lists or mappings, which Optuna does not take.
        return kinds.CategoricalDistribution(list(range(len(axis.choices))))
    if axis.scale == "integer":
        return kinds.IntDistribution(int(axis.low), int(axis.high))
    return kinds.FloatDistribution(axis.low, axis.high, log=axis.scale == "log")


def _external(axis: Axis, value: Any) -> Any:
    """What goes into the change: the choice itself, a whole number, or a number people can read and copy."""
    if axis.scale == "choice":
        return axis.choices[value]
    if axis.scale == "integer":
        return int(value)
    return min(max(round_to(value, DIGITS), axis.low), axis.high)


def _internal(axis: Axis, value: Any) -> Any:
    return axis.choices.index(value) if axis.scale == "choice" else value


def _grid_values(axis: Axis, points: int) -> list[Any]:
    if axis.scale == "choice":
        return list(range(len(axis.choices)))
    if points < 2:
        raise Refusal(f"{points} points make no grid", where="search.sampler.points", fix="2 or more")
    values = [axis.at(i / (points - 1)) for i in range(points)]
    return sorted({round(v) for v in values}) if axis.scale == "integer" else [_external(axis, v) for v in values]


def _all_points(axes: Sequence[Axis]) -> list[Change]:
    values = [axis.choices if axis.scale == "choice" else range(int(axis.low), int(axis.high) + 1) for axis in axes]
    return [dict(zip((axis.key for axis in axes), point, strict=True)) for point in itertools.product(*values)]
