"""Differences on functions whose slopes are known, and on nets with a wrong backward."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from catalogue import DIGITS, model

from recipe.config import compose
from recipe.differences import compare
from recipe.ingredients import Ingredients
from recipe.machine import one_thread
from recipe.probes.gradient_check import measure_gradients
from recipe.record.evidence import CannotMeasure


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


def leaf(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("function", [torch.sin, torch.exp, torch.abs, torch.relu, lambda x: x**3, lambda x: 0 * x])
def test_slopes_of_known_functions_agree(function):
    x = leaf(0.3, -1.2, 2.0)
    found = compare("x", lambda: function(x).sum(), [x], seed=0, coordinates=3)
    assert found.error < 1e-7


def test_on_a_kink_both_slopes_are_right():
    x = leaf(0.0, 1.0)
    found = compare("x", lambda: torch.relu(x).sum(), [x], seed=0, coordinates=4)
    assert (found.error < 1e-7, found.kinks > 0) == (True, True)


def test_a_kink_within_the_first_step_is_no_error():
    x = leaf(2e-6, 1.0)
    assert compare("x", lambda: x.abs().sum(), [x], seed=0, coordinates=4).error < 1e-7


def test_a_lost_factor_is_seen_and_the_tensor_put_back():
    x = leaf(0.3, -1.2, 2.0)
    before = x.detach().clone()
    found = compare("x", lambda: (x * x.detach()).sum(), [x], seed=0, coordinates=3)
    assert found.backward / found.difference == pytest.approx(0.5)
    assert torch.equal(x, before)


def checked(*overrides: str, seed: int = 0):
    return measure_gradients(Ingredients(compose(["trust=[zoo]", *overrides])), seed)


HEALTHY = ["models.SmallConv", "models.RowGru", *(f"gradients.{n}" for n in ("SwishByHand", "Checkpointed"))]


@pytest.mark.parametrize("name", [*HEALTHY, "gradients.SpectralNorm", "gradients.MaxOut"])
def test_healthy_nets_agree_to_the_last_digits(name):
    found = checked(*DIGITS, "model=custom", f"model._target_=zoo.{name}")
    assert max(one.error for one in (*found.parameters, found.loss)) < 1e-7


def test_the_wrong_module_is_found():
    found = checked(*DIGITS, "model=custom", "model._target_=zoo.gradients.HalfGradient")
    assert [one.name for one in found.modules] == ["body.2"]
    assert [one.name for one in found.parameters if one.error > 0.1] == ["body.1.weight", "body.1.bias"]


def test_a_model_that_cannot_be_doubled_says_so():
    with pytest.raises(CannotMeasure, match="double precision"):
        checked(*model("PlainList"))


def test_a_net_that_computes_in_fewer_bits_inside_is_left_alone():
    with pytest.raises(CannotMeasure, match="float32"):
        checked(*DIGITS, "model=custom", "model._target_=zoo.gradients.CoarseInside")
