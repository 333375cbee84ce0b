from __future__ import annotations

import math
from typing import Any

import pytest

from recipe.record.history import History, LayerSample, Sample
from recipe.record.interval import Interval
from recipe.record.overfit import CapacityLadder, LayerHealth, LearningRateEdge, RateRun, Rung, UnitHealth
from recipe.record.setup import Setup
from recipe.testing import run_check


def rung(name: str, error: float, **fields: Any) -> Rung:
    given = {
        "name": name, "change": {}, "expects": "fit", "trial": name, "status": "finished", "parameters": 1000,
        "steps": 400, "epochs": 20.0, "seconds": 1.0, "train_loss": error,
        "train_error": Interval(error, error, error, 1000),
        "val": 0.9, "fits": error <= 0.005, "falling": 0.0,
    }  # fmt: skip
    return Rung(**{**given, **fields})


def ladder(*rungs: Rung, chosen: int = -1, **fields: Any) -> CapacityLadder:
    given = {"examples": 1000, "ceiling": 0.0, "tolerance": 0.005, "chance": 0.9, "metric": "accuracy"}
    return CapacityLadder(rungs=rungs, chosen=chosen % len(rungs), **{**given, **fields})


def falls(steps: int = 100, start: float = 2.3, end: float = 0.1) -> tuple[float, ...]:
    return tuple(start * (end / start) ** (i / (steps - 1)) for i in range(steps))


def history(**fields: Any) -> History:
    losses = fields.get("losses", falls())
    return History(**{"losses": losses, "rates": (1e-3,) * len(losses), "steps_per_epoch": 10, **fields})


def sampled(
    layers: dict[str, dict[str, float]], count: int = 8, clipped: bool = False, norm: float = 1.0
) -> tuple[Sample, ...]:
    made = tuple(LayerSample(layer=name, **values) for name, values in layers.items())
    return tuple(Sample(step=10 * i, gradient_norm=norm, clipped=clipped, layers=made) for i in range(count))


def setup(**fields: Any) -> Setup:
    given = {
        "model": "mlp", "optimizer": "Adam", "options": {"lr": 3e-4, "eps": 1e-8}, "schedule": "constant",
        "batch_size": 64, "clip_norm": None, "parameters": 1000,
    }  # fmt: skip
    return Setup(**{**given, **fields})


def test_a_rung_that_fits_passes() -> None:
    found = run_check("training-set-fits", capacity_ladder=ladder(rung("linear", 0.05), rung("MLP", 0.001)))
    assert (found.verdict, "MLP fits" in found.message, "0.10%" in found.message) == ("pass", True, True)


def test_a_flat_loss_near_chance_is_a_bug() -> None:
    found = run_check("training-set-fits", capacity_ladder=ladder(rung("MLP", 0.8)))
    assert (found.verdict, found.cause) == ("fail", "bug")


def test_a_flat_loss_far_below_chance_is_capacity() -> None:
    found = run_check("training-set-fits", capacity_ladder=ladder(rung("linear", 0.03)))
    assert (found.verdict, found.cause) == ("warn", "capacity")


def test_a_run_that_ended_while_the_loss_fell_was_too_short() -> None:
    found = run_check("training-set-fits", capacity_ladder=ladder(rung("MLP", 0.4, falling=0.3), short=True))
    assert (found.verdict, found.cause, "budget" in found.advice) == ("warn", "too-short", True)


def test_what_nobody_measured_is_not_promised() -> None:
    known = run_check("training-set-fits", capacity_ladder=ladder(rung("MLP", 0.03))).message
    assert "0.00% can be reached" in known
    narrow = ladder(rung("dense autoencoder 16", 0.03), metric="r2", unknown="what 16 numbers can keep is not known")
    told = run_check("training-set-fits", capacity_ladder=narrow).message
    assert "perfect outputs have 0, and what 16 numbers can keep is not known" in told
    assert "can be reached" not in told


@pytest.mark.parametrize(("error", "verdict", "cause"), [(0.03, "warn", "capacity"), (0.8, "fail", "bug")])
def test_the_users_model_is_judged_beside_a_control(error: float, verdict: str, cause: str) -> None:
    found = run_check(
        "training-set-fits", capacity_ladder=ladder(rung("yours", error), rung("control", 0.0), chosen=0, own=True)
    )
    assert (found.verdict, found.cause) == (verdict, cause)
    assert "control fits the same data" in found.message


@pytest.mark.parametrize(("error", "cause"), [(0.02, "too-short"), (0.4, "capacity")])
def test_a_net_far_behind_a_control_needs_more_than_time(error: float, cause: str) -> None:
    slow = ladder(rung("yours", error, falling=0.3), rung("control", 0.0), chosen=0, own=True)
    assert run_check("training-set-fits", capacity_ladder=slow).cause == cause


def test_a_diverged_rung_fails() -> None:
    gone = rung("MLP", math.nan, status="diverged", note="loss nan at step 3")
    found = run_check("training-set-fits", capacity_ladder=ladder(gone))
    assert (found.verdict, found.cause) == ("fail", "diverged")


