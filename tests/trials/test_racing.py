"""The race: simulated ideas show what it saves, and that it loses hardly any that would have been kept."""

from __future__ import annotations

import math
import random

import pytest

from recipe.intervals import t_interval
from recipe.trials.racing import Noise, Standing, chance_of_being_kept, chance_of_winning, pooled_noise


def raced(effect: float, seeds: int, count: int = 300) -> tuple[float, int, int]:
    """(seeds run on average, ideas that all seeds would have kept, of these those that the race dropped)."""
    generator = random.Random(f"{effect} {seeds}")
    used, kept, lost = 0, 0, 0
    for _ in range(count):
        gains = [generator.gauss(effect, 1) for _ in range(seeds)]
        done = 1
        while done < seeds and chance_of_winning(gains[:done], 1.0, seeds) >= 0.05:
            done += 1
        used += done
        if t_interval(gains).low > 0:
            kept += 1
            lost += done < seeds
    return used / count, kept, lost


@pytest.mark.parametrize("seeds", [3, 4, 5])
def test_ideas_that_do_nothing_cost_half_of_the_seeds(seeds: int) -> None:
    used, _, _ = raced(0.0, seeds)
    assert used < 0.6 * seeds
    # What a plan expects where a fifth are winners, on all seeds.
    assert 0.8 * used + 0.2 * seeds == pytest.approx(0.45 + 0.5 * seeds, rel=0.1)


@pytest.mark.parametrize("seeds", [3, 4, 5])
def test_harm_is_seen_at_once(seeds: int) -> None:
    assert raced(-2.0, seeds)[0] < 1.1


@pytest.mark.parametrize("effect", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("seeds", [3, 4, 5])
def test_hardly_any_winner_is_lost(effect: float, seeds: int) -> None:
    _, kept, lost = raced(effect, seeds)
    assert kept > 20
    assert lost <= 0.05 * kept


def test_a_run_that_failed_cannot_win() -> None:
    assert chance_of_winning([-math.inf], 1.0, 4) == 0
    assert chance_of_being_kept(Standing([-math.inf], [1.0]), Noise(1, 1), 4) == 0


def test_a_loss_that_falls_keeps_an_idea_in_the_race_unless_the_headline_is_worse() -> None:
    noise = Noise(headline=0.01, loss=0.01)
    assert chance_of_being_kept(Standing([0.0], [0.05]), noise, 4) > 0.4
    assert chance_of_being_kept(Standing([-0.05], [0.05]), noise, 4) < 0.05
    assert chance_of_being_kept(Standing([-0.01]), noise, 4) < 0.05


def test_with_two_seeds_one_that_lost_the_first_is_out() -> None:
    assert chance_of_winning([-0.001], 0.0, 2) == 0
    assert chance_of_winning([0.001], 0.0, 2) == 1


def test_noise_is_pooled_over_ideas_with_two_seeds() -> None:
    start = Noise(5.0, 6.0)
    assert pooled_noise([Standing([1.0]), Standing([2.0])], start) == start
    found = pooled_noise([Standing([0.0, 2.0], [0.0, 0.0]), Standing([0.0, 0.0]), Standing([-math.inf, 0.0])], start)
    assert found.headline == pytest.approx(1.0)
    assert found.loss == 0.0
