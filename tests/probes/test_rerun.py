from __future__ import annotations

import math

import msgspec
import pytest

from recipe.probes.rerun import compare_contenders
from recipe.record.tune import Contender, SearchPlan

PLAN = SearchPlan(
    search="random", split="val", metric="loss", headline="accuracy", direction="minimize", natural="minimize", axes=(),
    trials=8, generation=4, seed=0, fresh_seeds=(1, 2, 3), finalists=1,
)  # fmt: skip


def contender(objective, headline=None, searched=None):
    return Contender(
        name="c",
        change={},
        objective=objective,
        headline=headline or tuple(1 - v for v in objective),
        searched=searched,
    )


REFERENCE = contender((0.30, 0.31, 0.29), searched=0.30)


def compare(*challengers, plan=PLAN):
    return compare_contenders(plan, (REFERENCE, *challengers), higher_is_better=True)


def test_a_clear_gain_is_taken_on():
    rerun = compare(contender((0.20, 0.21, 0.19)))
    assert rerun.winner == 1
    assert rerun.gains[0].mean == pytest.approx(0.1)
    assert rerun.noise == pytest.approx(0.01)


def test_a_gain_inside_the_noise_is_not():
    assert compare(contender((0.295, 0.305, 0.285))).winner == 0


def test_of_two_the_one_that_gains_most_is_taken_on():
    assert compare(contender((0.25, 0.26, 0.24)), contender((0.20, 0.21, 0.19))).winner == 2


def test_a_lower_loss_that_costs_accuracy_is_not_taken_on():
    worse = contender((0.20, 0.21, 0.19), headline=(0.5, 0.51, 0.49))
    assert compare(worse).winner == 0


def test_a_challenger_that_diverged_loses():
    rerun = compare(contender((0.1, math.nan, 0.1)))
    assert (rerun.winner, rerun.gains[0].mean) == (0, -math.inf)


def test_one_seed_has_no_noise_and_no_winner():
    plan = msgspec.structs.replace(PLAN, fresh_seeds=(1,))
    rerun = compare_contenders(plan, (contender((0.3,)), contender((0.1,))), higher_is_better=True)
    assert rerun.winner == 0
    assert math.isnan(rerun.noise)


def test_optimism_is_what_the_search_promised_and_fresh_seeds_did_not_keep():
    rerun = compare(contender((0.20, 0.21, 0.19), searched=0.15))
    assert rerun.optimism == pytest.approx(0.05)


def test_maximising_turns_gains_and_optimism():
    plan = msgspec.structs.replace(PLAN, metric="accuracy", direction="maximize")
    rerun = compare(contender((0.40, 0.41, 0.39), headline=(0.7, 0.7, 0.7), searched=0.45), plan=plan)
    assert (rerun.winner, rerun.optimism) == (1, pytest.approx(0.05))


def test_nobody_to_compare_with_leaves_the_reference():
    assert compare().winner == 0
