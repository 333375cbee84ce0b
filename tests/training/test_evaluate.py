import functools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipe.training.evaluate import evaluate, evaluating, item_losses
from recipe.training.feed import feed_of


def by_mean(outputs, targets):
    return (outputs.logsumexp(1) - outputs.gather(1, targets[:, None])[:, 0]).mean()


def with_branches(outputs, targets):
    return by_mean(outputs, targets) if float(outputs.sum()) > -1e9 else outputs.sum()


WEIGHTS = torch.tensor([1.0, 5.0, 0.2])
MEANS = [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(label_smoothing=0.1), F.cross_entropy, by_mean, with_branches]
WEIGHTED = [
    nn.CrossEntropyLoss(weight=WEIGHTS),
    functools.partial(F.cross_entropy, weight=WEIGHTS),
    nn.CrossEntropyLoss(ignore_index=1),
]


@pytest.mark.parametrize("batch_size", [50, 8, 7, 1])
@pytest.mark.parametrize("loss", [*MEANS, *WEIGHTED])
def test_the_loss_does_not_depend_on_the_batches(pictures, net, loss, batch_size):
    model = net()
    with evaluating(model), torch.no_grad():
        whole = model(pictures.inputs)
    found = evaluate(model, feed_of(pictures, batch_size=batch_size, seed=0, shuffle=True), loss)
    assert found.loss == pytest.approx(float(loss(whole, pictures.targets)), rel=1e-5)
    assert torch.allclose(found.outputs, whole, atol=1e-5)
    assert torch.equal(found.targets, pictures.targets)


@pytest.mark.parametrize("loss", MEANS)
def test_each_item_has_its_loss(loss):
    outputs, targets = torch.randn(9, 3), torch.randint(0, 3, (9,))
    expected = torch.stack([loss(outputs[i : i + 1], targets[i : i + 1]) for i in range(9)])
    assert torch.allclose(item_losses(loss, outputs, targets), expected, atol=1e-6)


def test_several_targets_are_averaged_by_item():
    outputs, targets = torch.randn(9, 4), torch.randn(9, 4)
    assert torch.allclose(item_losses(nn.MSELoss(), outputs, targets), ((outputs - targets) ** 2).mean(1))


def test_a_summed_loss_is_told_as_a_mean(pictures, net):
    found = evaluate(
        net(), feed_of(pictures, batch_size=8, seed=0, shuffle=False), nn.CrossEntropyLoss(reduction="sum")
    )
    assert found.loss == pytest.approx(float(found.losses.mean()), rel=1e-5)


def test_modes_are_put_back_module_by_module(pictures, net):
    model = net(dropout=0.5).train()
    model[1].eval()
    evaluate(model, feed_of(pictures, batch_size=8, seed=0, shuffle=False), nn.CrossEntropyLoss())
    assert [m.training for m in model] == [True, False, True, True, True, True]
    assert not model[1].num_batches_tracked


def test_low_precision_gives_float32_outputs(pictures, net):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=False)
    exact, rough = (evaluate(net(), feed, nn.CrossEntropyLoss(), precision=p) for p in ("float32", "bf16"))
    assert rough.outputs.dtype == torch.float32
    assert 0 < (exact.outputs - rough.outputs).abs().max() < 0.1
