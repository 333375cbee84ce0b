import math

import pytest
import torch

from recipe.record.refusal import Refusal
from recipe.training.learner import make_schedule
from recipe.training.schedules import (
    Constant,
    Cosine,
    Exponential,
    HalveOnPlateau,
    InverseTime,
    OneCycle,
    Polynomial,
    Step,
    TorchSchedule,
    WarmupCosine,
)  # fmt: skip

SHAPES = {
    Constant(): {0.0: 1, 0.99: 1},
    Cosine(): {0.0: 1, 0.5: 0.5, 1.0: 0},
    Cosine(final=0.2): {0.5: 0.6, 1.0: 0.2},
    OneCycle(): {0.0: 0.04, 0.15: 0.52, 0.3: 1, 0.65: 0.5, 1.0: 0},
    WarmupCosine(warmup=0.1, start=0.0): {0.0: 0, 0.05: 0.5, 0.1: 1, 0.55: 0.5, 1.0: 0},
    WarmupCosine(warmup=0.0): {0.0: 1},
    Step(at=[0.5, 0.75], factor=0.1): {0.49: 1, 0.5: 0.1, 0.75: 0.01},
    Exponential(final=0.01): {0.0: 1, 0.5: 0.1, 1.0: 0.01},
    InverseTime(rate=9.0): {0.0: 1, 1.0: 0.1},
    Polynomial(power=2.0): {0.0: 1, 0.5: 0.25, 1.0: 0},
}


def optimizer(lr=0.5):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


@pytest.mark.parametrize("schedule", SHAPES, ids=lambda s: type(s).__name__)
def test_factor_at_fractions_of_the_run(schedule):
    for fraction, factor in SHAPES[schedule].items():
        assert math.isclose(schedule(fraction), factor, abs_tol=1e-12)


def test_groups_keep_their_own_base_rates():
    optimizer = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (0.1, 0.4)], lr=1
    )
    schedule = Cosine()
    schedule.bind(optimizer)
    assert schedule.apply(optimizer, 5, 10, 1) == pytest.approx(0.05)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, 0.2])


def test_halves_when_the_validation_loss_stops_falling():
    schedule = HalveOnPlateau(patience=2)
    factors = []
    for loss in (1.0, 0.9, 0.95, 0.91, 0.92, 0.93, 0.5):
        schedule.told(loss)
        factors.append(schedule(0.5))
    assert factors == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    resumed = HalveOnPlateau(patience=2)
    resumed.load_state(schedule.state())
    assert resumed.state() == schedule.state()


@pytest.mark.parametrize("interval", ["step", "epoch"])
@pytest.mark.parametrize("name", ["StepLR", "ExponentialLR", "CosineAnnealingLR", "OneCycleLR"])
def test_torch_schedulers_give_the_rates_that_torch_gives(interval, name, instantiate):
    arguments = {"StepLR": {"step_size": 2}, "ExponentialLR": {"gamma": 0.9}, "CosineAnnealingLR": {"T_max": 20}}
    node = {"_target_": f"torch.optim.lr_scheduler.{name}", **arguments.get(name, {"max_lr": 0.5, "total_steps": 30})}
    per_epoch, theirs = 4, optimizer()
    scheduler = instantiate(node, optimizer=theirs)
    expected = []
    for step in range(20):
        expected.append(theirs.param_groups[0]["lr"])
        theirs.step()
        if interval == "step" or (step + 1) % per_epoch == 0:
            scheduler.step()
    ours, rates = optimizer(), []
    schedule = make_schedule({**node, "interval": interval}, instantiate)
    schedule.bind(ours)
    for step in range(20):
        if step == 11:
            state, rate = schedule.state(), [dict(group, params=None) for group in ours.param_groups]
            schedule = make_schedule({**node, "interval": interval}, instantiate)
            ours = optimizer()
            schedule.bind(ours)
            for group, saved in zip(ours.param_groups, rate, strict=True):
                group |= {key: value for key, value in saved.items() if key != "params"}
            schedule.load_state(state)
        rates.append(schedule.apply(ours, step, 20, per_epoch))
    assert rates == expected


def test_reduce_on_plateau_listens_to_evaluations(instantiate):
    node = {"_target_": "torch.optim.lr_scheduler.ReduceLROnPlateau", "patience": 0, "factor": 0.1}
    ours = optimizer(1.0)
    schedule = make_schedule(node, instantiate)
    schedule.bind(ours)
    for loss in (1.0, 1.0, 1.0):
        schedule.told(loss)
    assert schedule.apply(ours, 3, 10, 1) == pytest.approx(0.01)


@pytest.mark.parametrize(
    "make",
    [
        lambda: OneCycle(peak_at=1.5),
        lambda: WarmupCosine(warmup=-1),
        lambda: Exponential(final=0),
        lambda: TorchSchedule(id, "year"),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(Refusal) as refused:
        make()
    assert refused.value.where.startswith("schedule.")


def test_no_schedule_is_constant(instantiate):
    assert isinstance(make_schedule(None, instantiate), Constant)
    ours = make_schedule({"_target_": "recipe.training.schedules.Polynomial", "power": 3.0}, instantiate)
    assert isinstance(ours, Polynomial)
