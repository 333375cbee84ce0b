"""Coarse to fine: short trials over the wide space, full ones where the best of those lie."""

from __future__ import annotations

import math

import msgspec
import pytest

from recipe.record.axis import Axis
from recipe.record.tune import Round
from recipe.search.database import Database
from recipe.search.optuna_samplers import random
from recipe.search.rounds import Rounds, narrow, search_space
from recipe.search.study import searched
from tests.search.test_study import PLAN, Killed, tried

LR = Axis(key="optimizer.lr", scale="log", low=1e-6, high=1.0, reference=1e-5)
NORM = Axis(key="model.norm", scale="choice", choices=(None, "batch", "layer"))
BOTH = msgspec.structs.replace(
    PLAN, axes=(LR, NORM), trials=24, generation=6, trial_epochs=8.0, coarse=Round(trials=12, epochs=2.0), pruner=None
)


def rounds(folder, ran, *, plan=BOTH, stop_at=math.inf):
    """The loss is the distance of the rate from 1e-2 in decades, and a short trial's is higher by 5."""

    def evaluate(part, first, changes, _pruning):
        found = []
        for number, change in enumerate(changes, first):
            if len(ran) >= stop_at:
                raise Killed
            ran.append((number, part.epochs))
            short = part == plan.coarse
            value = abs(math.log10(change.get("optimizer.lr", 1e-5)) + 2) + 5 * short
            found.append(msgspec.structs.replace(tried(number, value, change=change), short=short))
        return found

    folder.mkdir(exist_ok=True)
    return Rounds(plan, random, evaluate, folder)


def test_short_trials_come_first_and_full_ones_lie_where_the_best_of_them_do(tmp_path):
    ran = []
    found = search_space(rounds(tmp_path / "run", ran), beyond_ends=False)
    assert ran == [(0, 8.0), *((n, 2.0) for n in range(1, 13)), *((n, 8.0) for n in range(13, 25))]
    lr, norm = found.axes
    assert lr.wide == (1e-6, 1.0)
    assert 1e-6 < lr.low < 1e-2 < lr.high <= 1.0
    assert norm == NORM
    full = [t.change["optimizer.lr"] for t in found.tried if not t.short and t.change]
    assert all(lr.low <= value <= lr.high for value in full)


def test_no_short_trial_is_stopped(tmp_path):
    seen = []
    made = rounds(tmp_path / "run", [], plan=msgspec.structs.replace(BOTH, pruner="median"))

    def evaluate(part, first, changes, pruning):
        seen.append((part == BOTH.coarse, pruning))
        curve = ((1.0, 1.0), (part.epochs, 0.5))
        return [msgspec.structs.replace(t, curve=curve) for t in made.evaluate(part, first, changes, pruning)]

    search_space(made._replace(evaluate=evaluate), beyond_ends=False)
    assert all(pruning is None for short, pruning in seen if short)
    assert any(pruning is not None for short, pruning in seen if not short)


def test_a_short_trial_is_never_the_best_one(tmp_path):
    found = search_space(rounds(tmp_path / "run", []), beyond_ends=False)
    assert len(found.ranked) == 13
    assert len(found.ranked_short) == 12
    assert not found.best.short
    assert found.reference.number == 0


def test_the_search_is_finer_than_one_of_full_trials_alone_over_many_seeds(tmp_path):
    # 12 short and 13 full ones cost as much as 16 full ones.
    alone = msgspec.structs.replace(BOTH, trials=15, coarse=None)

    def mean_of_best(plan, name):
        found = [
            search_space(
                rounds(tmp_path / f"{name}-{seed}", [], plan=msgspec.structs.replace(plan, seed=seed)),
                beyond_ends=False,
            )
            for seed in range(40)
        ]
        return sum(one.best.value for one in found) / len(found)

    assert mean_of_best(BOTH, "rounds") < 0.7 * mean_of_best(alone, "alone")


@pytest.mark.parametrize("cut", [5, 9, 15, 20])
def test_an_interrupted_search_ends_as_an_uninterrupted_one(tmp_path, cut):
    whole = search_space(rounds(tmp_path / "whole", []), beyond_ends=False)
    with pytest.raises(Killed):
        search_space(rounds(tmp_path / "cut", [], stop_at=cut), beyond_ends=False)
    assert search_space(rounds(tmp_path / "cut", []), beyond_ends=False) == whole


def test_the_database_holds_both_rounds_and_a_second_machine_runs_none_of_them(tmp_path):
    import optuna

    url = f"sqlite:///{tmp_path / 'study.db'}"
    one, two = [], []
    first = search_space(rounds(tmp_path / "a", one)._replace(database=Database(url, "s", BOTH)), beyond_ends=True)
    again = search_space(rounds(tmp_path / "b", two)._replace(database=Database(url, "s", BOTH)), beyond_ends=True)
    assert again == first
    assert (len(one), [number for number, _ in two]) == (len(first.tried), [0])
    study = optuna.load_study(study_name="s", storage=url)
    assert len(study.trials) == len(first.tried)


class TestNarrow:
    def ended(self, *values, status="finished"):
        made = [
            msgspec.structs.replace(
                tried(k, abs(math.log10(v) + 2), status, {"optimizer.lr": v, "model.norm": None}), short=True
            )
            for k, v in enumerate(values)
        ]
        return searched(BOTH, made)

    def test_the_best_third_and_some_room(self):
        found = self.ended(1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
        lr = narrow(found)[0]
        # 3e-3 … 3e-2 on six decades, and 15 % of those on either side.
        assert lr.low == pytest.approx(3e-3 / 10**0.9, rel=0.02)
        assert lr.high == pytest.approx(3e-2 * 10**0.9, rel=0.02)

    def test_it_stays_wide_where_too_few_came_to_their_end(self):
        assert narrow(self.ended(1e-3, 1e-2)) == BOTH.axes
        assert narrow(self.ended(1e-3, 1e-2, 1e-1, 1.0, status="diverged")) == BOTH.axes

    def test_whole_numbers_stay_whole(self):
        axis = Axis(key="model.depth", scale="integer", low=1, high=40)
        narrower = axis.narrower([axis.position(7), axis.position(9)])
        assert (narrower.low, narrower.high) == (1.0, 15.0)

    def test_a_range_that_is_good_all_over_is_left_alone(self):
        assert LR.narrower([0.05, 0.9]) == LR