def test_capacity_that_brings_nothing_is_told() -> None:
    wider = rung("wide", 0.4, train_loss=0.6)
    found = run_check("capacity-is-used", capacity_ladder=ladder(rung("small", 0.4, train_loss=0.5), wider))
    assert (found.verdict, found.where) == ("warn", "wide")


def test_capacity_that_helps_passes() -> None:
    assert run_check("capacity-is-used", capacity_ladder=ladder(rung("a", 0.4), rung("b", 0.1))).verdict == "pass"
    assert run_check("capacity-is-used", capacity_ladder=ladder(rung("a", 0.4))).verdict == "skipped"


def edge(rate: float, low: float = 0.1, high: float = 0.13) -> LearningRateEdge:
    runs = (RateRun(rate=max(low, 1e-9), seed=0, ratio=0.5, diverged=False),)
    return LearningRateEdge(
        edge=Interval((low * high) ** 0.5, low, high, 2),
        rate=rate,
        start=low / 10,
        steps=60,
        optimizer="Adam",
        runs=runs,
    )


@pytest.mark.parametrize(
    ("rate", "verdict", "cause"),
    [
        (3e-4, "pass", ""),
        (0.2, "fail", "rate-too-high"),
        (0.08, "warn", "rate-too-high"),
        (1e-6, "warn", "rate-too-low"),
    ],
)
def test_the_rate_is_judged_by_the_edge(rate: float, verdict: str, cause: str) -> None:
    found = run_check("learning-rate-edge", learning_rate_edge=edge(rate))
    assert (found.verdict, found.cause) == (verdict, cause)


def test_a_loss_that_rises_at_every_rate_goes_uphill() -> None:
    found = run_check("learning-rate-edge", learning_rate_edge=edge(1e-3, low=0.0, high=1e-9))
    assert (found.verdict, found.cause) == ("fail", "uphill")


def test_an_edge_that_was_never_found_is_no_fault() -> None:
    assert run_check("learning-rate-edge", learning_rate_edge=edge(0.1, low=1e4, high=math.inf)).verdict == "warn"
    assert run_check("learning-rate-edge", learning_rate_edge=edge(10.0, low=1e4, high=math.inf)).verdict == "pass"


def test_a_rate_that_dies_early_fails() -> None:
    dying = history(rates=tuple(0.1 * 0.8**i for i in range(100)))
    found = run_check("effective-rate", run=dying)
    assert (found.verdict, found.cause, "step 21 of 100" in found.message) == ("fail", "schedule-decays-early", True)


@pytest.mark.parametrize(
    "shape", [lambda t: 1.0, lambda t: 0.5 * (1 + math.cos(math.pi * t)), lambda t: 1 / (1 + 9 * t)]
)
def test_shipped_schedules_last(shape: Any) -> None:
    assert run_check("effective-rate", run=history(rates=tuple(shape(i / 100) for i in range(100)))).verdict == "pass"


def test_a_rate_of_zero_fails() -> None:
    assert run_check("effective-rate", run=history(rates=(0.0,) * 100)).cause == "rate-zero"


def test_a_falling_loss_passes() -> None:
    assert run_check("loss-falls", run=history()).verdict == "pass"


def test_a_loss_that_does_not_fall_fails() -> None:
    found = run_check("loss-falls", run=history(losses=(2.30,) * 100))
    assert (found.verdict, found.cause) == ("fail", "loss-does-not-fall")


def test_a_loss_that_comes_back_is_told() -> None:
    losses = falls(50) + falls(50, 0.1, 1.5)
    assert run_check("loss-falls", run=history(losses=losses)).cause == "loss-rises"


def test_jitter_near_zero_is_no_rise() -> None:
    losses = falls(90, end=1e-4) + (3e-3,) * 10
    assert run_check("loss-falls", run=history(losses=losses)).verdict == "pass"


def test_divergence_fails_with_its_place() -> None:
    found = run_check("loss-falls", run=history(stopped="diverged: loss nan at step 17"))
    assert (found.verdict, "step 17" in found.message) == ("fail", True)


def test_a_healthy_update_passes() -> None:
    run = history(samples=sampled({"a": {"update_ratio": 1e-3}, "b": {"update_ratio": 5e-3}}))
    assert run_check("update-size", run=run).verdict == "pass"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, "rate-too-low"),
        ({"options": {"lr": 3e-4, "eps": 1}}, "epsilon-too-large"),
        ({"clip_norm": 1e-4}, "clipping-too-tight"),
    ],
)
def test_tiny_updates_of_a_net_that_does_not_learn_fail_by_name(fields: dict[str, Any], cause: str) -> None:
    samples = sampled({"a": {"update_ratio": 1e-6}}, clipped=bool(fields.get("clip_norm")))
    run = history(losses=(2.3,) * 100, samples=samples)
    found = run_check("update-size", run=run, setup=setup(**fields))
    assert (found.verdict, found.cause) == ("fail", cause)


def test_tiny_updates_of_a_net_that_learns_are_its_own_affair() -> None:
    assert run_check("update-size", run=history(samples=sampled({"a": {"update_ratio": 1e-6}}))).verdict == "pass"


