from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.probes.training_setup import training_setup
from recipe.probes.unit_health import unit_health
from recipe.record.evidence import CannotMeasure
from recipe.training.feed import Feed


@pytest.fixture(scope="module")
def digits() -> Ingredients:
    return Ingredients(compose(["model=mlp", "model.width=32", "model.depth=2"]))


@pytest.fixture
def feed(digits: Ingredients) -> Feed:
    return digits.feed("train", plain=True, limit=300)


class Functional(nn.Module):
    """Calls its activations as functions."""

    def __init__(self, bias: float) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 20), nn.Linear(20, 10)
        nn.init.constant_(self.first.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(F.relu(self.first(x.flatten(1))))


def test_a_healthy_net_has_few_dead_units(digits: Ingredients, feed: Feed) -> None:
    health = unit_health(digits.model(0), digits.model(1), feed)
    assert [layer.layer for layer in health.layers] == ["body.2", "body.4"]
    assert all(layer.units == 32 and layer.dead_after < 16 for layer in health.layers)
    assert health.examples == 300


@pytest.mark.parametrize(("bias", "dead"), [(-50.0, 20), (50.0, 0)])
def test_units_die_in_functions_too(bias: float, dead: int, feed: Feed) -> None:
    (layer,) = unit_health(Functional(0.0), Functional(bias), feed).layers
    assert (layer.layer, layer.units, layer.dead_after) == ("first.relu", 20, dead)
    assert layer.dead_before < 20


def test_a_unit_of_a_convolution_is_a_channel(feed: Feed) -> None:
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10))
    net(torch.zeros(1, 1, 8, 8))
    assert unit_health(net, net, feed).layers[0].units == 6


def test_saturation_is_a_share_of_activations(feed: Feed) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Tanh(), nn.Linear(20, 10))
    calm = unit_health(net, net, feed).layers[0].saturated
    nn.init.constant_(net[1].bias, 50.0)
    assert unit_health(net, net, feed).layers[0].saturated == 1.0
    assert calm is not None
    assert calm < 0.2


def test_twins_are_units_that_give_the_same_on_everything(feed: Feed) -> None:
    after = Functional(0.0)
    with torch.no_grad():
        after.first.weight[:6] = after.first.weight[0].abs() + 0.1
        after.first.bias[:6] = 1.0
        after.first.weight[6] = 0.0
        after.first.bias[6] = 2.0
    (layer,) = unit_health(Functional(0.0), after, feed).layers
    assert (layer.twins_before, layer.twins_after, layer.constant) == (0, 6, 1)


def test_units_of_a_sound_net_are_no_twins(digits: Ingredients, feed: Feed) -> None:
    for seed in range(5):
        assert all(
            layer.twins_after + layer.constant == 0
            for layer in unit_health(digits.model(seed), digits.model(seed + 9), feed).layers
        )


def test_a_net_without_activations_cannot_be_measured(feed: Feed) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    with pytest.raises(CannotMeasure):
        unit_health(net, net, feed)


def test_hooks_are_gone_afterwards(digits: Ingredients, feed: Feed) -> None:
    net = digits.model(0)
    unit_health(net, net, feed)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())


def test_the_setup_names_parts_in_the_order_of_the_forward_pass(digits: Ingredients) -> None:
    setup = training_setup(digits, seed=0, rates=(1e-3,) * 10)
    assert [part.kind for part in setup.parts] == ["Flatten", "Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert (setup.optimizer, setup.model, setup.pull, setup.decoupled) == ("Adam", "mlp", None, 0.0)
    assert setup.options["eps"] == 1e-8


def test_coupled_decay_is_measured_against_the_gradient(digits: Ingredients) -> None:
    weak = training_setup(digits.changed({"optimizer.weight_decay": 1e-4}), seed=0, rates=())
    strong = training_setup(digits.changed({"optimizer.weight_decay": 1.0}), seed=0, rates=())
    assert weak.pull is not None
    assert strong.pull is not None
    assert weak.pull < 0.1 < 2 < strong.pull


def test_decoupled_decay_is_told_as_a_share_of_the_weights(digits: Ingredients) -> None:
    setup = training_setup(digits.changed({"regularizers.weight_decay": 0.5}), seed=0, rates=(1e-3,) * 1000)
    assert setup.decoupled == pytest.approx(0.393, abs=1e-3)
