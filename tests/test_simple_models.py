"""Simple models against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe import simple_models


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = torch.as_tensor(x, dtype=torch.float32)
    return x[:1200], torch.as_tensor(y[:1200]), x[1200:], torch.as_tensor(y[1200:])


def test_neighbours_vote_as_scikit_learns_do(digits):
    from sklearn.neighbors import KNeighborsClassifier

    x, y, others, _ = digits
    theirs = KNeighborsClassifier(5).fit(x.numpy(), y.numpy()).predict(others.numpy())
    assert np.mean(simple_models.vote_of_neighbours(x, y, others).numpy() == theirs) > 0.98


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")
def test_class_means_are_as_scikit_learns(digits):
    from sklearn.neighbors import NearestCentroid

    x, y, others, _ = digits
    theirs = NearestCentroid().fit(x.numpy(), y.numpy()).predict(others.numpy())
    assert np.mean(simple_models.nearest_class_mean(x, y, others).numpy() == theirs) > 0.99


def test_logistic_regression_is_as_good_as_scikit_learns(digits):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y, others, true = digits
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200)).fit(x.numpy(), y.numpy())
    ours = float((simple_models.logistic_regression(x, y, others) == true).double().mean())
    assert ours > theirs.score(others.numpy(), true.numpy()) - 0.02


def test_ridge_finds_the_plane():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [2.0], [0.0], [-1.0]]) + 10
    assert (simple_models.ridge_regression(x, y, x, penalty=1e-6) - y).abs().max() < 1e-3


def test_columns_that_do_not_vary_do_no_harm():
    x = torch.cat([torch.ones(50, 1), torch.arange(50.0)[:, None]], dim=1)
    y = (torch.arange(50) >= 25).long()
    assert bool((simple_models.logistic_regression(x, y, x) == y).double().mean() > 0.95)


@pytest.mark.parametrize("classes", [True, False])
def test_boosted_trees(classes):
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] * x[:, 1] > 0).long() if classes else (x[:, :1] * x[:, 1:2])
    said = simple_models.boosted_trees(x, y, x, classes=classes)
    assert said.shape == y.shape
    assert ((said - y).abs().float().mean()) < 0.3
