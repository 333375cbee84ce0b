from __future__ import annotations

import math

import msgspec
import pytest

from recipe.intervals import of_items, t_interval
from recipe.record.ensemble import Errors, Member, Members, Package, Recall, Size, SizeCurve, TestResult
from recipe.record.human import Beside, BesidePeople
from recipe.record.interval import Interval
from recipe.testing import run_check

NET = Member(
    name="seed 1",
    source="seed",
    change={},
    seed=1,
    trial="t",
    headline=Interval(0.9, 0.88, 0.92, 300),
    loss=0.3,
    parameters=10,
)


def members(distance, lost=()):
    n = len(distance)
    return Members(
        members=(NET,) * n,
        disagreement=tuple((0.02,) * n for _ in range(n)),
        distance=tuple(map(tuple, distance)),
        metric="accuracy",
        higher_is_better=True,
        items=300,
        lost=lost,
    )


class TestMembers:
    def test_different_nets_pass(self):
        assert run_check("members-differ", members=members([[0, 0.1], [0.1, 0]])).verdict == "pass"

    def test_one_net_twice_fails(self):
        finding = run_check("members-differ", members=members([[0, 0.0, 0.1], [0.0, 0, 0.1], [0.1, 0.1, 0]]))
        assert (finding.verdict, finding.cause) == ("fail", "identical-members")

    def test_one_member_is_not_judged(self):
        assert run_check("members-differ", members=members([[0]])).verdict == "skipped"

    def test_all_trained_passes_and_one_lost_warns(self):
        assert run_check("members-trained", members=members([[0]])).verdict == "pass"
        assert run_check("members-trained", members=members([[0]], lost=("seed 3: loss nan",))).verdict == "warn"


def curve(loss_gain=(0.02, 0.01, 0.03), gain=(0.0, -0.01, 0.01), last=(0.001, -0.001, 0.003), n=5):
    one = Interval(0.9, 0.9, 0.9)
    sizes = tuple(Size(size=k + 1, subsets=1, headline=one, loss=one) for k in range(n))
    return SizeCurve(
        sizes=sizes,
        metric="accuracy",
        higher_is_better=True,
        tops_out=3,
        ensemble=one,
        loss=0.1,
        gain=Interval(*gain, 300),
        loss_gain=Interval(*loss_gain, 300),
        last_gain=Interval(*last, 300) if n > 1 else None,
    )


class TestSize:
    def test_a_gain_passes(self):
        assert run_check("ensemble-pays", size_curve=curve()).verdict == "pass"

    def test_worse_than_its_best_member_warns(self):
        finding = run_check(
            "ensemble-pays", size_curve=curve(loss_gain=(-0.03, -0.05, -0.01), gain=(-0.02, -0.05, -0.01))
        )
        assert (finding.verdict, finding.cause) == ("warn", "unequal-members")

    def test_less_sure_but_as_often_right_passes(self):
        less_sure = curve(loss_gain=(-0.03, -0.05, -0.01), gain=(0.0, -0.01, 0.01))
        assert run_check("ensemble-pays", size_curve=less_sure).verdict == "pass"

    def test_one_member_is_not_judged(self):
        assert run_check("ensemble-pays", size_curve=curve(n=1)).verdict == "skipped"
        assert run_check("ensemble-size", size_curve=curve(n=1)).verdict == "skipped"

    def test_a_last_member_that_brought_little_passes(self):
        assert run_check("ensemble-size", size_curve=curve()).verdict == "pass"

    def test_a_last_member_that_brought_much_warns(self):
        finding = run_check("ensemble-size", size_curve=curve(last=(0.02, 0.01, 0.03)))
        assert (finding.verdict, finding.advice) == ("warn", "ensemble.members=10")


