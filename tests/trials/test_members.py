from __future__ import annotations

from recipe.record.axis import Axis
from recipe.record.tune import Searched, Tried
from recipe.trials.members import best_others, plan_crew

LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1, reference=1e-3)


def seconds(epochs):
    return 10 * epochs


def plan(budget, seeds=5, others=2, workers=2, enough=None):
    return plan_crew(seeds, [{"a": 1}] * others, 20, seconds, budget=budget, workers=workers, least=0.1, enough=enough)


class TestCrew:
    def test_without_a_budget_everybody_is_trained_in_full(self):
        crew = plan(None)
        assert (crew.seeds, len(crew.others), crew.epochs) == (5, 2, 20)

    def test_other_configurations_go_first_then_a_quarter_of_the_length_then_seeds(self):
        assert (plan(1000).seeds, len(plan(1000).others)) == (5, 1)
        shorter = plan(700)
        assert (shorter.seeds, shorter.others) == (5, [])
        assert 15 <= shorter.epochs < 17
        assert shorter.seconds <= 0.85 * 700
        assert (plan(600).seeds, plan(600).others, plan(600).epochs) == (4, [], 20)
        small = plan(100)
        assert (small.seeds, small.others) == (2, [])
        assert small.epochs < 10
        assert small.seconds <= 100

    def test_a_length_at_which_the_net_overfits_is_enough_for_all_seeds(self):
        for budget in (600, 400, 250):
            crew = plan(budget, enough=5)
            assert crew.seeds == 5
            assert crew.epochs >= 5
            assert crew.seconds <= 0.85 * budget
            assert crew.seeds * crew.epochs >= plan(budget).seeds * plan(budget).epochs * 0.7, "no time is left over"
        assert plan(100, enough=5).seeds == 2
        assert plan(1000, enough=5) == plan(1000)
        assert plan(None, enough=5) == plan(None)

    def test_as_many_as_run_at_once_are_kept(self):
        assert plan(50, workers=4).seeds == 4


class TestOthers:
    def tried(self, number, lr, value):
        change = {"optimizer.lr": lr} if lr else {}
        return Tried(
            number=number, generation=0, trial="t", change=change, status="finished", value=value, headline=0.9
        )

    def found(self):
        tried = (self.tried(0, None, 0.5), self.tried(1, 2e-3, 0.1), self.tried(2, 3e-3, 0.2), self.tried(3, 4e-3, 0.3))
        return Searched(direction="minimize", metric="loss", headline="accuracy", axes=(LR,), tried=tried)

    def test_the_best_but_the_one_that_is_the_recipe_now(self):
        assert best_others(self.found(), {"optimizer.lr": 2e-3}.get, 2) == [
            {"optimizer.lr": 3e-3},
            {"optimizer.lr": 4e-3},
        ]

    def test_the_recipe_before_the_search_is_one_of_them(self):
        assert {"optimizer.lr": 1e-3} in best_others(self.found(), {"optimizer.lr": 2e-3}.get, 9)

    def test_no_search_gives_none(self):
        assert best_others(None, {}.get, 2) == []
