"""Every optimizer and every building block, by config alone, learns on real data: digits, a few epochs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.limits import ACTIVATIONS, INIT_SCHEMES
from recipe.models import block
from recipe.models.block import replace_activations
from recipe.models.initialise import SCHEMES
from recipe.record.refusal import Refusal

SMALL = ["model.width=64", "train.epochs=4"]
FAST = "optimizer.lr=3e-3"
FULL = "train.batch_size=2000"
OPTIMIZERS = {
    "descent": ["optimizer=sgd", "optimizer.momentum=0"],
    "momentum": ["optimizer=sgd"],
    "Nesterov": ["optimizer=sgd", "optimizer.nesterov=true"],
    "full-batch descent": ["optimizer=sgd", "optimizer.momentum=0", "optimizer.lr=0.5", FULL, "train.epochs=60"],
    "rmsprop": ["optimizer=rmsprop", FAST],
    "adagrad": ["optimizer=adagrad"],
    "adagrad, reset": ["optimizer=adagrad_reset", "optimizer.reset_every=20"],
    "adadelta": ["optimizer=adadelta"],
    "adam": ["optimizer=adam", FAST],
    "adamw": ["optimizer=adamw", FAST],
    "nadam": ["optimizer=nadam", FAST],
    "rprop": ["optimizer=rprop", FULL, "train.epochs=40"],
    "lbfgs": ["optimizer=lbfgs", FULL],
}
CONVNET = ["model=convnet", "model.channels=8", "train.epochs=4"]
BLOCKS = {
    **{f"activation {name}": [*SMALL, f"model.activation={name}"] for name in ACTIVATIONS},
    "maxout": ["model=maxout", "train.epochs=4"],
    "maxout of 3": ["model=maxout", "model.pieces=3", "train.epochs=4"],
    **{f"{norm} norm": [*SMALL, f"model.norm={norm}"] for norm in ("batch", "layer", "group")},
    **{f"{norm} norm on maps": [*CONVNET, f"model.norm={norm}"] for norm in ("batch", "layer", "group")},
    "skip connections": [*SMALL, "model.skip=true", "model.depth=6"],
    "residual net": ["model=resnet", "model.width=8", "train.epochs=3"],
    "another activation in any net": ["model=resnet", "model.width=8", "train.epochs=3", "init.activation=elu"],
}
# Each that breaks symmetry has to learn; dirac is for filters.
STARTS = [name for name in INIT_SCHEMES if name not in ("zeros", "ones", "constant", "dirac")]
OPTIONS = {"normal": ["init.options.std=0.05"], "uniform": ["init.options={a: -0.1, b: 0.1}"],
           "trunc_normal": ["init.options.std=0.05"], "sparse": ["init.options.sparsity=0.5"]}  # fmt: skip


@pytest.fixture(scope="module")
def learnt():
    """Training error after a run, the data read once."""
    data = Ingredients(compose([])).data

    def error(words: list[str]) -> float:
        return Ingredients(compose(words), data=data).train(0).metrics["train"]["error"]

    return error


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name, learnt):
    assert learnt([*SMALL, *OPTIMIZERS[name]]) < 0.35


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_learns(name, learnt):
    assert learnt([*BLOCKS[name], FAST]) < 0.35


@pytest.mark.parametrize("scheme", STARTS)
def test_every_start_learns(scheme, learnt):
    assert learnt([*SMALL, FAST, f"init.scheme={scheme}", *OPTIONS.get(scheme, [])]) < 0.35


@pytest.mark.parametrize("net", [CONVNET, ["model=resnet", "model.width=8", "train.epochs=3"]])
def test_filters_that_start_by_copying_their_input_on_learn(net, learnt):
    # Of one channel all filters but the first start as nothing, where a ReLU has no slope.
    assert learnt([*net, FAST, "init.scheme=dirac", "init.activation=leaky_relu"]) < 0.35
    model = Ingredients(compose([*net, "init.scheme=dirac"])).model(0)
    inner = [m for m in model.modules() if isinstance(m, nn.Conv2d)][1].weight.detach()
    centre = inner.shape[-1] // 2
    assert torch.equal(inner[:, :, centre, centre], torch.eye(*inner.shape[:2]))
    assert float(inner.sum()) == min(inner.shape[:2])
    plain = Ingredients(compose(net)).model(0)
    assert torch.equal(dense(model), dense(plain))


def dense(model):
    return [m for m in model.modules() if isinstance(m, nn.Linear)][-1].weight


def test_a_scheme_that_is_for_none_of_the_layers_is_refused(learnt):
    with pytest.raises(Refusal, match="dirac is for filters, and the model has none"):
        learnt([*SMALL, "init.scheme=dirac"])


@pytest.mark.parametrize("scheme", ["zeros", "ones"])
def test_units_that_start_alike_do_not_learn_apart(scheme, learnt):
    assert learnt([*SMALL, FAST, f"init.scheme={scheme}"]) > 0.6


def test_the_reset_gives_adagrad_its_rates_back(learnt):
    plain = learnt([*SMALL, "optimizer=adagrad", "optimizer.lr=1e-3"])
    assert learnt([*SMALL, "optimizer=adagrad_reset", "optimizer.lr=1e-3", "optimizer.reset_every=5"]) < plain
    assert learnt([*SMALL, "optimizer=adagrad_reset", "optimizer.lr=1e-3", "optimizer.reset_every=1000"]) == plain


def test_an_option_that_a_scheme_does_not_take_is_refused(learnt):
    with pytest.raises(Refusal, match=r"init.options.gain is none of what trunc_normal takes"):
        learnt(["init.scheme=trunc_normal", "init.options.gain=2"])


def test_what_limits_allow_is_what_there_is():
    assert {"default", "zeros_last", *SCHEMES} == set(INIT_SCHEMES)
    assert set(block.ACTIVATIONS) == set(ACTIVATIONS)


class Gated(nn.Module):
    """A hidden ReLU, a gate, and a squashed output: only the first is a hidden activation that may be exchanged."""

    def __init__(self):
        super().__init__()
        self.first, self.act, self.gate = nn.Linear(4, 4), nn.ReLU(), nn.Sigmoid()
        self.last, self.out = nn.Linear(4, 2), nn.ReLU()


def test_only_hidden_activations_are_replaced():
    net = Gated()
    assert replace_activations(net, "leaky_relu") == 1
    assert [type(m).__name__ for m in (net.act, net.gate, net.out)] == ["LeakyReLU", "Sigmoid", "ReLU"]


def test_a_model_without_activation_modules_says_so(learnt):
    with pytest.raises(Refusal, match="no hidden activation module"):
        learnt(["model=linear", "init.activation=elu"])
