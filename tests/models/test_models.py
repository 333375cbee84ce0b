import pytest
import torch

from recipe.models.autoencoder import Autoencoder, ConvAutoencoder
from recipe.models.convnet import ConvNet
from recipe.models.initialise import final_layer, initialise, set_prior_bias
from recipe.models.linear import Linear
from recipe.models.mlp import MLP
from recipe.models.resnet import ResNet

NETS = [
    (Linear, {}, (1, 8, 8)),
    (MLP, {}, (13,)),
    (MLP, {"norm": "batch", "dropout": 0.5, "activation": "gelu", "depth": 3}, (1, 8, 8)),
    (ConvNet, {}, (1, 8, 8)),
    (ConvNet, {"norm": "group", "head": "pool", "convolutions": 2, "depth": 3, "dropout": 0.1}, (3, 32, 32)),
    (ResNet, {}, (1, 28, 28)),
    (ResNet, {"norm": None, "blocks": 2, "width": 8}, (3, 9, 9)),
]


@pytest.mark.parametrize(("net", "arguments", "shape"), NETS)
def test_every_net_gives_raw_outputs_and_trains_every_parameter(net, arguments, shape):
    model = net(shape, 5, **arguments)
    outputs = model(torch.randn(4, *shape))
    assert outputs.shape == (4, 5)
    outputs.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert final_layer(model, 5) is model.head


def test_no_bias_stands_right_before_a_norm_layer():
    model = ConvNet((1, 8, 8), 5, norm="batch")
    assert all(m.bias is None for m in model.body if isinstance(m, torch.nn.Conv2d))


@pytest.mark.parametrize("scheme", ["he", "xavier", "orthogonal", "zeros_last"])
def test_schemes_redraw_the_weights(scheme):
    model = MLP((8,), 3)
    before = model.head.weight.clone()
    initialise(model, scheme, 3)
    assert not torch.equal(before, model.head.weight)


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(ValueError, match="he, xavier"):
        initialise(MLP((8,), 3), "kaiming", 3)


def test_prior_bias_is_what_zero_weights_put_out():
    model = Linear((4,), 3)
    bias = torch.tensor([0.1, 0.2, 0.7]).log()
    assert set_prior_bias(model, bias, 3)
    torch.nn.init.zeros_(model.head.weight)
    assert torch.allclose(model(torch.randn(2, 4)).softmax(1)[0], bias.exp())
    assert not set_prior_bias(model, None, 3)
    assert not set_prior_bias(model, torch.zeros(4), 3)


def test_a_scaled_last_layer_saves_the_weights_of_a_plain_one():
    model, plain = MLP((4,), 2), MLP((4,), 2)
    bias, scale = torch.tensor([150.0, -3.0]), torch.tensor([64.0, 0.25])
    assert set_prior_bias(model, bias, 2, scale)
    x = torch.randn(8, 4)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model(x), plain(x))
    assert torch.allclose(plain.head.bias, bias)
    again = MLP((4,), 2)
    set_prior_bias(again, bias, 2, scale)
    again.load_state_dict(model.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))


def test_a_k_sparse_code_keeps_the_largest_numbers_of_each_item():
    net = Autoencoder((1, 4, 4), code=8, sparse=3)
    every = net.code(net.encoder(torch.randn(20, 1, 4, 4)))
    codes = net.few(every)
    assert ((codes != 0).sum(1) == 3).all()
    assert torch.equal(codes.abs().amax(1), every.abs().amax(1))
    assert ConvAutoencoder((1, 8, 8), code=8, sparse=2)(torch.randn(2, 1, 8, 8)).shape == (2, 1, 8, 8)
