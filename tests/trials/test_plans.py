from __future__ import annotations

import pytest

from recipe.lengths import steps_within, training_seconds
from recipe.record.overfit import Cost
from recipe.trials.ideas.proposal import Proposal
from recipe.trials.plan import plan_overfit, plan_regularize, spoken

SETTINGS = {
    "seeds": 3,
    "edge_steps": 60,
    "shares": [0.03, 0.1],
    "remedies": 6,
    "remedy_steps": 2000,
    "fractions": [0.125, 0.25, 0.5],
    "fresh": 3,
}
CHEAP, DEAR = Cost(step=0.001, val=0.01, train=0.1), Cost(step=0.2, val=1.0, train=9.0)
IDEAS = [Proposal(f"idea {i}", {}, "help", promise=10 - i) for i in range(10)]


def test_without_a_budget_the_shipped_plan_stands() -> None:
    plan = plan_overfit({"a": 1000, "b": 2000}, {"a": CHEAP, "b": DEAR}, SETTINGS, None, 2)
    assert (plan.steps, plan.edge_steps, plan.rate_seeds, plan.budget) == ({"a": 1000, "b": 2000}, 60, 3, None)
    other = plan_regularize(IDEAS, CHEAP, 500, SETTINGS, None, 2)
    assert (other.ideas, other.steps, other.left) == (tuple(idea.name for idea in IDEAS), 500, ())


@pytest.mark.parametrize("budget", [20.0, 60.0, 180.0, 900.0])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_plan_keeps_to_its_budget(budget: float, workers: int) -> None:
    costs = {"a": CHEAP, "b": Cost(step=0.02, val=0.05, train=0.4), "c": Cost(step=0.05, val=0.1, train=0.9)}
    plan = plan_overfit(dict.fromkeys(costs, 10**6), costs, SETTINGS, budget, workers)
    assert plan.seconds <= budget
    assert all(steps >= 20 for steps in plan.steps.values())
    other = plan_regularize(IDEAS, costs["b"], 10**5, {**SETTINGS, "seeds": 4}, budget, workers)
    assert other.seconds <= budget


def test_the_dearest_rungs_are_left_out_first() -> None:
    plan = plan_overfit({"a": 1000, "b": 1000, "c": 1000}, {"a": CHEAP, "b": CHEAP, "c": DEAR}, SETTINGS, 20.0, 1)
    assert list(plan.steps) == ["a", "b"]


def test_what_a_cheap_rung_does_not_need_goes_to_the_others() -> None:
    costs = {"a": CHEAP, "b": Cost(step=0.01, val=0.0, train=0.0)}
    plan = plan_overfit({"a": 100, "b": 10**6}, costs, SETTINGS, 100.0, 1)
    assert plan.steps["a"] == 100
    assert plan.steps["b"] > 4000


def test_a_shallow_rung_does_not_run_much_longer_than_a_deep_one() -> None:
    plan = plan_overfit(dict.fromkeys("ab", 10**6), {"a": CHEAP, "b": DEAR}, SETTINGS, 200.0, 1)
    assert plan.steps["a"] == 3 * plan.steps["b"]


def test_rates_are_compared_over_a_part_of_the_run_when_time_is_short() -> None:
    costs = {"a": CHEAP, "b": Cost(step=0.02, val=0.1, train=1.0)}
    plan = plan_overfit(dict.fromkeys("ab", 10**6), costs, SETTINGS, 200.0, 2)
    assert (plan.rate_seeds, plan.rates) == (1, 2)
    assert 0.15 <= plan.rate_part < 1


def test_the_users_own_model_is_not_cut_to_what_a_dear_control_gets():
    costs = {"mine": CHEAP, "control": DEAR}
    full = dict.fromkeys(costs, 10**6)
    capped = plan_overfit(full, costs, SETTINGS, 200.0, 2)
    own = plan_overfit(full, costs, SETTINGS, 200.0, 2, "mine")
    assert own.steps["mine"] > 2 * capped.steps["mine"]
    assert own.steps["control"] == capped.steps["control"]
    assert own.seconds <= 200.0


def test_ideas_and_seeds_are_given_up_before_length() -> None:
    rich = plan_regularize(IDEAS, CHEAP, 1000, {**SETTINGS, "seeds": 4}, 1000.0, 1)
    poor = plan_regularize(IDEAS, CHEAP, 1000, {**SETTINGS, "seeds": 4}, 20.0, 1)
    assert (rich.seeds, rich.steps, rich.left) == (4, 1000, ())
    assert poor.steps == 1000
    assert poor.left
    assert poor.fractions == ()
    assert poor.left == tuple(idea.name for idea in IDEAS[: len(poor.left)]), "the least promising go first"


def test_validation_on_the_way_is_counted() -> None:
    assert training_seconds(100, DEAR) == pytest.approx(24 + 1 + 9)
    assert steps_within(34, DEAR) == 100


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (40, "40 s"), (720, "12 min"), (12600, "3.5 h")])
def test_times_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words
