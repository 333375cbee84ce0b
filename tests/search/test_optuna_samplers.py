from __future__ import annotations

import math

import pytest

from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.search import optuna_samplers as samplers
from recipe.search.search import Told
from recipe.testing import check_search

LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1)
DROPOUT = Axis(key="regularizers.dropout", scale="linear", low=0.0, high=0.5)
EVERY = [samplers.random, samplers.sobol, samplers.tpe, samplers.cmaes, samplers.grid]


def bowl(change):
    return (math.log10(change["optimizer.lr"]) + 2.5) ** 2 + 0.1 * change.get("regularizers.dropout", 0)


def told(changes):
    return [Told(bowl(change), complete=True) for change in changes]


def run(search, generations, size=6):
    found = []
    for _ in range(generations):
        changes = search.ask(size)
        search.tell(told(changes))
        found += changes
    return found


@pytest.mark.parametrize("make", EVERY, ids=lambda make: make.__name__)
class TestEverySampler:
    def test_it_keeps_the_protocol(self, make):
        check_search(make)


class Stuck:
    """Proposes the same again and again."""

    def __init__(self, axes, seed):
        self.change = samplers.random(axes, seed).ask(1)[0]

    def ask(self, count):
        return [self.change] * count

    def tell(self, results):
        pass


def test_a_search_that_repeats_itself_does_not_keep_it():
    with pytest.raises(AssertionError, match="without repeats"):
        check_search(Stuck)


def test_a_random_proposal_depends_on_seed_and_number_only():
    one, other = samplers.random((LR, DROPOUT), 5), samplers.random((LR, DROPOUT), 5)
    first = run(one, 2)
    other.tell([Told(9.0, complete=False)] * len(rest := other.ask(3)))
    assert rest + other.ask(9) == first


def test_rates_are_drawn_evenly_over_the_decades():
    values = [change["optimizer.lr"] for change in samplers.random((LR,), 0).ask(300)]
    for low in (1e-4, 1e-3, 1e-2):
        assert 70 < sum(low <= value < 10 * low for value in values) < 130


@pytest.mark.parametrize("make", [samplers.tpe, samplers.cmaes], ids=lambda make: make.__name__)
def test_samplers_that_learn_end_nearer_to_the_optimum_than_they_start(make):
    found = [bowl(change) for change in run(make((LR, DROPOUT), 0), 8)]
    assert sum(found[-12:]) / 12 < 0.5 * sum(found[:12]) / 12


def test_a_grid_has_few_distinct_values_an_axis_and_a_random_search_many():
    grid, random = samplers.grid((LR, DROPOUT), 0, points=3), samplers.random((LR, DROPOUT), 0)
    assert len({change["optimizer.lr"] for change in grid.ask(9)}) == 3
    assert len({change["optimizer.lr"] for change in random.ask(9)}) == 9


def test_choices_may_be_lists_and_none():
    axis = Axis(key="schedule", scale="choice", choices=("constant", None, [1, 2]))
    assert sorted(map(str, (c["schedule"] for c in samplers.random((axis,), 0).ask(9)))) == [
        "None",
        "[1, 2]",
        "constant",
    ]


def test_an_empty_space_is_refused():
    with pytest.raises(Refusal, match="nothing to search"):
        samplers.random((), 0)
