"""Which axes of a search matter: the share of what differs between trials that each explains by itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from recipe.record.axis import Axis
from recipe.record.evidence import CannotMeasure
from recipe.record.interval import Interval
from recipe.record.tune import AxisShare, Importance, Searched
from recipe.search.database import distribution_of, scalar_of

LEAST, DRAWS, FORESTS, TREES = 12, 20, 3, 32
"""Finished trials below which nothing is said; permutations that tell chance; forests of the trials themselves."""
BEYOND = 3.0
"""Deviations of chance that the interval reaches: in searches where nothing matters one in thirty names an axis."""


def measure_importance(searched: Searched, *, seed: int) -> Importance:
    """Functional ANOVA over a random forest of the trials' ranks (Hutter et al. 2014), by Optuna, beyond chance.

    A forest explains noise too, most of all by axes of many values: what it makes of permuted results is taken off.
    Ranks, as the loss of the worst trials would drown all others. Of short trials over the wide space and full ones
    over the narrowed one, whichever are more: lengths do not compare. CannotMeasure with fewer than LEAST finished
    trials, or a single axis.
    """
    short = len(searched.ranked_short) > len(searched.ranked)
    ranked = searched.ranked_short if short else searched.ranked
    space = [axis.as_it_was if short else axis for axis in searched.axes]
    axes = [a for a in space if len({str(searched.value_at(a, t)) for t in ranked}) > 1]
    rows = [([searched.value_at(axis, t) for axis in axes], rank) for rank, t in enumerate(ranked)]
    tried = [row for row in rows if all(_lies_on(axis, value) for axis, value in zip(axes, row[0], strict=True))]
    if len(axes) < 2:
        raise CannotMeasure("the search has a single axis")
    if len(tried) < LEAST:
        raise CannotMeasure(f"{len(tried)} finished trials are too few to tell axes apart (from {LEAST} on)")
    generator = np.random.default_rng([seed, 0x1A])
    mixed = [
        [(row[0], int(rank)) for row, rank in zip(tried, generator.permutation(len(tried)), strict=True)]
        for _ in range(DRAWS)
    ]
    chance = np.array([_shares(one, axes, seed) for one in mixed])
    shares = np.mean([_shares(tried, axes, seed + k) for k in range(FORESTS)], axis=0) - chance.mean(axis=0)
    reach = BEYOND * chance.std(axis=0, ddof=1)
    found = [
        AxisShare(key=a.key, share=Interval(float(s), float(s - r), float(s + r), len(tried)))
        for a, s, r in zip(axes, shares, reach, strict=True)
    ]
    return Importance(trials=len(tried), axes=tuple(sorted(found, key=lambda one: -one.share.mean)))


def _shares(rows: Sequence[tuple[list[Any], int]], axes: Sequence[Axis], seed: int) -> list[float]:
    """The share of each axis, in their order; 0 for one that does not vary among these rows."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    spaces = {axis.key: distribution_of(axis) for axis in axes}
    for values, rank in rows:
        params = {axis.key: scalar_of(value) for axis, value in zip(axes, values, strict=True)}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=spaces, value=float(rank)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=seed), normalize=False
        )
    return [float(found.get(axis.key, 0.0)) for axis in axes]


def _lies_on(axis: Axis, value: Any) -> bool:
    if axis.scale == "choice":
        return value in axis.choices
    return isinstance(value, (int, float)) and axis.low <= value <= axis.high
