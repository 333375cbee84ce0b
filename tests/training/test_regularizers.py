from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipe.models.block import Branch
from recipe.models.resnet import ResNet
from recipe.record.refusal import Refusal
from recipe.training import regularizers
from recipe.training.augment import Shift
from recipe.training.average import Average
from recipe.training.dropouts import (
    ActivationPenalty,
    SameSteps,
    apply_dropconnect,
    apply_dropout,
    apply_dropout2d,
    apply_stochastic_depth,
    apply_variational_dropout,
    dropout_places,
)
from recipe.training.evaluate import evaluating
from recipe.training.mixing import blended, copy_paste, cutmix, mixup, objects
from recipe.training.regularizers import Regularizers, smoothed


def perceptron():
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))


def test_off_is_null_or_zero(instantiate):
    keys = ["dropout", "dropconnect", "stochastic_depth", "weight_decay", "augment", "ema"]
    assert Regularizers.from_config(dict.fromkeys(keys), instantiate) == Regularizers()
    off = Regularizers.from_config({"dropconnect": 0, "augment": []}, instantiate)
    model = perceptron()
    off.attach(model)
    assert {type(m) for m in model.modules()} == {nn.Sequential, nn.Linear, nn.ReLU}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dropout", 1.0),
        ("ema", 1),
        ("dropconnect", 1),
        ("stochastic_depth", 1.0),
        ("l1", -1),
        ("mixup", "much"),
        ("drop_out", 0.1),
    ],
)
def test_impossible_amounts_and_unknown_keys_are_refused(key, value, instantiate):
    with pytest.raises(Refusal):
        Regularizers.from_config({key: value}, instantiate)


@pytest.mark.parametrize("several", [False, True])
def test_augment_is_a_node_or_a_list(several, instantiate):
    node = {"_target_": "recipe.training.augment.Shift", "pixels": 3}
    made = Regularizers.from_config({"augment": [node] if several else node}, instantiate).augment
    assert [(type(a), a.pixels) for a in made] == [(Shift, 3)]


def test_a_models_own_dropout_is_set():
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1), nn.Linear(4, 3))
    apply_dropout(model, 0.6)
    assert model[1].p == 0.6
    assert not model[2]._forward_pre_hooks


def test_a_model_without_dropout_gets_it_before_all_but_the_first_layer():
    model = perceptron()
    apply_dropout(model, 0.5)
    assert [bool(m._forward_pre_hooks) for m in model] == [False, False, True, False, True]
    model[2].register_forward_hook(lambda module, args, output: shares.append((args[0] == 0).float().mean()))
    shares: list[torch.Tensor] = []
    model(torch.ones(100, 4))
    with evaluating(model):
        first, second = model(torch.ones(5, 4)), model(torch.ones(5, 4))
    assert torch.equal(first, second)
    assert shares[0] > shares[1] + 0.1


def test_dropout_before_the_head_of_a_convnet(net):
    model = net()
    del model[4]
    apply_dropout2d(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3)), 0.5)
    apply_dropout(model, 0.5)
    assert bool(model[-1]._forward_pre_hooks)
    assert dropout_places(model) == [model[-1]]


def test_a_model_with_no_place_for_dropout_is_refused():
    with pytest.raises(Refusal, match="no layer to put it before"):
        apply_dropout(nn.Linear(4, 3), 0.5)


class TestDropConnect:
    def test_a_share_of_the_weights_is_left_out_in_training_alone(self):
        torch.manual_seed(0)
        model, x = perceptron(), torch.randn(8, 4)
        plain, names = model(x), list(model.state_dict())
        apply_dropconnect(model, 0.4)
        assert list(model.state_dict()) == names
        assert [type(m).__name__ for m in model] == ["Linear", "ReLU", "DropConnect", "ReLU", "DropConnect"]
        drawn = torch.stack([model(x) for _ in range(2000)])
        assert not torch.equal(drawn[0], drawn[1])
        with evaluating(model):
            assert torch.equal(model(x), plain)
        # One layer alone is linear in its weights: on average what it is with all of them.
        layer, h = model[2], torch.randn(5, 64)
        mean = torch.stack([layer(h) for _ in range(4000)]).mean(0)
        assert torch.allclose(mean, F.linear(h, layer.weight, layer.bias), atol=0.1)

    def test_gradients_reach_the_weights_that_are_there(self):
        model = perceptron()
        apply_dropconnect(model, 0.5)
        model(torch.randn(1, 4)).sum().backward()
        head = model[4].weight.grad
        alive = (head != 0).float().mean()
        assert 0.05 < alive < 0.6

    def test_a_model_with_no_place_for_it_is_refused(self):
        with pytest.raises(Refusal, match="no layer whose weights"):
            apply_dropconnect(nn.Conv2d(1, 2, 3), 0.5)