def test_huge_updates_are_told() -> None:
    run = history(samples=sampled({"a": {"update_ratio": 0.5}}))
    assert run_check("update-size", run=run).cause == "rate-too-high"


def test_a_frozen_layer_does_not_count() -> None:
    run = history(samples=sampled({"frozen": {"update_ratio": 0.0}, "b": {"update_ratio": 1e-3}}))
    assert run_check("update-size", run=run).verdict == "pass"


def test_clipping_to_a_crumb_is_told() -> None:
    run = history(samples=sampled({}, clipped=True, norm=2.0))
    assert run_check("clipping-leaves-room", run=run, setup=setup(clip_norm=1e-4)).cause == "clipping-too-tight"
    assert run_check("clipping-leaves-room", run=run, setup=setup(clip_norm=1.0)).verdict == "pass"
    assert run_check("clipping-leaves-room", run=run, setup=setup()).verdict == "skipped"


def test_vanishing_gradients_fail_at_the_first_layer() -> None:
    run = history(samples=sampled({"first": {"gradient_norm": 1e-7}, "last": {"gradient_norm": 0.5}}))
    found = run_check("gradient-flow", run=run)
    assert (found.verdict, found.cause, found.where) == ("fail", "vanishing-gradient", "first")


def test_exploding_gradients_are_told() -> None:
    run = history(samples=sampled({"first": {"gradient_norm": 1e6}, "last": {"gradient_norm": 0.5}}))
    assert run_check("gradient-flow", run=run).cause == "exploding-gradient"


def test_no_gradient_at_all_fails() -> None:
    run = history(samples=sampled({"first": {"gradient_norm": 0.0}, "last": {"gradient_norm": 0.0}}))
    assert run_check("gradient-flow", run=run).cause == "no-gradient"


def test_healthy_gradients_pass() -> None:
    run = history(samples=sampled({"first": {"gradient_norm": 0.02}, "last": {"gradient_norm": 0.5}}))
    assert run_check("gradient-flow", run=run).verdict == "pass"


def test_a_spike_is_told_with_its_step() -> None:
    samples = (*sampled({}, count=6), Sample(step=70, gradient_norm=1e4))
    found = run_check("gradient-spikes", run=history(samples=samples))
    assert (found.cause, found.measured["step"]) == ("gradient-spike", 70)


def test_gradients_that_come_back_from_nothing_are_no_spike() -> None:
    samples = sampled({}, count=1) + sampled({}, count=6, norm=1e-4) + (Sample(step=70, gradient_norm=0.5),)
    assert run_check("gradient-spikes", run=history(samples=samples)).verdict == "pass"


def health(dead: int, before: int = 0, saturated: float | None = None) -> UnitHealth:
    layer = LayerHealth(layer="a", kind="ReLU", units=100, dead_before=before, dead_after=dead, saturated=saturated)
    return UnitHealth(layers=(layer,), examples=1000)


@pytest.mark.parametrize(
    ("fields", "verdict", "cause"),
    [
        ({}, "pass", ""),
        ({"twins_after": 40}, "pass", ""),
        ({"twins_after": 100, "twins_before": 100}, "fail", "twin-units"),
        ({"constant": 80}, "warn", "constant-units"),
    ],
)
def test_units_that_do_not_differ_are_told(fields: dict[str, int], verdict: str, cause: str) -> None:
    layer = LayerHealth(layer="a", kind="ReLU", units=100, dead_before=0, dead_after=0, **fields)
    found = run_check("units-differ", unit_health=UnitHealth(layers=(layer,), examples=1000))
    assert (found.verdict, found.cause) == (verdict, cause)


@pytest.mark.parametrize(("dead", "verdict"), [(0, "pass"), (35, "pass"), (60, "warn"), (95, "fail")])
def test_dead_units_are_judged_by_their_share(dead: int, verdict: str) -> None:
    assert run_check("units-alive", unit_health=health(dead)).verdict == verdict


def test_when_units_died_is_told() -> None:
    assert "since training began" in run_check("units-alive", unit_health=health(95)).message
    assert "from the start" in run_check("units-alive", unit_health=health(95, before=95)).message


def test_saturation_of_a_net_that_does_not_learn_is_told() -> None:
    found = run_check("activations-move", unit_health=health(0, saturated=0.9), run=history(losses=(2.3,) * 100))
    assert (found.verdict, found.cause) == ("warn", "saturation")


def test_saturation_of_a_net_that_learns_is_its_own_affair() -> None:
    assert run_check("activations-move", unit_health=health(0, saturated=0.9), run=history()).verdict == "pass"
    assert run_check("activations-move", unit_health=health(0)).verdict == "skipped"


def test_decay_that_dominates_fails() -> None:
    assert run_check("decay-does-not-dominate", setup=setup(pull=15.0)).cause == "decay-dominates"
    assert run_check("decay-does-not-dominate", setup=setup(decoupled=0.99)).verdict == "warn"


def test_usual_decay_passes() -> None:
    assert run_check("decay-does-not-dominate", setup=setup(pull=1e-3)).verdict == "pass"
    assert run_check("decay-does-not-dominate", setup=setup()).verdict == "pass"
