from __future__ import annotations

import math

import msgspec
import pytest

from recipe.record.axis import Axis
from recipe.record.history import Point
from recipe.record.journal import Journal
from recipe.record.tune import SearchPlan, Tried
from recipe.search.optuna_samplers import tpe
from recipe.search.pruning import bars
from recipe.search.study import run_study, scores

LR = Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-1)
PLAN = SearchPlan(
    search="tpe",
    split="val",
    metric="loss",
    headline="accuracy",
    direction="minimize",
    natural="minimize",
    axes=(LR,),
    trials=12,
    generation=4,
    seed=0,
    fresh_seeds=(1, 2),
    finalists=1,
    pruner="median",
)


def tried(number, value=1.0, status="finished", change=None, curve=()):
    return Tried(
        number=number,
        generation=0,
        trial=f"t{number}",
        change=change or {},
        status=status,
        value=value,
        headline=0.5,
        curve=curve,
    )


class Killed(Exception):
    pass


def evaluator(ran, stop_at=math.inf):
    def evaluate(first, changes, pruning):
        found = []
        for number, change in enumerate(changes, first):
            if len(ran) >= stop_at:
                raise Killed
            ran.append(number)
            found.append(tried(number, (math.log10(change["optimizer.lr"]) + 2.5) ** 2, change=change))
        return found

    return evaluate


def study(journal, ran, stop_at=math.inf, plan=PLAN):
    return run_study(tpe((LR,), plan.seed), plan, Journal(journal), evaluator(ran, stop_at), trials=12)


def test_an_interrupted_study_goes_on_and_ends_as_an_uninterrupted_one(tmp_path):
    whole = study(tmp_path / "whole", [])
    ran: list[int] = []
    with pytest.raises(Killed):
        study(tmp_path / "cut", ran, stop_at=9)
    # The generation under way was cut: the pool keeps its finished trials, the journal only whole generations.
    assert len(Journal(tmp_path / "cut").records) == 8
    again: list[int] = []
    assert study(tmp_path / "cut", again) == whole
    assert again == [8, 9, 10, 11]


def test_a_torn_generation_in_the_journal_is_completed(tmp_path):
    whole = study(tmp_path / "whole", [])
    lines = (tmp_path / "whole").read_bytes().splitlines(keepends=True)
    (tmp_path / "torn").write_bytes(b"".join(lines[:6]) + lines[6][:20])
    ran: list[int] = []
    assert study(tmp_path / "torn", ran) == whole
    assert ran == [6, 7, 8, 9, 10, 11]


def test_a_journal_of_another_search_is_not_believed(tmp_path):
    study(tmp_path / "journal", [])
    ran: list[int] = []
    study(tmp_path / "journal", ran, plan=msgspec.structs.replace(PLAN, seed=1))
    assert ran == list(range(12))


def test_a_space_that_is_used_up_ends_the_study(tmp_path):
    axis = Axis(key="optimizer.lr", scale="choice", choices=(1e-3, 1e-2))
    assert len(run_study(tpe((axis,), 0), PLAN, Journal(tmp_path / "j"), evaluator([]), trials=12)) == 2


class TestScores:
    def test_diverged_trials_score_as_the_worst_finite_one(self):
        known = [tried(0, 0.5), tried(1, 2.0), tried(2, math.nan, "diverged")]
        assert [s.loss for s in scores(PLAN, known, known)] == [0.5, 2.0, 2.0]

    def test_without_any_finite_one_they_have_no_score(self):
        known = [tried(0, math.inf, "diverged"), tried(1, 0.1, "failed")]
        assert [s.loss for s in scores(PLAN, known, known)] == [None, None]

    def test_maximizing_turns_the_sign(self):
        plan = msgspec.structs.replace(PLAN, direction="maximize")
        assert scores(plan, [tried(0, 0.9)], [tried(0, 0.9)])[0].loss == -0.9

    def test_pruned_trials_are_told_as_incomplete(self):
        told = scores(PLAN, [tried(0, 0.9, "pruned")], [tried(0, 0.9, "pruned")])[0]
        assert (told.loss, told.complete) == (0.9, False)