class TestStochasticDepth:
    def test_later_branches_are_left_out_more_often_and_none_in_evaluation(self):
        torch.manual_seed(0)
        model = ResNet((1, 8, 8), 3, width=4, blocks=2)
        names = list(model.state_dict())
        apply_stochastic_depth(model, 0.6)
        shares = [m.p for m in model.modules() if isinstance(m, Branch)]
        assert shares == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        assert list(model.state_dict()) == names
        branch, x = Branch(0.3), torch.ones(20000, 2, 1)
        out = branch(x)
        assert out[:, 0].eq(0).float().mean() == pytest.approx(0.3, abs=0.02)
        assert torch.equal(out[:, 0], out[:, 1])
        assert out.mean() == pytest.approx(1, abs=0.03)
        with evaluating(branch):
            assert torch.equal(branch(x), x)

    def test_other_libraries_branches_are_found_by_name(self):
        class DropPath(nn.Module):
            drop_prob = 0.0

        model = nn.Sequential(DropPath(), DropPath())
        apply_stochastic_depth(model, 0.2)
        assert [m.drop_prob for m in model] == [0.1, 0.2]

    def test_a_model_without_branches_is_refused(self):
        with pytest.raises(Refusal, match="no residual branch"):
            apply_stochastic_depth(perceptron(), 0.1)


def test_label_smoothing_of_torchs_losses():
    outputs, targets = torch.randn(6, 3), torch.randint(0, 3, (6,))
    expected = F.cross_entropy(outputs, targets, label_smoothing=0.1)
    plain = nn.CrossEntropyLoss()
    assert torch.equal(smoothed(plain, 0.1)(outputs, targets), expected)
    assert plain.label_smoothing == 0
    assert torch.equal(smoothed(F.cross_entropy, 0.1)(outputs, targets), expected)
    yes = torch.randint(0, 2, (6, 3)).float()
    moved = F.binary_cross_entropy_with_logits(outputs, 0.9 * yes + 0.05)
    assert torch.allclose(smoothed(nn.BCEWithLogitsLoss(), 0.1)(outputs, yes), moved)
    assert smoothed(plain, None) is plain


def test_label_smoothing_of_numbers_is_refused():
    with pytest.raises(Refusal, match="no labels"):
        smoothed(nn.MSELoss(), 0.1)


def test_mixup_blends_items_with_partners():
    inputs = torch.arange(8.0)[:, None].expand(8, 3)
    mixed, partner, share = mixup(inputs, 1.0)
    assert torch.allclose(mixed[:, 0], share * torch.arange(8.0) + (1 - share) * partner)
    with pytest.raises(Refusal, match="cannot be blended"):
        mixup(torch.arange(8), 1.0)


def test_cutmix_pastes_a_rectangle_and_tells_its_share():
    inputs = torch.arange(1.0, 9.0).view(8, 1, 1, 1).expand(8, 2, 12, 12)
    for _ in range(20):
        mixed, partner, share = cutmix(inputs, 1.0)
        kept = (mixed == inputs).float().mean((1, 2, 3))
        moved = partner != torch.arange(8)
        assert torch.allclose(kept[moved], torch.full_like(kept[moved], share))
    with pytest.raises(Refusal, match="needs pictures"):
        cutmix(torch.rand(4, 3), 1.0)


@pytest.mark.parametrize(
    "asked", [("mixup",), ("mixup", "cutmix"), ("mixup", "copy_paste"), ("mixup", "cutmix", "copy_paste")]
)
def test_of_several_that_mix_each_batch_has_one(asked, monkeypatch):
    torch.manual_seed(0)
    drawn = Counter()
    for name, whole in (("mixup", mixup), ("cutmix", cutmix), ("copy_paste", copy_paste)):
        monkeypatch.setattr(
            regularizers,
            name,
            lambda inputs, amount, name=name, whole=whole: drawn.update([name]) or whole(inputs, amount),
        )
    given = Regularizers(**dict.fromkeys(asked, 0.5))
    targets = torch.arange(32) % 4
    for _ in range(300):
        given.mixed_loss(lambda x: x.flatten(1)[:, :4], squares(), targets, nn.CrossEntropyLoss())
    assert set(drawn) == set(asked)
    assert min(drawn.values()) > 0.8 * 300 / len(asked)


def test_max_norm_limits_every_unit():
    model = perceptron()
    before = model[2].weight.detach().clone()
    Regularizers(max_norm=0.3).limit_norms([model[2].weight])
    assert model[2].weight.norm(dim=1).max() <= 0.3 + 1e-6
    assert torch.allclose(F.normalize(model[2].weight, dim=1), F.normalize(before, dim=1), atol=1e-6)


