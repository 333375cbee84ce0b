"""Probes of the baseline on models and losses directly: nested and whole-number inputs, forms of outputs, threads."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from recipe.probes.dependencies import measure_dependencies
from recipe.probes.dumb_baselines import features
from recipe.probes.evaluation_proof import _evaluated
from recipe.probes.layers_at_start import measure_layers
from recipe.probes.loss_proof import prove_loss
from recipe.probes.metric_proof import prove_metrics
from recipe.probes.one_batch import is_close, lowest
from recipe.probes.outputs import measure_outputs
from recipe.probes.probe import (
    evaluating,
    joined,
    operations,
    repeatable,
    silence,
    spread_rows,
    take,
    threads_for,
)
from recipe.record.evidence import CannotMeasure
from recipe.tasks.binary import Binary
from recipe.tasks.classification import Classification
from recipe.tasks.regression import Regression
from recipe.training.batch import Batch
from recipe.training.learner import Learner

TARGETS = torch.arange(40) % 4


def batch_of(inputs, targets=TARGETS):
    return Batch(inputs, targets, torch.arange(len(targets)))


def off_diagonal(chart):
    return max(value for i, row in enumerate(chart) for j, value in enumerate(row) if i != j)


class TwoInputs(nn.Module):
    def __init__(self, deaf=False):
        super().__init__()
        self.a, self.b, self.deaf = nn.Linear(3, 4), nn.Linear(5, 4), deaf

    def forward(self, x):
        b = self.b(x["b"] * 0 if self.deaf else x["b"])
        return self.a(x["a"]) + b


class Words(nn.Module):
    def __init__(self, mix=False):
        super().__init__()
        self.words, self.head, self.mix = nn.Embedding(20, 8), nn.Linear(8, 4), mix

    def forward(self, x):
        hidden = self.words(x).mean(dim=1)
        return self.head(hidden.roll(1, 0) + hidden if self.mix else hidden)


def mapping():
    return {"a": torch.randn(40, 3), "b": torch.randn(40, 5)}


def test_dependencies_of_a_mapping():
    found = measure_dependencies(TwoInputs(), batch_of(mapping()))
    assert off_diagonal(found.gradient) == off_diagonal(found.forward) == 0
    assert min(found.gradient[i][i] for i in range(6)) > 0
    assert (found.silent_share, found.silent_leaves) == (0.0, ())


def test_an_input_of_a_mapping_that_nothing_depends_on_is_named():
    found = measure_dependencies(TwoInputs(deaf=True), batch_of(mapping()))
    assert found.silent_leaves == ("inputs['b']",)
    assert found.silent_share == pytest.approx(5 / 8)


def test_whole_number_inputs_are_followed_through_the_embedding():
    words = torch.randint(0, 20, (40, 6))
    assert off_diagonal(measure_dependencies(Words(), batch_of(words)).gradient) == 0
    assert off_diagonal(measure_dependencies(Words(mix=True), batch_of(words)).gradient) > 0


def test_batch_norm_is_judged_in_evaluation_mode_and_disclosed():
    model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4)).train()
    found = measure_dependencies(model, batch_of(torch.randn(40, 3)))
    assert off_diagonal(found.gradient) == 0
    assert found.norms == ("1",)
    assert model.training


def test_too_few_items_for_dependencies_are_a_reason():
    with pytest.raises(CannotMeasure, match="12 are needed"):
        measure_dependencies(nn.Linear(3, 4), batch_of(torch.randn(8, 3), TARGETS[:8]))


@pytest.mark.parametrize(
    ("model", "form"),
    [
        (nn.Linear(3, 4), "scores"),
        (nn.Sequential(nn.Linear(3, 4), nn.Softmax(1)), "probabilities"),
        (nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(1)), "log-probabilities"),
    ],
)
def test_the_form_of_outputs(model, form):
    found = measure_outputs(Classification(4), model, nn.CrossEntropyLoss(), batch_of(torch.randn(40, 3)), 4)
    assert (found.form, found.form_wanted, found.width) == (form, "scores", 4)


def test_small_positive_scores_are_not_taken_for_probabilities():
    model = nn.Linear(3, 1)
    nn.init.constant_(model.bias, 0.5)
    nn.init.normal_(model.weight, std=0.01)
    batch = batch_of(torch.randn(40, 3), (TARGETS > 1).float()[:, None])
    assert measure_outputs(Binary(), model, nn.BCEWithLogitsLoss(), batch, 1).form == "scores"
    squashed = nn.Sequential(model, nn.Sigmoid())
    assert measure_outputs(Binary(), squashed, nn.BCEWithLogitsLoss(), batch, 1).form == "probabilities"


def test_a_loss_is_tried_in_the_form_that_the_model_has():
    nll = prove_loss(Classification(4), F.nll_loss, TARGETS, "log-probabilities")
    assert nll.family == "nll"
    assert nll.values[-1] == pytest.approx(0, abs=1e-6)
    assert prove_loss(Classification(4), F.nll_loss, TARGETS, "scores").values[-1] == pytest.approx(-100)


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss()])
def test_losses_of_numbers_fall_with_quality(loss):
    found = prove_loss(Regression(), loss, torch.randn(50, 2) * 3 + 150, "scores")
    assert list(found.values) == sorted(found.values, reverse=True)
    assert math.isfinite(found.values[0])
    assert (found.doubled, found.zero_gradient) == (pytest.approx(1, rel=1e-4), 0.0)
    assert set(found.by_class) == {"low", "high"}


def test_a_metric_that_raises_is_recorded_with_its_error():
    def broken(outputs, targets):
        raise ValueError("no such axis\nat all")

    proof = prove_metrics(Classification(4), {"broken": broken}, TARGETS).proofs[1]
    assert (proof.name, proof.error) == ("broken", "no such axis")


def test_the_lowest_loss_of_a_loss_of_ones_own_is_found_by_trying():
    def own(outputs, targets):
        return F.cross_entropy(outputs, targets, label_smoothing=0.2)

    assert lowest(Classification(4), own, TARGETS, "scores") == pytest.approx(0.588, abs=0.003)


def test_close_is_measured_from_what_there_was_to_learn():
    assert is_close(0.04, 2.3, 0.0, 2.08)
    assert not is_close(0.05, 2.3, 0.0, 2.08)
    # a start that is far off because the mean is not in the bias yet does not make it easy
    assert not is_close(1000.0, 1e6, 0.0, 300.0)
    assert not is_close(math.nan, 2.3, 0.0, None)


def test_layers_of_a_net_of_zeros_and_of_a_dead_one():
    x = torch.randn(40, 3)
    net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4))
    nn.init.zeros_(net[0].weight)
    nn.init.constant_(net[0].bias, -5.0)
    learner = Learner(net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
    first, last = measure_layers(learner, net, batch_of(x)).layers
    assert (first.constant, first.twins, first.idle) == (True, 7 / 8, 1.0)
    assert (last.constant, last.idle) == (False, 0.0)


def test_a_linear_net_has_no_departure_from_affine():
    x = batch_of(torch.randn(40, 3))
    for layers, expected in (([nn.Identity()], True), ([nn.ReLU()], False)):
        net = nn.Sequential(nn.Linear(3, 8), *layers, nn.Linear(8, 4))
        learner = Learner(net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
        assert (measure_layers(learner, net, x).affine < 1e-5) is expected


def test_outputs_behind_one_unit_move_in_one_direction():
    x = batch_of(torch.rand(40, 3))
    for width, expected in ((1, 1), (2, 2), (8, 3)):
        net = nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 16), nn.GELU(), nn.Linear(16, 4))
        learner = Learner(net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
        assert (measure_layers(learner, net, x).directions, measure_layers(learner, net, x).outputs) == (expected, 4)


def test_where_inputs_are_whole_numbers_directions_are_not_told():
    net = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 4))
    learner = Learner(net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1))
    assert measure_layers(learner, net, batch_of(torch.randint(0, 9, (40, 3)))).directions is None


def test_a_model_that_cannot_take_one_row_leaves_a_reason():
    class AlwaysTrains(nn.Sequential):
        def train(self, mode=True):
            return super().train(True)

    net = AlwaysTrains(nn.Linear(3, 4), nn.BatchNorm1d(4))
    batch = Batch(torch.randn(8, 3), torch.arange(8) % 4, torch.arange(8))
    with pytest.raises(CannotMeasure, match="in batches of 1 the model raises"):
        _evaluated(None, net, nn.CrossEntropyLoss(), batch, 1)


def test_rows_are_drawn_from_every_class():
    targets = torch.tensor([0] * 95 + [1, 2, 3, 4, 4])
    rows = spread_rows(targets, 5, seed=0)
    assert sorted(targets[rows].tolist()) == [0, 1, 2, 3, 4]
    assert torch.equal(rows, spread_rows(targets, 5, seed=0))
    numbers = torch.randn(100, 1)
    chosen = numbers[spread_rows(numbers, 8, seed=0)]
    assert int((chosen > numbers.median()).sum()) == 4


def test_batches_of_mappings_are_joined_and_taken_apart():
    batch = batch_of(mapping())
    both = joined([batch, batch])
    assert both.inputs["b"].shape == (80, 5)
    assert torch.equal(take(both, [41]).inputs["a"], batch.inputs["a"][1:2])


def test_evaluating_gives_every_module_its_mode_back():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    model[1].eval()
    with evaluating(model):
        assert not model.training
    assert (model.training, model[0].training, model[1].training) == (True, True, False)


def test_repeatable_draws_leave_the_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with repeatable(5):
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)


def test_dropout_is_silenced_by_name():
    model = nn.Sequential(nn.Dropout(0.3), nn.AlphaDropout(0.1), nn.Dropout(0.0))
    assert silence(model) == {"0": 0.3, "1": 0.1}
    assert all(module.p == 0 for module in model)


@pytest.mark.parametrize(
    ("model", "inputs", "expected"),
    [
        (nn.Linear(3, 4), torch.randn(40, 3), 2 * 16),
        (nn.Conv2d(2, 5, 3, padding=1, bias=False), torch.randn(40, 2, 8, 8), 2 * 2 * 5 * 9 * 64),
    ],
)
def test_operations_are_counted_by_position(model, inputs, expected):
    assert operations(model, batch_of(inputs)) == expected


def test_small_nets_get_one_thread_and_the_others_what_there_was():
    before = torch.get_num_threads()
    with threads_for(1e3, "auto") as chosen:
        assert (chosen, torch.get_num_threads()) == (1, 1)
    with threads_for(1e3, 3) as chosen:
        assert chosen == 3
    with threads_for(1e9, "auto") as chosen:
        assert chosen == before
    assert torch.get_num_threads() == before


def test_features_of_words_are_counts():
    rows = features(torch.tensor([[1, 1, 2], [0, 2, 2]]))
    assert rows[:, :3].tolist() == [[0, 2, 1], [1, 0, 2]]
    with pytest.raises(CannotMeasure, match="not finite"):
        features(torch.tensor([[math.nan]]))
