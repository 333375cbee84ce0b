"""Every task keeps the protocol, and knows its own numbers."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from recipe.record.refusal import Refusal
from recipe.tasks.autoencoder import Autoencoder
from recipe.tasks.binary import Binary
from recipe.tasks.classification import Classification
from recipe.tasks.language_model import LanguageModel, left_open
from recipe.tasks.multilabel import Multilabel
from recipe.tasks.regression import Regression
from recipe.tasks.task import task_for
from recipe.testing import check_task

CLASSES = torch.arange(60) % 5
YES = (torch.arange(60) % 4 == 0).float()
LABELS = torch.stack([torch.arange(60) % 2, torch.arange(60) % 3 == 0, torch.arange(60) % 5 == 0], dim=1).float()
NUMBERS = torch.randn(60, 2, generator=torch.Generator().manual_seed(0)) * 3 + 7
TOKENS = torch.randint(0, 7, (30, 9), generator=torch.Generator().manual_seed(0))
PADDED = torch.where(torch.arange(9) < 3 + torch.arange(30)[:, None] % 6, TOKENS, -100)


@pytest.mark.parametrize(
    ("task", "raw"),
    [
        (Classification(), CLASSES),
        (Classification(5), CLASSES.numpy()),
        (Binary(), YES),
        (Binary(), YES.bool()),
        (Multilabel(), LABELS),
        (Regression(), NUMBERS),
        (Regression(), NUMBERS[:, 0].double()),
        (LanguageModel(), TOKENS),
        (LanguageModel(7), PADDED),
        (Autoencoder(), NUMBERS),
        (Autoencoder(), NUMBERS.reshape(30, 1, 2, 2)),
    ],
    ids=lambda value: getattr(value, "name", "") or str(tuple(value.shape)),
)
def test_conformance(task, raw):
    check_task(task, raw)


def test_conformance_finds_a_broken_task():
    class Upside(Classification):
        def metrics(self, outputs, targets):
            return {"accuracy": 1 - float(self.per_item(outputs, targets).mean()), "error": 0.0}

    with pytest.raises(AssertionError, match="classification: better outputs have less error"):
        check_task(Upside(), CLASSES)


@pytest.mark.parametrize(
    ("targets", "classes", "name"),
    [
        (CLASSES, ("a", "b", "c", "d", "e"), "classification"),
        (torch.tensor([0, 1, 1, 0]), None, "classification"),
        (torch.tensor([1987, 2004, 1999]), None, "regression"),
        (YES, None, "binary"),
        (YES.bool(), None, "binary"),
        (LABELS, None, "multilabel"),
        (LABELS.long(), None, "multilabel"),
        (NUMBERS, None, "regression"),
    ],
)
def test_auto_tells_the_task_by_its_targets(targets, classes, name):
    assert task_for("auto", _data(targets, classes)).name == name


def test_data_without_targets_are_for_an_autoencoder_alone():
    without = SimpleNamespace(train=SimpleNamespace(targets=torch.zeros(60)), classes=None, unlabelled=True)
    assert task_for("auto", without).name == "autoencoder"
    with pytest.raises(Refusal, match="no targets"):
        task_for("classification", without)


def test_the_cost_of_a_token_does_not_depend_on_how_long_its_item_is():
    task, outputs = LanguageModel(7), torch.zeros(30, 9, 7)
    interval = task.interval(outputs, PADDED)
    assert interval.mean == pytest.approx(math.log(7))
    assert interval.high - interval.low < 1e-9
    assert task.metrics(outputs, PADDED)["bits"] == pytest.approx(math.log2(7))


def test_what_the_start_of_a_text_leaves_open_is_the_floor_of_its_loss():
    inputs = torch.tensor([[0, 1, 2], [0, 3, 4], [0, 1, 2]])
    targets = torch.tensor([[1, 2, 5], [3, 4, 6], [1, 2, -100]])
    found = left_open(inputs, targets)
    thirds = -(2 * math.log(2 / 3) + math.log(1 / 3)) / 8
    assert found.loss == pytest.approx(thirds)
    assert found.told.tolist() == [[False, True, True], [False, True, True], [False, True, False]]


def test_an_autoencoder_of_shares_speaks_in_logits():
    task = Autoencoder(squashed=True)
    shares = torch.rand(50, 6, generator=torch.Generator().manual_seed(0))
    assert task.metrics(task.outputs_for(shares, 14.0), shares)["r2"] > 0.999
    loss = torch.nn.BCEWithLogitsLoss()
    assert task.expected_initial_loss(loss, shares) == pytest.approx(math.log(2))
    assert task.lowest_loss(loss, shares) < task.expected_initial_loss(loss, shares, prior=True) < math.log(2)


def test_whole_numbers_cannot_be_given_back():
    with pytest.raises(Refusal, match="gives back numbers"):
        Autoencoder().targets(torch.zeros(4, 3, dtype=torch.int64))


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(Refusal) as refusal:
        task_for("clustering", _data(CLASSES, None))
    assert "multilabel" in refusal.value.fix


@pytest.mark.parametrize(
    ("task", "targets", "told"),
    [
        (Classification(), NUMBERS[:, 0], "whole numbers"),
        (Classification(3), torch.tensor([0, 1, 3]), "label 3 is outside"),
        (Classification(), torch.tensor([0, -1]), "label -1"),
        (Binary(), torch.tensor([0.0, 0.5]), "0.5; binary needs 0 or 1"),
        (Multilabel(), torch.tensor([[0.0, 2.0]]), "2.0; multilabel"),
        (Regression(), torch.tensor([1.0, math.nan]), "not a number"),
    ],
)
def test_targets_that_do_not_fit_are_refused(task, targets, told):
    with pytest.raises(Refusal, match=told):
        task.targets(targets)


def test_one_class_only_is_refused():
    with pytest.raises(Refusal, match="one class only"):
        Classification().num_outputs(torch.zeros(9, dtype=torch.int64), None)
    with pytest.raises(Refusal, match="one class only"):
        Binary().num_outputs(torch.ones(9), None)


@pytest.mark.parametrize(
    ("task", "outputs", "targets"),
    [
        (Classification(), torch.zeros(60), CLASSES),
        (Classification(), torch.zeros(60, 4), CLASSES),
        (Classification(), torch.zeros(59, 5), CLASSES),
        (Binary(), torch.zeros(60), YES[:, None]),
        (Regression(), torch.zeros(60, 1), NUMBERS),
        (Regression(), (torch.zeros(60, 1), None), NUMBERS),
    ],
)
def test_outputs_of_another_shape_are_refused_with_both(task, outputs, targets):
    with pytest.raises(Refusal) as refusal:
        task.check(outputs, targets)
    assert refusal.value.where == "model"
    assert str(tuple(targets.shape)) in refusal.value.what


def test_wider_outputs_are_left_to_the_checks():
    Classification().check(torch.zeros(60, 1000), CLASSES)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (torch.nn.CrossEntropyLoss(), math.log(5)),
        (torch.nn.CrossEntropyLoss(reduction="sum"), math.log(5)),
        (torch.nn.CrossEntropyLoss(label_smoothing=0.3), math.log(5)),
        (torch.nn.NLLLoss(), math.log(5)),
        (F.cross_entropy, math.log(5)),
        (torch.nn.MultiMarginLoss(), 4 / 5),
    ],
)
def test_expected_initial_loss_of_classes(loss, expected):
    assert Classification(5).expected_initial_loss(loss, CLASSES) == pytest.approx(expected, rel=1e-5)


def test_expected_initial_loss_at_the_prior_is_the_entropy():
    targets = torch.tensor([0] * 90 + [1] * 10)
    entropy = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    assert Classification(2).expected_initial_loss(F.cross_entropy, targets, prior=True) == pytest.approx(
        entropy, rel=1e-5
    )
    yes = targets.float()[:, None]
    bce = torch.nn.BCEWithLogitsLoss()
    assert Binary().expected_initial_loss(bce, yes) == pytest.approx(math.log(2), rel=1e-5)
    assert Binary().expected_initial_loss(bce, yes, prior=True) == pytest.approx(entropy, rel=1e-5)


def test_expected_initial_loss_of_numbers_is_their_square_and_their_variance():
    squares = Regression().expected_initial_loss(torch.nn.MSELoss(), NUMBERS)
    assert squares == pytest.approx(float((NUMBERS**2).mean()), rel=1e-5)
    variance = Regression().expected_initial_loss(torch.nn.MSELoss(), NUMBERS, prior=True)
    assert variance == pytest.approx(float(NUMBERS.var(dim=0, correction=0).mean()), rel=1e-5)


def test_a_loss_of_ones_own_is_not_known():
    def own(outputs, targets):
        return F.cross_entropy(outputs, targets)

    assert Classification(5).expected_initial_loss(own, CLASSES) is None
    assert Classification(5).lowest_loss(own, CLASSES) is None


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5, 1.0, 4.0])])
def test_the_lowest_smoothed_loss_is_what_training_reaches(weight):
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.2, weight=weight)
    logits = torch.zeros(60, 5, requires_grad=True)
    for _ in range(2000):
        (gradient,) = torch.autograd.grad(loss(logits, CLASSES), logits)
        logits.data -= 50 * gradient
    assert Classification(5).lowest_loss(loss, CLASSES) == pytest.approx(loss(logits, CLASSES).item(), abs=1e-3)


def test_metrics_of_classes():
    outputs = F.one_hot(torch.tensor([0, 0, 0, 1]), 2).float()
    metrics = Classification().metrics(outputs, torch.tensor([0, 0, 1, 1]))
    assert metrics == pytest.approx({"accuracy": 0.75, "error": 0.25, "macro_recall": 0.75})


def test_auc_counts_ties_half():
    metrics = Binary().metrics(torch.tensor([[1.0], [1.0], [-1.0], [2.0]]), torch.tensor([[1.0], [0.0], [0.0], [1.0]]))
    assert metrics["auc"] == pytest.approx(0.875)


def test_guessing_no_label_scores_only_where_there_is_none():
    outputs = -torch.ones(4, 3)
    targets = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]])
    assert Multilabel().metrics(outputs, targets)["jaccard"] == pytest.approx(0.25)


def test_r2_is_zero_for_the_mean_and_its_interval_holds_it():
    task = Regression()
    mean = NUMBERS.mean(dim=0).expand_as(NUMBERS)
    assert task.metrics(mean, NUMBERS)["r2"] == pytest.approx(0, abs=1e-6)
    near = NUMBERS + torch.randn(NUMBERS.shape, generator=torch.Generator().manual_seed(1))
    interval = task.interval(near, NUMBERS)
    assert 0.6 < interval.low < interval.mean < interval.high < 1


def test_blind_inputs_keep_their_nesting():
    blind = Classification().blind({"a": torch.ones(2, 3), "b": (torch.ones(2, dtype=torch.int64),)})
    assert blind["a"].sum() == 0
    assert blind["b"][0].dtype == torch.int64


def _data(targets, classes):
    return SimpleNamespace(train=SimpleNamespace(targets=torch.as_tensor(np.asarray(targets))), classes=classes)
