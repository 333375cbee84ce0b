import math

import pytest

from recipe.record.history import Point
from recipe.record.refusal import Refusal
from recipe.training.early_stopping import EarlyStopping, cadence


def hear(stopping, values):
    name = stopping.monitor.partition(".")[2]
    return [stopping.update(Point(step=i, epoch=i, metrics={"val": {name: v}})) for i, v in enumerate(values, 1)]


def test_patience_counts_evaluations_without_gain():
    stopping = EarlyStopping(patience=2)
    assert hear(stopping, [1.0, 0.5, 0.6]) == [True, True, False]
    assert not stopping.exhausted
    hear(stopping, [0.7])
    assert (stopping.exhausted, stopping.best, stopping.best_step) == (True, 0.5, 2)


def test_small_gains_do_not_count():
    assert hear(EarlyStopping(min_delta=0.1), [1.0, 0.95, 0.89]) == [True, False, True]


def test_larger_may_be_better():
    assert hear(EarlyStopping("val.accuracy", "max"), [0.5, 0.4, 0.6]) == [True, False, True]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_never_best(bad):
    assert hear(EarlyStopping(), [bad, 1.0, bad]) == [False, True, False]


def test_patience_survives_a_resume():
    stopping, resumed = EarlyStopping(patience=3), EarlyStopping(patience=3)
    hear(stopping, [1.0, 2.0, 2.0])
    resumed.load_state(stopping.state())
    hear(resumed, [2.0])
    assert (resumed.exhausted, resumed.best, resumed.best_step) == (True, 1.0, 1)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(Refusal) as refused:
        EarlyStopping("val.f1").update(Point(step=1, epoch=1, metrics={"val": {"loss": 1.0, "accuracy": 0.5}}))
    assert refused.value.fix == "one of val.loss, val.accuracy"


def test_an_unknown_mode_is_refused():
    with pytest.raises(Refusal):
        EarlyStopping(mode="least")


@pytest.mark.parametrize(
    ("steps_per_epoch", "epochs", "val_batches", "every", "why"),
    [
        (20, 15, 1, 20, "each epoch"),
        (20, 3, 1, 6, "ten times in a short run"),
        (5, 400, 1, 25, "every five epochs of a small set"),
        (20, 60, 1, 40, "thirty times in a long run"),
        (2000, 20, 10, 1000, "twice an epoch of a large set"),
        (50_000, 3, 100, 12_500, "four times an epoch of a very large one"),
        (50_000, 1, 100, 5000, "and ten times, if one epoch is all there is"),
        (2000, 20, 900, 1800, "less often where validation is long"),
    ],
)
def test_the_cadence_follows_the_size_of_the_data(steps_per_epoch, epochs, val_batches, every, why):
    assert cadence(None, steps_per_epoch, epochs * steps_per_epoch, val_batches) == every, why


def test_a_cadence_that_is_asked_for_is_kept():
    assert cadence(0.5, 100, 10_000, 400) == 50