def test_activation_penalty_is_the_mean_of_absolute_activations():
    model = perceptron()
    penalty = ActivationPenalty(model)
    inputs = torch.randn(5, 4)
    model(inputs)
    expected = model[:2](inputs).abs().mean() + model[:4](inputs).abs().mean()
    penalty.collect()
    model(inputs)
    assert torch.allclose(penalty.collect(), expected)
    penalty.close()
    assert not any(m._forward_hooks for m in model)


def test_the_average_follows_its_formula():
    model = nn.Linear(2, 1)
    average = Average(model, 0.5)
    expected = model.weight.detach().clone()
    for count in range(5):
        with torch.no_grad():
            model.weight.add_(1.0)
        average.update()
        keep = min(0.5, (1 + count) / (10 + count))
        expected = keep * expected + (1 - keep) * model.weight.detach()
    own = model.weight.detach().clone()
    with average.in_place():
        assert torch.allclose(model.weight, expected)
    assert torch.equal(model.weight, own)
    average.put()
    assert torch.allclose(model.weight, expected)


def squares(count=32):
    """Bright squares of their own brightness on black, at places of their own."""
    pictures = torch.zeros(count, 1, 16, 16)
    for k in range(count):
        top, left = 3 + k % 5, 3 + k % 7
        pictures[k, :, top : top + 4, left : left + 4] = 1 + k / count
    return pictures


def test_an_object_is_what_stands_out_from_a_plain_border():
    found = objects(squares())
    assert torch.equal(found, squares() > 0)
    busy = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert not objects(busy).any()


def test_copy_paste_lays_another_object_over_and_shares_the_label_by_what_is_seen():
    torch.manual_seed(0)
    pictures = squares()
    mixed, partner, shares = copy_paste(pictures, 0.5)
    for k in range(len(pictures)):
        own, other = float(pictures[k].max()), float(pictures[partner[k]].max())
        seen = {round(v, 4) for v in mixed[k].unique().tolist()} - {0.0}
        assert seen <= {round(own, 4), round(other, 4)}
        if int(partner[k]) != k:
            left, laid = int((mixed[k] == own).sum()), int((mixed[k] == other).sum())
            assert float(shares[k]) == pytest.approx(left / (left + laid))
    assert 8 < int((shares < 1).sum()) < 24
    busy = torch.rand(8, 1, 16, 16)
    assert torch.equal(copy_paste(busy, 1.0)[0], busy)
    assert torch.equal(copy_paste(busy, 1.0)[2], torch.ones(8))


def test_shares_of_two_labels_are_the_mean_of_both_losses():
    outputs, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    partner, shares = torch.tensor([1, 2, 3, 4, 5, 0]), torch.linspace(0, 1, 6)
    loss = nn.CrossEntropyLoss()
    each = nn.CrossEntropyLoss(reduction="none")
    expected = (shares * each(outputs, targets) + (1 - shares) * each(outputs, targets[partner])).mean()
    assert loss(outputs, blended(loss, targets, 3, partner, shares)).item() == pytest.approx(expected.item(), abs=1e-6)
    with pytest.raises(Refusal, match="shares of two labels"):
        blended(nn.MSELoss(), targets.float(), 3, partner, shares)


@pytest.mark.parametrize("batch_first", [True, False])
def test_variational_dropout_misses_the_same_units_at_every_step(batch_first):
    layer = nn.GRU(12, 5, batch_first=batch_first)
    shape = (4, 9, 12) if batch_first else (9, 4, 12)
    thinned = SameSteps(0.5)(layer, (torch.ones(shape),))[0]
    time = 1 if batch_first else 0
    assert torch.equal(thinned, thinned.select(time, 0).unsqueeze(time).expand(shape))
    assert set(thinned.unique().tolist()) == {0.0, 2.0}
    layer.eval()
    assert torch.equal(SameSteps(0.5)(layer, (torch.ones(shape),))[0], torch.ones(shape))


def test_variational_dropout_of_packed_sequences():
    packed = nn.utils.rnn.pack_sequence([torch.ones(5, 8), torch.ones(3, 8), torch.ones(2, 8)])
    thinned = SameSteps(0.5)(nn.GRU(8, 4), (packed,))[0]
    padded, lengths = nn.utils.rnn.pad_packed_sequence(thinned, batch_first=True)
    for row, length in zip(padded, lengths.tolist(), strict=True):
        assert torch.equal(row[:length], row[:1].expand(length, 8))


def test_variational_dropout_needs_a_recurrent_layer():
    with pytest.raises(Refusal, match="no recurrent layer"):
        apply_variational_dropout(perceptron(), 0.2)
    model = nn.Sequential(nn.LSTM(3, 4), nn.Identity())
    apply_variational_dropout(model, 0.2)
    assert len(model[0]._forward_pre_hooks) == 1