class TestBars:
    curves = tuple(tried(i, curve=((1.0, 1 + i), (2.0, 0.5 + i), (4.0, 0.1 + i))) for i in range(5))

    def test_they_are_the_medians_of_earlier_curves(self):
        assert bars(PLAN, self.curves).bars == ((1.0, 3), (2.0, 2.5))

    def test_the_end_of_a_run_is_never_pruned(self):
        assert max(epoch for epoch, _ in bars(PLAN, self.curves).bars) < 4.0

    def test_there_are_none_with_few_curves_or_without_a_pruner(self):
        assert bars(PLAN, self.curves[:3]) is None
        assert bars(msgspec.structs.replace(PLAN, pruner=None), self.curves) is None

    def test_a_trial_behind_the_median_is_stopped_and_says_why(self):
        pruning = bars(PLAN, self.curves)
        assert pruning(Point(step=1, epoch=0.5, metrics={"val": {"loss": 99.0}})) is None
        assert pruning(Point(step=2, epoch=2.0, metrics={"val": {"loss": 2.4}})) is None
        assert pruning(Point(step=2, epoch=2.5, metrics={"val": {"loss": 2.6}})).startswith("pruned: val loss 2.6")

    def test_a_metric_to_be_maximised_is_stopped_below_the_median(self):
        pruning = bars(msgspec.structs.replace(PLAN, direction="maximize", metric="accuracy"), self.curves)
        assert pruning(Point(step=2, epoch=2.0, metrics={"val": {"accuracy": 0.1}})) is not None
        assert pruning(Point(step=2, epoch=2.0, metrics={"val": {"accuracy": 9.0}})) is None


class TestHalving:
    """27 curves over 27 epochs: at epoch e trial i has reached i / e."""

    curves = tuple(tried(i, curve=tuple((float(e), i / e) for e in (1, 3, 9, 18, 27))) for i in range(1, 28))
    halving = msgspec.structs.replace(PLAN, pruner="halving")
    hyperband = msgspec.structs.replace(PLAN, pruner="hyperband")

    def test_one_in_three_passes_each_rung_at_a_ninth_and_a_third(self):
        found = bars(self.halving, self.curves)
        assert [epoch for epoch, _ in found.bars] == [3.0, 9.0]
        for epoch, bar in found.bars:
            reached = [dict(t.curve)[epoch] for t in self.curves]
            assert sum(value <= bar for value in reached) == 9

    def test_what_a_rung_stopped_still_counts_at_that_rung(self):
        stopped = tuple(
            tried(i, status="pruned", curve=tuple((float(e), i / e) for e in (1, 3))) for i in range(28, 55)
        )
        assert dict(bars(self.halving, [*self.curves, *stopped]).bars)[3.0] == pytest.approx(18 / 3)

    def test_a_metric_to_be_maximised_keeps_the_highest_third(self):
        plan = msgspec.structs.replace(self.halving, direction="maximize")
        assert dict(bars(plan, self.curves).bars)[3.0] == pytest.approx(19 / 3)

    def test_hyperbands_generations_take_turns_in_their_first_rung(self):
        rungs = [bars(self.hyperband, self.curves, generation) for generation in range(4)]
        assert [[epoch for epoch, _ in one.bars] if one else [] for one in rungs] == [[3, 9], [9], [], [3, 9]]

    def test_a_stopped_trial_says_by_what(self):
        point = Point(step=1, epoch=3.0, metrics={"val": {"loss": 9.0}})
        assert "the best third's last is 3" in bars(self.halving, self.curves)(point)

    def test_rungs_between_evaluations_lie_at_the_next_one(self):
        sparse = tuple(tried(i, curve=((4.0, i), (10.0, i), (27.0, i))) for i in range(1, 7))
        assert [epoch for epoch, _ in bars(self.halving, sparse).bars] == [4.0, 10.0]
