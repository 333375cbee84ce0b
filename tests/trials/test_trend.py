from __future__ import annotations

import math
import random
from typing import Any

import pytest

from recipe.record.gain import Gain
from recipe.record.history import History, Point
from recipe.record.interval import Interval
from recipe.record.regularize import Idea
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


@pytest.mark.parametrize(
    ("verdict", "loss", "low", "doublings", "late"),
    [
        ("dropped", -0.008, 0.002, 3, True),
        ("dropped", -0.008, 0.002, 1, False),  # the recipe's own length does not bring it there
        ("dropped", -0.008, -0.001, 3, False),
        ("kept", -0.008, 0.002, 3, False),
        ("harmful", -0.17, 0.002, 3, False),  # slow, and far behind
    ],
)
def test_an_idea_pays_late_if_its_trend_brings_it_there(
    verdict: Any, loss: float, low: float, doublings: float, late: bool
) -> None:
    level = Interval(0.9, 0.8, 1.0)
    gain = Gain(metric="loss", split="val", difference=Interval(loss, loss - 0.01, loss + 0.01), method="items")
    idea = Idea(
        name="i", change={}, hypothesis="h", train=level, val=level, cost=level, gain=gain, loss_gain=gain,
        seconds=1.0, seeds=1, verdict=verdict, why="w", trend=Interval(0.004, low, 0.006),
    )  # fmt: skip
    assert idea.pays_late(doublings) == late


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
