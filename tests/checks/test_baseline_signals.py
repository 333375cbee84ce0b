from __future__ import annotations

import pytest

from recipe.record.signals import LayerSignals, Signal, Signals
from recipe.testing import run_check


def signal(**given):
    usual = {
        "rms": 0.5, "varies": 0.2, "low": 0.1, "middle": 0.4, "high": 1.0, "zeros": 0.5, "gradient": 0.5,
        "gradient_low": 0.3, "gradient_high": 0.8,
    }  # fmt: skip
    return Signal(**usual | given)


def layer(name, *, kind="ReLU", units=64, dead=(0, 0), **given):
    born, now = dead
    return LayerSignals(
        name=name,
        kind=kind,
        units=units,
        can_die=kind == "ReLU",
        start=signal(),
        early=signal(**given),
        dead_start=born,
        dead_early=now,
    )


def net(**given):
    """Three layers: the gradient of the first is as given, all else of the middle one."""
    layers = (
        layer("first", **given if "gradient" in given else {}),
        layer("second", **{} if "gradient" in given else given),
        layer("head", kind="Linear"),
    )
    return Signals(items=64, dead_items=1000, early=30, layers=layers)


@pytest.mark.parametrize(
    ("check", "given", "verdict", "cause", "where"),
    [
        ("gradients-keep-their-scale", {"gradient": 1e-4}, "warn", "vanishing-gradient", "first"),
        ("gradients-keep-their-scale", {"gradient": 1e-6}, "fail", "vanishing-gradient", "first"),
        ("gradients-keep-their-scale", {"gradient": 300.0}, "warn", "exploding-gradient", "first"),
        ("gradients-keep-their-scale", {"gradient": 1e5}, "fail", "exploding-gradient", "first"),
        ("signal-survives-depth", {"varies": 1e-3}, "warn", "vanishing-signal", "second"),
        ("signal-survives-depth", {"varies": 1e-7}, "fail", "vanishing-signal", "second"),
        ("units-are-alive", {"dead": (0, 50)}, "warn", "dead-units", "second"),
        ("units-are-alive", {"dead": (64, 64)}, "fail", "dead-units", "second"),
        ("symmetry-is-broken", {"twins": 60}, "fail", "twin-units", "second"),
        ("activations-not-saturated", {"kind": "Tanh", "saturated": 0.9}, "warn", "saturation", "second"),
    ],
)
def test_each_check_speaks(check, given, verdict, cause, where):
    finding = run_check(check, signals=net(**given))
    assert (finding.verdict, finding.cause, finding.where) == (verdict, cause, where)


@pytest.mark.parametrize(
    "given",
    [{}, {"gradient": 0.03}, {"gradient": 11.0}, {"dead": (30, 35)}, {"twins": 8}, {"kind": "Tanh", "saturated": 0.2}],
)
def test_healthy_signals_are_left_alone(given):
    for check in ("gradients-keep-their-scale", "signal-survives-depth", "units-are-alive", "symmetry-is-broken"):
        assert run_check(check, signals=net(**given)).verdict in ("pass", "skipped")
    assert run_check("activations-not-saturated", signals=net(**given)).verdict in ("pass", "skipped")


def test_units_that_died_are_told_from_those_that_were_born_dead():
    assert "died within 30 steps" in run_check("units-are-alive", signals=net(dead=(2, 50))).message
    assert "since the start" in run_check("units-are-alive", signals=net(dead=(50, 50))).message


def test_without_a_gradient_nothing_is_said_about_its_scale():
    silent = Signals(items=64, dead_items=1000, early=30, layers=(layer("only", gradient=0.0),))
    assert run_check("gradients-keep-their-scale", signals=silent).verdict == "skipped"
