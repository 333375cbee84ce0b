"""Which axes of a search matter: told where one does, left open where it is noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recipe.record.axis import Axis
from recipe.record.evidence import CannotMeasure
from recipe.record.tune import Searched, Tried
from recipe.search.importance import measure_importance

AXES = (
    Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1, reference=1e-3),
    Axis(key="model.width", scale="integer", low=16, high=256, reference=64),
    Axis(key="optimizer", scale="choice", choices=("sgd", "adam", {"odd": 1}), reference="adam"),
)


def searched(count: int, loss, seed: int = 0) -> Searched:
    draw = np.random.default_rng(seed)
    tried = [Tried(number=0, generation=0, trial="t", change={}, status="finished", value=1.0, headline=0.5)]
    for k in range(1, count):
        change = {
            "optimizer.lr": float(10 ** draw.uniform(-4, -1)),
            "model.width": int(draw.integers(16, 257)),
            "optimizer": AXES[2].choices[int(draw.integers(3))],
        }
        value = loss(change, draw)
        tried.append(
            Tried(number=k, generation=0, trial="t", change=change, status="finished", value=value, headline=0.5)
        )
    return Searched(direction="minimize", metric="loss", headline="accuracy", axes=AXES, tried=tuple(tried))


@pytest.mark.parametrize("seed", range(2))
def test_the_axis_that_decides_stands_clear_of_the_others(seed: int) -> None:
    found = measure_importance(
        searched(60, lambda change, draw: (math.log10(change["optimizer.lr"]) + 2) ** 2 + draw.normal(0, 0.2), seed),
        seed=0,
    )
    assert [one.key for one in found.axes if one.share.low > 0] == ["optimizer.lr"]
    assert found.axes[0].key == "optimizer.lr"
    assert found.trials == 60


@pytest.mark.parametrize("seed", range(2))
def test_noise_makes_no_axis_stand_out(seed: int) -> None:
    found = measure_importance(searched(60, lambda _, draw: draw.normal(), seed), seed=0)
    assert [one.key for one in found.axes if one.share.low > 0] == []


def test_the_same_trials_give_the_same_shares() -> None:
    record = searched(12, lambda change, _: change["model.width"])
    assert measure_importance(record, seed=3) == measure_importance(record, seed=3)


def test_few_trials_and_single_axes_tell_nothing() -> None:
    with pytest.raises(CannotMeasure, match="too few"):
        measure_importance(searched(8, lambda change, _: change["model.width"]), seed=0)
    one = searched(30, lambda change, _: change["model.width"])
    with pytest.raises(CannotMeasure, match="a single axis"):
        measure_importance(
            Searched(direction="minimize", metric="loss", headline="accuracy", axes=AXES[:1], tried=one.tried), seed=0
        )
