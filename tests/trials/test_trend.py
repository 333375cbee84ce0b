from __future__ import annotations

import math
import random

import pytest

from recipe.record.history import History, Point
from recipe.record.trial import Outcome, Trial
from recipe.trials.trend import trend_of


def run(losses: list[float], seed: int = 0, status: str = "finished") -> Outcome:
    points = [Point(step=100 * (k + 1), epoch=k, metrics={"val": {"loss": loss}}) for k, loss in enumerate(losses)]
    history = History(points=points)
    trial = Trial(name="t", change={}, seed=seed)
    return Outcome(trial=trial, status=status, metrics={}, history=history, steps=100 * len(losses))  # type: ignore[arg-type]


def pair(slope: float, noise: float, seed: int, memory: float = 0.0, count: int = 20) -> tuple[Outcome, Outcome]:
    """An idea that is 0.02 worse at first and gains `slope` a doubling, in noise that lingers for `memory`."""
    drawn, off = random.Random(seed), 0.0
    before, after = [], []
    for k in range(count):
        off = memory * off + math.sqrt(1 - memory**2) * drawn.gauss(0, noise)
        before.append(0.3 + 0.2 / (k + 1))
        after.append(before[-1] + 0.02 - slope * math.log2(k + 1) + off)
    return run(after, seed), run(before, seed)


def test_a_gain_that_rises_with_the_length_is_seen() -> None:
    idea, reference = pair(0.004, 0.0005, 0)
    trend = trend_of([idea], [reference])
    assert trend is not None
    assert trend.low > 0
    assert trend.mean == pytest.approx(0.004, abs=0.002)


@pytest.mark.parametrize("memory", [0.0, 0.7])
def test_one_that_does_not_rise_is_hardly_ever_taken_for_it(memory: float) -> None:
    """One side of a 95 % interval: 2.5 % without memory; averaged weights remember some evaluations."""
    found = [trend_of([a], [b]) for a, b in (pair(0.0, 0.003, seed, memory) for seed in range(400))]
    rising = sum(one is not None and one.low > 0 for one in found)
    assert rising <= (20 if memory == 0 else 30)


def test_seeds_are_averaged_and_what_cannot_be_told_is_none() -> None:
    pairs = [pair(0.004, 0.004, seed) for seed in range(12)]
    trend = trend_of([a for a, _ in pairs], [b for _, b in pairs])
    assert trend is not None
    assert trend.low > 0
    idea, reference = pair(0.004, 0.0, 0, count=8)
    assert trend_of([idea], [reference]) is None
    assert trend_of([], [reference]) is None
    assert trend_of([run([0.3] * 20, status="diverged")], [run([0.3] * 20)]) is None
    assert trend_of([run([0.3] * 20)], [run([0.3] * 19)]) is None
