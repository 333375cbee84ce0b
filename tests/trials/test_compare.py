from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec
import pytest

from recipe.record.gain import Gain
from recipe.record.history import History, Point
from recipe.record.trial import Outcome, Trial
from recipe.trials.compare import compare, of_one, over_seeds
from recipe.trials.rates import cut
from recipe.trials.stopping import at_best, rises


def run(seed: int, accuracy: float, status: str = "finished", **fields: object) -> Outcome:
    return Outcome(
        trial=Trial(name="t", change={}, seed=seed), status=status,
        metrics={"val": {"accuracy": accuracy, "loss": 1 - accuracy}}, history=History(), steps=10, **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_gain_outside_the_noise_is_real() -> None:
    gain = compare(
        [run(s, 0.9 + 0.001 * s) for s in range(4)], [run(s, 0.88 + 0.0011 * s) for s in range(4)],
        metric="accuracy", higher_is_better=True,
    )  # fmt: skip
    assert (gain.method, gain.real, gain.harmful) == ("seeds", True, False)
    assert gain.difference.mean == pytest.approx(0.02, abs=1e-3)


def test_a_gain_inside_the_noise_is_not() -> None:
    gain = compare([run(0, 0.9), run(1, 0.8)], [run(0, 0.8), run(1, 0.88)], metric="accuracy", higher_is_better=True)
    assert not gain.real
    assert not gain.harmful


def test_lower_is_better_turns_the_sign() -> None:
    gain = compare(
        [run(s, 0.9 + s / 1e4) for s in range(3)],
        [run(s, 0.8) for s in range(3)],
        metric="loss",
        higher_is_better=False,
    )
    assert gain.real
    assert gain.difference.mean > 0


def test_only_seeds_that_both_have_are_compared() -> None:
    gain = compare([run(0, 0.9), run(7, 0.1)], [run(0, 0.8), run(1, 0.1)], metric="accuracy", higher_is_better=True)
    assert gain.difference.n == 1
    assert gain.difference.mean == pytest.approx(0.1)


def test_one_seed_claims_nothing_by_itself() -> None:
    gain = compare([run(0, 0.99)], [run(0, 0.5)], metric="accuracy", higher_is_better=True)
    assert (gain.method, gain.real) == ("none", False)


def test_one_seed_with_items_is_judged_over_them_and_says_so() -> None:
    better, worse = run(0, 0.9), run(0, 0.6)
    items = {id(better): [1.0] * 90 + [0.0] * 10, id(worse): [1.0] * 60 + [0.0] * 40}
    gain = compare([better], [worse], metric="accuracy", higher_is_better=True, items=lambda o, _: items[id(o)])
    assert (gain.method, gain.real, gain.difference.n) == ("items", True, 100)


def test_one_seed_is_judged_by_the_losses_of_its_items_as_well() -> None:
    generator = random.Random(0)
    before = [generator.expovariate(4.0) for _ in range(500)]

    def gain(less: float) -> Gain:
        after = [max(0.0, loss - less + generator.gauss(0, 0.05)) for loss in before]
        runs = [
            msgspec.structs.replace(run(0, 0.9), metrics={"val": {"loss": math.fsum(each) / len(each)}})
            for each in (after, before)
        ]
        each = {id(runs[0]): after, id(runs[1]): before}

        def items(outcome: Outcome, metric: str) -> list[float] | None:
            return each[id(outcome)] if metric == "loss" else None

        return compare(runs[:1], runs[1:], metric="loss", higher_is_better=False, items=items)

    better, same = gain(0.02), gain(0.0)
    assert (better.method, better.real) == ("items", True)
    assert better.difference.mean == pytest.approx(0.02, abs=0.01)
    assert not same.real


def test_a_run_that_failed_is_worse_than_any() -> None:
    gain = compare(
        [run(0, math.nan, "diverged", note="nan at step 3")], [run(0, 0.1)], metric="accuracy", higher_is_better=True
    )
    assert (gain.difference.mean, gain.note) == (-math.inf, "nan at step 3")
    assert gain.harmful


def test_shares_stay_between_zero_and_one() -> None:
    found = over_seeds([run(0, 0.99), run(1, 1.0)], "val", "accuracy")
    assert found.high == 1.0


def test_one_run_has_an_interval_over_items() -> None:
    assert of_one(run(0, 0.9), "accuracy", lambda *_: [1.0] * 9 + [0.0]).low > 0.5
    assert of_one(run(0, 0.9), "accuracy", lambda *_: None).low == -math.inf


def curve(*losses: float) -> Outcome:
    points = tuple(
        Point(step=10 * (i + 1), epoch=i + 1.0, metrics={"val": {"loss": loss, "accuracy": 1 - loss / 2}})
        for i, loss in enumerate(losses)
    )
    one = run(0, 0.5)
    return Outcome(
        **{
            **{f: getattr(one, f) for f in one.__struct_fields__},
            "history": History(points=points),
            "steps": 10 * len(losses),
        }
    )


def test_early_stopping_is_read_off_a_whole_run() -> None:
    outcome = curve(0.8, 0.4, 0.5, 0.6)
    assert rises(outcome) == (pytest.approx(0.5), 0.5)
    assert at_best(outcome).value("val", "accuracy") == pytest.approx(0.8)
    assert rises(curve(0.8, 0.4)) == (0.0, 1.0)
    assert rises(run(0, 0.9)) == (0.0, 1.0)


def test_a_run_is_cut_where_another_ended() -> None:
    outcome = cut(curve(0.8, 0.4, 0.2), 22)
    assert (outcome.steps, outcome.value("val", "loss")) == (22, 0.4)
    assert cut(outcome, 100) == outcome


def test_items_that_are_not_the_metrics_do_not_speak_for_it() -> None:
    better, worse = run(0, 0.9), run(0, 0.6)
    gain = compare([better], [worse], metric="accuracy", higher_is_better=True, items=lambda *_: [0.3, 0.4])
    assert gain.method == "none"


def seen(accuracies: Sequence[float], losses: Sequence[float], kept: float | None = None) -> Outcome:
    """A run with these mini-batch losses that was evaluated every ten steps, coming to the last value or to `kept`."""
    points = tuple(
        Point(step=10 * (i + 1), epoch=i + 1.0, metrics={"val": {"accuracy": accuracy}})
        for i, accuracy in enumerate(accuracies)
    )
    last = accuracies[-1] if kept is None else kept
    return Outcome(
        trial=Trial(name="t", change={}, seed=0), status="finished", metrics={"val": {"accuracy": last}},
        history=History(points=points, losses=tuple(losses)), steps=10 * len(points),
    )  # fmt: skip


class TestOneRunSeenInTwoWays:
    """Averaged weights leave the training as it is: every late evaluation compares them."""

    steps = tuple(1 / (1 + i) for i in range(100))
    raw = (0.5, 0.6, 0.7, 0.8, 0.9, 0.905, 0.893, 0.899, 0.908, 0.895)
    mean = (0.2, 0.3, 0.5, 0.7, 0.8, 0.907, 0.906, 0.908, 0.909, 0.909)

    def gain(self, one: Outcome, other: Outcome, metric: str = "accuracy") -> Gain:
        items = {id(one): [1.0] * 909 + [0.0] * 91, id(other): [1.0] * 895 + [0.0] * 105}
        return compare([one], [other], metric=metric, higher_is_better=True, items=lambda o, _: items[id(o)])

    def test_is_judged_over_the_late_evaluations(self) -> None:
        found = self.gain(seen(self.mean, self.steps), seen(self.raw, self.steps))
        assert (found.method, found.real, found.difference.n) == ("evaluations", True, 5)
        assert found.difference.mean == pytest.approx(0.0078)

    def test_that_do_not_differ_by_more_than_their_jitter_is_no_gain(self) -> None:
        turned = (*self.raw[:5], 0.9, 0.9, 0.9, 0.9, 0.9)
        assert not self.gain(seen(turned, self.steps), seen(self.raw, self.steps)).real

    def test_another_training_is_not_one_run(self) -> None:
        other = (*self.steps[:-1], 0.5)
        assert self.gain(seen(self.mean, self.steps), seen(self.raw, other)).method == "items"

    def test_other_weights_than_the_last_are_not_judged_by_the_way_there(self) -> None:
        assert self.gain(seen(self.mean, self.steps), seen(self.raw, self.steps, kept=0.908)).method == "none"

    def test_seeds_are_the_replicates_where_there_are_three(self) -> None:
        def runs(shift: float, values: Sequence[float]) -> list[Outcome]:
            of_seeds = [seen([v + shift * s for v in values], self.steps) for s in range(3)]
            return [
                msgspec.structs.replace(o, trial=Trial(name="t", change={}, seed=s)) for s, o in enumerate(of_seeds)
            ]

        found = compare(runs(0.002, self.mean), runs(0.001, self.raw), metric="accuracy", higher_is_better=True)
        assert (found.method, found.difference.n, found.real) == ("seeds", 3, True)
        assert found.difference.mean == pytest.approx(0.0078 + 0.001)

    def test_two_evaluations_are_too_few(self) -> None:
        assert self.gain(seen(self.mean[-4:], self.steps), seen(self.raw[-4:], self.steps)).method == "items"
