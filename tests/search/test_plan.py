from __future__ import annotations

from types import SimpleNamespace

import pytest

from recipe.lengths import epochs_of, limit_of, steps_of
from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.search.plan import Size, fit_budget, fit_schedules, natural_direction, objective

FULL = Size(trials=20, finalists=2, seeds=5, schedules=2, trial_epochs=20.0, epochs=20.0)
LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-2)
SMOOTHING = Axis(key="regularizers.label_smoothing", scale="linear", low=0, high=0.2)
INGREDIENTS = SimpleNamespace(
    config={"train": {"batch_size": 64, "accumulate": 1}}, data=SimpleNamespace(train=range(1000))
)


def seconds(epochs):
    return 20 * epochs + 1


class TestObjective:
    def test_auto_is_the_validation_loss(self):
        assert objective("auto", "accuracy", [LR]) == ("val", "loss")

    def test_losses_that_do_not_compare_are_not_compared(self):
        assert objective("auto", "accuracy", [LR, SMOOTHING]) == ("val", "accuracy")

    @pytest.mark.parametrize("asked", ["val.accuracy", "val/accuracy"])
    def test_dots_and_slashes_are_the_same(self, asked):
        assert objective(asked, "accuracy", [LR]) == ("val", "accuracy")

    def test_the_test_split_is_refused(self):
        with pytest.raises(Refusal, match="sealed until ensemble"):
            objective("test.accuracy", "accuracy", [LR])

    def test_directions_follow_the_metric(self):
        assert natural_direction("loss", "accuracy", higher_is_better=True) == "minimize"
        assert natural_direction("accuracy", "accuracy", higher_is_better=True) == "maximize"
        assert natural_direction("cost", "cost", higher_is_better=False) == "minimize"
        assert natural_direction("my_metric", "accuracy", higher_is_better=True) is None


class TestBudget:
    @pytest.mark.parametrize("budget", [200, 500, 2000, 10_000, 50_000])
    def test_it_is_kept_to(self, budget):
        assert fit_budget(FULL, seconds, budget, least=0.02).seconds(seconds) <= budget

    def test_plenty_leaves_the_plan_as_it_is(self):
        assert fit_budget(FULL, seconds, 100_000, least=0.02) == FULL

    def test_more_budget_never_gives_less(self):
        sizes = [fit_budget(FULL, seconds, budget, least=0.02) for budget in (200, 1000, 5000, 20_000)]
        assert sizes == sorted(sizes, key=lambda size: (size.epochs, size.trial_epochs))

    def test_noise_can_be_told_for_any_budget(self):
        assert fit_budget(FULL, seconds, 1, least=0.02).seeds >= 3


class TestShortTrials:
    size = FULL._replace(trials=24, coarse=None, generation=6)

    @pytest.mark.parametrize(("trials", "short"), [(24, 12), (30, 12), (48, 24), (23, 0), (6, 0)])
    def test_auto_is_half_of_them_in_whole_generations_where_there_are_enough(self, trials, short):
        assert self.size._replace(trials=trials).short_trials == short

    def test_a_generation_of_full_ones_always_follows(self):
        assert self.size._replace(coarse=100).short_trials == 18
        assert self.size._replace(coarse=8).short_trials == 8

    def test_they_cost_a_quarter(self):
        def linear(epochs):
            return epochs

        assert self.size.search_seconds(linear) == 12 * 5 + 13 * 20

    def test_a_budget_has_room_for_more_trials_with_them(self):
        with_short = fit_budget(self.size, seconds, 9000, least=0.02)
        without = fit_budget(self.size._replace(coarse=0), seconds, 9000, least=0.02)
        assert with_short.seconds(seconds) <= 9000
        assert (with_short.trials, with_short.trial_epochs) > (without.trials, without.trial_epochs)


class TestSchedulesAlone:
    """Where there is no room for a search."""

    def test_they_are_compared_on_three_seeds_in_runs_that_are_long_enough(self):
        size = fit_schedules(FULL, seconds, 1200, shortest=4.0)
        assert (size.trials, size.finalists, size.seeds, size.schedules) == (0, 0, 3, 2)
        assert size.epochs >= 4.0
        assert size.seconds(seconds) <= 1200

    def test_one_of_them_where_two_are_too_many(self):
        assert fit_schedules(FULL, seconds, 700, shortest=4.0).schedules == 1

    def test_none_where_even_one_is(self):
        assert fit_schedules(FULL, seconds, 300, shortest=4.0) is None
        assert fit_schedules(FULL._replace(schedules=0), seconds, 10_000, shortest=4.0) is None


class TestLengths:
    def test_steps_follow_the_batch_size_of_the_change(self):
        assert steps_of(INGREDIENTS, {}, 2.0) == 32
        assert steps_of(INGREDIENTS, {"train.batch_size": 128}, 2.0) == 16

    def test_epochs_and_steps_are_inverse(self):
        assert steps_of(INGREDIENTS, {}, epochs_of(INGREDIENTS, 37)) == 37

    def test_less_than_one_pass_sees_a_part_of_the_data(self):
        assert limit_of(INGREDIENTS, 0.25) == 250
        assert limit_of(INGREDIENTS, 1.0) is None