def result(test=(0.98, 0.96, 0.99), openings=1, split="test"):
    val = Interval(0.98, 0.96, 0.99, 300)
    return TestResult(
        split=split,
        metric="accuracy",
        higher_is_better=True,
        items=360,
        val_items=300,
        single=Interval(*test, 360),
        ensemble=Interval(*test, 360),
        single_val=val,
        ensemble_val=val,
        metrics={},
        openings=openings,
    )


class TestTestSplit:
    def test_opened_once_passes(self):
        assert run_check("test-opened-once", test=result()).verdict == "pass"

    def test_opened_again_warns(self):
        assert run_check("test-opened-once", test=result(openings=2)).verdict == "warn"

    def test_sealed_passes(self):
        assert run_check("test-opened-once", test=result(openings=0, split="val")).verdict == "pass"

    def test_agreement_passes(self):
        assert run_check("test-agrees-with-val", test=result((0.97, 0.95, 0.98))).verdict == "pass"

    def test_far_below_validation_warns(self):
        finding = run_check("test-agrees-with-val", test=result((0.90, 0.87, 0.93)))
        assert (finding.verdict, finding.cause) == ("warn", "validation-optimism")

    def test_far_above_validation_warns(self):
        val = msgspec.structs.replace(result((0.98, 0.97, 0.99)), ensemble_val=Interval(0.8, 0.75, 0.84, 300))
        assert run_check("test-agrees-with-val", test=val).cause == "splits-differ"

    def test_a_lower_is_better_metric_is_turned(self):
        one = msgspec.structs.replace(result((0.5, 0.45, 0.55)), higher_is_better=False)
        finding = run_check(
            "test-agrees-with-val", test=msgspec.structs.replace(one, ensemble_val=Interval(0.3, 0.25, 0.35))
        )
        assert finding.cause == "validation-optimism"


class TestClasses:
    def errors(self, low):
        recalls = (Recall(name="cat", recall=Interval(0.95, 0.9, 0.98, 90)), Recall(name="dog", recall=low))
        return Errors(split="test", items=100, wrong=10, recalls=recalls)

    def test_even_recall_passes(self):
        assert run_check("every-class-recognised", errors=self.errors(Interval(0.7, 0.5, 0.8, 30))).verdict == "pass"

    def test_a_class_that_is_never_said_warns(self):
        finding = run_check("every-class-recognised", errors=self.errors(Interval(0.0, 0.0, 0.1, 30)))
        assert (finding.verdict, finding.where) == ("warn", "dog")

    def test_numbers_have_no_classes(self):
        assert run_check("every-class-recognised", errors=Errors(split="test", items=9, wrong=0)).verdict == "skipped"


class TestPackage:
    package = Package(files={"model.json": 10}, items=10, split="val", difference=0.0, members=1, parameters=5)

    def test_equal_outputs_pass(self):
        assert run_check("taken-home-model-agrees", package=self.package).verdict == "pass"

    def test_other_outputs_fail_and_so_do_nans(self):
        for difference in (0.01, math.nan):
            package = msgspec.structs.replace(self.package, difference=difference)
            assert run_check("taken-home-model-agrees", package=package).verdict == "fail"


def beside(items, model, person):
    """Of so many items the first `model` are right by the model, the first `person` by the person."""
    right = [(float(k < model), float(k < person)) for k in range(items)]
    return BesidePeople(
        metric="accuracy",
        people=(
            Beside(
                annotator="ada",
                items=items,
                model=of_items([a for a, _ in right]),
                person=of_items([b for _, b in right]),
                lead=t_interval([a - b for a, b in right]),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("record", "verdict", "cause"),
    [
        (beside(100, 70, 95), "warn", "people-are-better"),
        (beside(100, 95, 97), "pass", ""),
        (beside(100, 99, 90), "pass", ""),
        (beside(10, 2, 9), "skipped", ""),
    ],
)
def test_a_person_who_is_clearly_better_is_told(record, verdict, cause):
    finding = run_check("no-worse-than-people", beside_people=record)
    assert (finding.verdict, finding.cause) == (verdict, cause)
