import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipe.training.feed import feed_of
from recipe.training.loop import fit


class Functional(nn.Module):
    """Calls its activations as functions."""

    def __init__(self):
        super().__init__()
        self.conv, self.hidden, self.head = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(144, 10), nn.Linear(10, 3)

    def forward(self, x):
        x = F.relu(self.conv(x)).flatten(1)
        return self.head(torch.tanh(self.hidden(x)))


class Modular(Functional):
    def __init__(self):
        super().__init__()
        self.relu, self.tanh = nn.ReLU(), nn.Tanh()

    def forward(self, x):
        x = self.relu(self.conv(x)).flatten(1)
        return self.head(self.tanh(self.hidden(x)))


def made(kind=Functional):
    torch.manual_seed(0)
    return kind()


def sampled(model, learner, pictures, **config):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    history = fit(learner(model, config), feed, steps=3, seed=0, sample_every=2)
    return history.samples, {layer.layer: layer for layer in history.samples[0].layers}


def test_every_few_steps_and_in_the_models_order(learner, pictures):
    samples, layers = sampled(made(), learner, pictures)
    assert [sample.step for sample in samples] == [0, 2]
    assert list(layers) == ["conv", "conv.relu", "hidden", "hidden.tanh", "head"]


def test_gradient_norms_are_those_of_autograd(learner, pictures):
    model = made()
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    batch = next(feed.batches())
    nn.functional.cross_entropy(model(batch.inputs), batch.targets).backward()
    expected = {
        n: torch.cat([p.grad.flatten() for p in m.parameters()]).norm().item() for n, m in model.named_children()
    }
    samples, layers = sampled(made(), learner, pictures)
    assert {n: layers[n].gradient_norm for n in expected} == pytest.approx(expected, rel=1e-4)
    assert samples[0].gradient_norm == pytest.approx(sum(v**2 for v in expected.values()) ** 0.5, rel=1e-4)


def test_update_ratios_are_of_the_step_that_was_taken(learner, pictures):
    before, model = made(), made()
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    history = fit(learner(model), feed, steps=1, seed=0)
    expected = {
        n: ((m.weight - getattr(before, n).weight).norm() / getattr(before, n).weight.norm()).item()
        for n, m in model.named_children()
    }
    found = {layer.layer: layer.update_ratio for layer in history.samples[0].layers}
    assert {n: found[n] for n in expected} == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", [Functional, Modular])
def test_dead_units_are_channels_that_never_fire(learner, pictures, kind):
    model = made(kind)
    with torch.no_grad():
        model.conv.bias[:3] = -100.0
    name = "conv.relu" if kind is Functional else "relu"
    assert sampled(model, learner, pictures)[1][name].dead == pytest.approx(0.75)


@pytest.mark.parametrize("kind", [Functional, Modular])
def test_saturated_units_are_at_the_ends(learner, pictures, kind):
    model = made(kind)
    with torch.no_grad():
        model.hidden.bias[:4] = 50.0
    name = "hidden.tanh" if kind is Functional else "tanh"
    found = sampled(model, learner, pictures)[1][name]
    assert 0.4 <= found.saturated < 0.5
    assert found.dead is None


def test_mean_and_deviation_are_those_of_the_output(learner, pictures):
    model = made()
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    with torch.no_grad():
        output = model.conv(next(feed.batches()).inputs)
    found = sampled(made(), learner, pictures)[1]["conv"]
    assert (found.mean, found.std) == pytest.approx((output.mean().item(), output.std(correction=0).item()), rel=1e-4)


def test_large_outputs_are_summed_in_one_pass(learner, pictures, monkeypatch):
    exact = sampled(made(), learner, pictures)[1]["conv"]
    monkeypatch.setattr("recipe.training.listening.EXACT", 0)
    found = sampled(made(), learner, pictures)[1]["conv"]
    assert (found.mean, found.std) == pytest.approx((exact.mean, exact.std), rel=1e-4)


def test_the_same_functions_and_modules_give_the_same_numbers(learner, pictures):
    functional, modular = (sampled(made(kind), learner, pictures)[1] for kind in (Functional, Modular))
    for name, twin in (("conv.relu", "relu"), ("hidden.tanh", "tanh")):
        assert (functional[name].mean, functional[name].std) == (modular[twin].mean, modular[twin].std)


def test_a_loss_is_not_a_layer(learner, pictures):
    def loss(outputs, targets):
        return F.nll_loss(torch.log(torch.sigmoid(outputs) + 1e-6), targets)

    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    history = fit(learner(made(), loss=loss), feed, steps=1, seed=0)
    assert [layer.layer for layer in history.samples[0].layers] == [
        "conv",
        "conv.relu",
        "hidden",
        "hidden.tanh",
        "head",
    ]


def test_looking_changes_nothing(learner, pictures, net, weights_of):
    found = []
    for every in (0, 1, 5):
        model = net(dropout=0.3)
        feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
        history = fit(learner(model), feed, steps=12, seed=0, sample_every=every)
        found.append((weights_of(model), history.losses))
    assert found[0] == found[1] == found[2]


def test_clipped_steps_are_marked(learner, pictures):
    samples, _ = sampled(made(), learner, pictures, train={"clip_norm": 1e-6})
    assert [sample.clipped for sample in samples] == [True, True]
