"""The model at a glance: counts that can be done by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from recipe.models.recurrent import Recurrent
from recipe.models.transformer import Transformer
from recipe.probes.model_summary import summarize_model
from recipe.training.batch import Batch


def batch(inputs: torch.Tensor) -> Batch:
    return Batch(inputs, torch.zeros(len(inputs), dtype=torch.int64), torch.arange(len(inputs)))


def test_a_convnet_is_counted_as_by_hand():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 10))
    net[4].requires_grad_(False)
    found = summarize_model(net, batch(torch.zeros(5, 1, 8, 8)))
    assert [(one.name, one.kind, one.shape) for one in found.layers] == [
        ("0", "Conv2d", (4, 6, 6)), ("1", "BatchNorm2d", (4, 6, 6)), ("2", "ReLU", (4, 6, 6)),
        ("3", "Flatten", (144,)), ("4", "Linear", (10,)),
    ]  # fmt: skip
    assert [one.parameters for one in found.layers] == [40, 8, 0, 0, 1450]
    assert [one.multiply_adds for one in found.layers] == [9 * 4 * 36, 0, 0, 0, 1440]
    assert (found.parameters, found.trainable, found.multiply_adds) == (1498, 48, 1296 + 1440)
    assert found.bytes == 4 * (1498 + 8) + 8
    assert net.training


@pytest.mark.parametrize(
    "net",
    [
        Recurrent((12,), 3, vocabulary=20),
        Recurrent((12,), 3, vocabulary=20, cell="lstm"),
        Transformer((12,), 3, vocabulary=20),
    ],
)
def test_nets_that_read_tokens_are_summed_up_as_torch_does(net, monkeypatch):
    x = torch.ones(4, 12, dtype=torch.int64)
    found = summarize_model(net, batch(x))
    assert found.parameters == sum(p.numel() for p in net.parameters())
    assert found.layers[0].kind == "Embedding"
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(x)
    assert found.multiply_adds == counter.get_total_flops() // 8 > 10_000


def test_the_model_is_left_as_it_was_even_where_it_fails():
    class Fails(nn.Linear):
        def forward(self, x):
            raise ArithmeticError

    net = nn.Sequential(nn.Linear(4, 4), Fails(4, 4))
    with pytest.raises(ArithmeticError):
        summarize_model(net, batch(torch.zeros(3, 4)))
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in net.modules())
    assert net.training


def test_a_layer_that_is_called_twice_stands_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(4, 4, bias=False)

        def forward(self, x):
            return self.one(self.one(x))

    found = summarize_model(Twice(), batch(torch.zeros(3, 4)))
    assert [(one.name, one.multiply_adds) for one in found.layers] == [("one", 32)]
    assert found.parameters == 16
