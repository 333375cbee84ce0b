from __future__ import annotations

from recipe.record.baseline import Capacity
from recipe.record.interval import Interval
from recipe.testing import run_check


def capacity(losses, gain):
    return Capacity(
        key="model.width",
        widths=(64, 256),
        parameters=(10, 100),
        losses=losses,
        steps=80,
        seeds=(0, 1),
        gain=Interval(*gain, 2),
    )


def test_a_wider_net_with_a_lower_loss_passes():
    assert (
        run_check("more-capacity-helps", capacity=capacity(((1.8, 1.9), (0.5, 0.6)), (1.3, 1.1, 1.5))).verdict == "pass"
    )


def test_no_difference_within_the_noise_passes():
    assert (
        run_check("more-capacity-helps", capacity=capacity(((0.5, 0.6), (0.6, 0.5)), (0.0, -0.5, 0.5))).verdict
        == "pass"
    )


def test_a_wider_net_that_is_worse_is_a_warning():
    finding = run_check("more-capacity-helps", capacity=capacity(((0.5, 0.5), (2.0, 2.1)), (-1.5, -1.6, -1.4)))
    assert (finding.verdict, finding.cause) == ("warn", "capacity-hurts")
