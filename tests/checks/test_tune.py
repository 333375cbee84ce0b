from __future__ import annotations

import math

import msgspec

from recipe.record.axis import Axis
from recipe.record.interval import Interval
from recipe.record.tune import Contender, Rerun, Searched, SearchPlan, Tried
from recipe.testing import run_check

LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-2, reference=1e-3)
PLAN = SearchPlan(
    search="random",
    split="val",
    metric="loss",
    headline="accuracy",
    direction="minimize",
    natural="minimize",
    axes=(LR,),
    trials=8,
    generation=4,
    seed=0,
    fresh_seeds=(1, 2, 3),
    finalists=1,
    val_items=270,
)


def tried(lr, value, status="finished", number=1, headline=0.9, note=""):
    change = {"optimizer.lr": lr} if lr else {}
    return Tried(
        number=number, generation=0, trial="t", change=change, status=status, value=value, headline=headline, note=note
    )


def searched(*trials, axis=LR):
    return Searched(direction="minimize", metric="loss", headline="accuracy", axes=(axis,), tried=trials)


def over(rates, loss, axis=LR):
    return searched(*(tried(lr, loss(lr)) for lr in rates), axis=axis)


RATES = [1.1e-4 * 1.6**i for i in range(10)]
BOWL = over(RATES, lambda lr: (math.log10(lr) + 3) ** 2)


class TestPlan:
    def test_validation_is_what_trials_are_compared_on(self):
        assert run_check("search-on-validation", search_plan=PLAN).verdict == "pass"

    def test_tuning_on_training_data_fails(self):
        finding = run_check("search-on-validation", search_plan=msgspec.structs.replace(PLAN, split="train"))
        assert (finding.verdict, finding.cause) == ("fail", "tuned-on-train")

    def test_the_direction_follows_the_metric(self):
        assert run_check("search-direction", search_plan=PLAN).verdict == "pass"

    def test_maximising_a_loss_fails(self):
        finding = run_check("search-direction", search_plan=msgspec.structs.replace(PLAN, direction="maximize"))
        assert (finding.verdict, finding.advice) == ("fail", "search.direction=minimize")

    def test_an_unknown_metric_is_taken_on_trust(self):
        assert run_check("search-direction", search_plan=msgspec.structs.replace(PLAN, natural=None)).verdict == "pass"


class TestTrialsFinished:
    def test_pruned_trials_and_a_few_diverged_ones_are_results(self):
        found = searched(tried(1e-3, 0.1), tried(1e-3, 0.3, "pruned"), tried(1e-2, math.inf, "diverged"))
        assert run_check("trials-finished", searched=found).verdict == "pass"

    def test_mostly_diverged_warns_and_names_the_side(self):
        found = searched(tried(1e-4, 0.1), *(tried(lr, math.nan, "diverged") for lr in (5e-3, 7e-3, 9e-3)))
        finding = run_check("trials-finished", searched=found)
        assert finding.verdict == "warn"
        assert "optimizer.lr above" in finding.message
        assert finding.advice.startswith("search.space.optimizer.lr={log:[0.0001,")

    def test_one_failed_trial_warns_with_its_reason(self):
        found = searched(tried(1e-3, 0.1), tried(1e-3, math.nan, "failed", note="out of memory"))
        assert "out of memory" in run_check("trials-finished", searched=found).message

    def test_none_finished_fails(self):
        finding = run_check("trials-finished", searched=searched(tried(1e-2, math.nan, "diverged", note="loss nan")))
        assert (finding.verdict, finding.cause) == ("fail", "all-diverged")


class TestBestInsideRange:
    def test_an_optimum_inside_passes(self):
        assert run_check("best-inside-range", searched=BOWL).verdict == "pass"

    def test_an_optimum_beyond_the_end_warns_with_a_wider_range(self):
        narrow = Axis(key="optimizer.lr", scale="log", low=1e-6, high=1e-5)
        found = over([1.05e-6 * 1.27**i for i in range(10)], lambda lr: -math.log(lr), narrow)
        finding = run_check("best-inside-range", searched=found)
        assert (finding.verdict, finding.where) == ("warn", "optimizer.lr")
        assert finding.advice == "search.space.optimizer.lr={log:[1e-06,0.0001]}"

    def test_the_recipe_beyond_a_declared_range_and_better_warns(self):
        narrow = Axis(key="optimizer.lr", scale="log", low=1e-6, high=1e-5, reference=1e-3)
        found = searched(tried(None, 0.1), *(tried(lr, 2.3) for lr in (2e-6, 3e-6, 4e-6, 8e-6)), axis=narrow)
        assert "high end" in run_check("best-inside-range", searched=found).message

    def test_the_luckiest_of_trials_that_do_not_depend_on_the_value_passes_at_an_end(self):
        values = [0.31, 0.30, 0.33, 0.29, 0.32, 0.30, 0.34, 0.31, 0.33, 0.28]
        found = searched(*(tried(lr, value) for lr, value in zip(RATES, values, strict=True)))
        assert run_check("best-inside-range", searched=found).verdict == "pass"

    def test_a_widened_range_is_told(self):
        axis = msgspec.structs.replace(LR, narrow=(5e-4, 1e-2))
        finding = run_check("best-inside-range", searched=over(RATES, lambda lr: (math.log10(lr) + 3) ** 2, axis))
        assert finding.message.startswith("after widening optimizer.lr to 0.0001 … 0.01")


