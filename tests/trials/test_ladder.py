from __future__ import annotations

from collections.abc import Sequence

import pytest

from recipe.record.history import History
from recipe.record.trial import Outcome, Trial
from recipe.trials.ladder import Goal, Step, climb, falling, rungs_of

GOAL = Goal(ceiling=0.0, tolerance=0.005, chance=0.9, examples=1000, metric="accuracy")
RUNGS = [
    Step("linear", {"model": "linear"}, "fall short"),
    Step("small", {"model": "mlp"}, "fit"),
    Step("large", {}, "fit"),
]
SIZES = {"linear": 10, "small": 100, "large": 1000}


class Trainer:
    """Answers trials with given errors, and remembers what it was asked."""

    def __init__(self, **errors: float) -> None:
        self.errors, self.asked = errors, [[""]]

    def __call__(self, trials: Sequence[Trial]) -> list[Outcome]:
        self.asked.append([trial.name for trial in trials])
        return [self.answer(trial) for trial in trials]

    def answer(self, trial: Trial) -> Outcome:
        return Outcome(
            trial=trial,
            status="finished",
            metrics={"train": dict.fromkeys(("error", "loss"), self.errors[trial.name])},
            history=History(losses=(1.0,) * 10, steps_per_epoch=5),
            steps=10,
            parameters=SIZES[trial.name],
        )


def up(trainer: Trainer, at_once: bool = False, own: bool = False, names: Sequence[str] = tuple(SIZES)):  # type: ignore[no-untyped-def]
    steps = dict.fromkeys(names, 100)
    return climb(RUNGS, steps, GOAL, seed=0, try_out=trainer, say=lambda _: None, at_once=at_once, own=own)


def test_climbing_stops_at_the_first_rung_that_fits() -> None:
    trainer = Trainer(linear=0.05, small=0.001, large=0.0)
    ladder = up(trainer)
    assert (ladder.best.name, ladder.left) == ("small", ("large",))
    assert trainer.asked[1:] == [["linear"], ["small"]]


def test_each_rung_says_what_it_expects_and_may_end_when_it_fits() -> None:
    seen: list[Trial] = []
    trainer = Trainer(linear=0.0)
    climb(
        RUNGS,
        {"linear": 7},
        GOAL,
        seed=3,
        try_out=lambda t: (seen.extend(t), trainer(t))[1],
        say=print,
        at_once=False,
        own=False,
    )
    assert (seen[0].hypothesis, seen[0].until, seen[0].steps, seen[0].seed) == ("expected to fall short", 0.005, 7, 3)


def test_under_a_budget_all_rungs_are_tried_at_once() -> None:
    trainer = Trainer(linear=0.15, small=0.08, large=0.09)
    ladder = up(trainer, at_once=True)
    assert trainer.asked[1:] == [["linear", "small", "large"]]
    assert (ladder.best.name, ladder.best.fits, ladder.short) == ("small", False, True)


def test_a_rung_without_steps_is_left_out() -> None:
    assert up(Trainer(linear=0.1, small=0.1), names=("linear", "small")).left == ("large",)


def test_of_two_that_cannot_be_told_apart_the_smaller_is_chosen() -> None:
    assert up(Trainer(linear=0.5, small=0.081, large=0.08)).best.name == "small"
    assert up(Trainer(linear=0.5, small=0.2, large=0.08)).best.name == "large"


def test_the_users_own_model_is_chosen_whatever_a_control_does() -> None:
    ladder = up(Trainer(linear=0.3, small=0.0), own=True)
    assert (ladder.best.name, ladder.own, len(ladder.rungs)) == ("linear", True, 2)


@pytest.mark.parametrize(
    ("losses", "falls"),
    [
        ((1.0,) * 10, 0.0),
        (tuple(2.0 - 0.1 * i for i in range(10)), 0.235),
        ((2.0,) + (0.3,) * 9, 0.0),
        ((1.0, 2.0), 1.0),
    ],
)
def test_how_much_a_loss_still_falls(losses: tuple[float, ...], falls: float) -> None:
    assert falling(losses) == pytest.approx(falls, abs=0.01)


def test_rungs_come_from_the_config() -> None:
    assert rungs_of([{"name": "a", "change": {"model": "mlp"}, "expects": "fit"}, {"name": "b"}]) == [
        Step("a", {"model": "mlp"}, "fit"),
        Step("b", {}, "fit"),
    ]
