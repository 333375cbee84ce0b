from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.probes.learning_rate_edge import bracket, diverged, measure_edge
from recipe.record.evidence import CannotMeasure
from recipe.trials.here import single_file


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the stage: small nets on two threads wait for each other more than they work."""
    with single_file(1):
        yield


@pytest.mark.parametrize("start", [1e-6, 1e-3, 0.1, 0.29, 0.31, 5.0, 1e3, 1e9])
def test_the_edge_is_bracketed_from_any_start(start: float) -> None:
    low, high = bracket(lambda rate: rate > 0.3, start, 4.0, 1.3)
    assert low <= 0.3 <= high
    assert high / low <= 1.3


def test_an_edge_that_is_nowhere_is_told_as_such() -> None:
    assert bracket(lambda _: False, 1e-3, 4.0, 1.3)[1] == math.inf
    assert bracket(lambda _: True, 1e-3, 4.0, 1.3)[0] == 0.0


STILL = [2.3] * 40


@pytest.mark.parametrize(
    ("losses", "learns", "bad"),
    [
        ([2.3 - 0.04 * i for i in range(40)], False, False),
        ([2.3] * 3 + [2.0] * 37, True, False),
        ([4.0] * 3 + [1.0] * 37, False, False),  # a first spike that is made good
        ([2.3] * 20 + [math.nan] * 20, False, True),
        ([2.3] * 20, False, True),  # ended early
        ([2.3] * 5 + [1.0] * 15 + [50.0] * 20, False, True),
        ([2.4] * 40, False, True),
        ([2.29] * 40, True, True),
        ([2.29] * 40, False, False),  # slow, but nothing shows that it could be faster
    ],
)
def test_what_counts_as_diverged(losses: list[float], learns: bool, bad: bool) -> None:
    assert diverged(losses, STILL, 40, learns)[0] is bad


def test_the_edge_of_a_small_net_is_found_again_by_other_seeds() -> None:
    made = Ingredients(compose(["model=mlp", "model.width=32", "model.depth=1", "optimizer=sgd", "optimizer.lr=1e-3"]))
    one = measure_edge(made, seeds=(0, 1), steps=30)
    other = measure_edge(made, seeds=(5, 6), steps=30)
    assert one.edge.low < one.edge.high
    assert one.edge.mean / other.edge.mean == pytest.approx(1, abs=0.7)
    assert one.start == pytest.approx(one.edge.low / 10, rel=0.05)
    assert measure_edge(made, seeds=(0, 1), steps=30) == one


def test_an_optimizer_without_a_rate_has_no_edge() -> None:
    made = Ingredients(compose(["model=linear", "~optimizer.lr"]))
    with pytest.raises(CannotMeasure, match="no rate"):
        measure_edge(made, seeds=(0,), steps=5)