class TestDistinctValues:
    def test_random_values_are_all_different(self):
        assert run_check("distinct-values", searched=BOWL).verdict == "pass"

    def test_a_grid_has_few(self):
        finding = run_check("distinct-values", searched=over([1e-4, 1e-3, 1e-2] * 3, lambda lr: lr))
        assert (finding.verdict, finding.cause) == ("warn", "grid")


class TestValidationSize:
    def test_hundreds_of_items_pass(self):
        assert run_check("validation-tells-trials-apart", search_plan=PLAN, searched=BOWL).verdict == "pass"

    def test_twenty_items_warn(self):
        plan = msgspec.structs.replace(PLAN, val_items=20)
        finding = run_check("validation-tells-trials-apart", search_plan=plan, searched=BOWL)
        assert (finding.verdict, finding.cause) == ("warn", "validation-too-small")

    def test_twenty_items_suffice_where_trials_differ_by_more(self):
        plan = msgspec.structs.replace(PLAN, val_items=30)
        found = searched(tried(1e-3, 0.1, headline=0.99), *(tried(1e-3, 2, headline=0.1) for _ in range(4)))
        assert run_check("validation-tells-trials-apart", search_plan=plan, searched=found).verdict == "pass"

    def test_a_metric_that_is_no_share_is_judged_by_the_count(self):
        found = searched(tried(1e-3, 0.1, headline=-3.0))
        assert run_check("validation-tells-trials-apart", search_plan=PLAN, searched=found).verdict == "pass"
        few = msgspec.structs.replace(PLAN, val_items=20)
        assert run_check("validation-tells-trials-apart", search_plan=few, searched=found).verdict == "warn"


def rerun(*gains, winner=0, seeds=(1, 2, 3)):
    one = Contender(name="lr 0.002", change={"optimizer.lr": 2e-3}, objective=(0.1,), headline=(0.9,))
    return Rerun(
        metric="loss",
        headline="accuracy",
        direction="minimize",
        seeds=seeds,
        contenders=(one,) * (len(gains) + 1),
        gains=gains,
        headline_gains=gains,
        winner=winner,
        noise=0.01,
        optimism=0.002,
    )


class TestWinner:
    def test_a_gain_beyond_the_noise_is_taken_on(self):
        finding = run_check("winner-beats-noise", rerun=rerun(Interval(0.03, 0.01, 0.05, 3), winner=1))
        assert finding.verdict == "pass"
        assert "+0.002 too hopeful" in finding.message

    def test_a_gain_inside_the_noise_leaves_the_recipe(self):
        finding = run_check("winner-beats-noise", rerun=rerun(Interval(0.01, -0.02, 0.04, 3)))
        assert (finding.verdict, "the recipe stays" in finding.message) == ("pass", True)

    def test_a_gain_inside_the_noise_that_is_taken_on_fails(self):
        finding = run_check("winner-beats-noise", rerun=rerun(Interval(0.01, -0.02, 0.04, 3), winner=1))
        assert (finding.verdict, finding.cause) == ("fail", "winner-within-noise")

    def test_one_seed_knows_no_noise(self):
        finding = run_check("winner-beats-noise", rerun=rerun(Interval(0.1, -math.inf, math.inf, 1), seeds=(1,)))
        assert (finding.verdict, finding.cause) == ("warn", "noise-unknown")

    def test_no_challenger_at_all_passes(self):
        assert run_check("winner-beats-noise", rerun=rerun()).verdict == "pass"


class TestSchedule:
    def test_a_gain_beyond_the_noise_is_taken_on(self):
        found = rerun(Interval(0.03, 0.01, 0.05, 3), winner=1)
        assert run_check("schedule-beats-noise", schedules=found).verdict == "pass"

    def test_a_gain_inside_the_noise_that_is_taken_on_fails(self):
        found = rerun(Interval(0.01, -0.02, 0.04, 3), winner=1)
        assert run_check("schedule-beats-noise", schedules=found).verdict == "fail"
