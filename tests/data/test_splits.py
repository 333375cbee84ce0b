from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.data.data import Split
from recipe.data.splits import bundles_of, split_off


def split_of(inputs, targets, **more):
    n = len(inputs)
    return Split(
        name="train", inputs=torch.as_tensor(inputs), targets=torch.as_tensor(targets), origin="train",
        rows=torch.arange(n), **more,
    )  # fmt: skip


@given(
    counts=st.lists(st.integers(3, 60), min_size=2, max_size=6),
    fraction=st.floats(0.1, 0.5),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_every_class_is_split_in_the_asked_proportion(counts, fraction, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    rest, taken = split_off(split_of(np.arange(len(labels))[:, None], labels), fraction, "val", seed, None)
    assert sorted(rest.rows.tolist() + taken.rows.tolist()) == list(range(len(labels)))
    for label, count in enumerate(counts):
        got = int((taken.targets == label).sum())
        assert 1 <= got < count
        assert abs(got - fraction * count) <= 2
    assert abs(len(taken) - fraction * len(labels)) <= len(counts) + 1


def test_the_only_examples_of_a_class_stay_in_train():
    labels = np.array([0] * 50 + [1] * 50 + [2, 2])
    rest, _ = split_off(split_of(np.arange(102)[:, None], labels), 0.2, "val", 0, None)
    assert int((rest.targets == 2).sum()) == 2


def test_numbers_are_split_alike_in_every_tenth():
    values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    _, taken = split_off(split_of(values[:, None], values), 0.2, "val", 0, None)
    assert len(taken) == 200
    shares = np.histogram(taken.targets.numpy(), np.quantile(values, np.linspace(0, 1, 11)))[0]
    assert shares.min() >= 18
    assert shares.max() <= 22


@given(seed=st.integers(0, 1000), size=st.integers(2, 9))
@settings(max_examples=20, deadline=None)
def test_groups_never_straddle(seed, size):
    n = 180
    groups = np.random.default_rng(seed).permutation(n) // size
    parts = split_off(split_of(np.arange(n)[:, None], np.arange(n) % 3, groups=groups), 0.25, "val", seed, None)
    assert not set(parts[0].groups.tolist()) & set(parts[1].groups.tolist())
    assert 0.1 * n <= len(parts[1]) <= 0.4 * n


def test_identical_items_stay_together_across_groups():
    inputs = np.arange(100)[:, None].copy()
    inputs[60:70] = inputs[10:20]
    bundles = bundles_of(split_of(inputs, np.arange(100) % 2))
    assert (bundles[60:70] == bundles[10:20]).all()
    groups = np.arange(100)
    groups[70] = 10
    joined = bundles_of(split_of(inputs, np.arange(100) % 2, groups=groups))
    assert joined[70] == joined[60] == joined[10]


def test_what_very_many_items_share_does_not_bind_them():
    inputs = np.concatenate([np.zeros((50, 1)), np.arange(1, 51)[:, None]])
    rest, taken = split_off(split_of(inputs, np.arange(100) % 2), 0.2, "val", 0, None)
    assert 0 < int((taken.inputs == 0).sum()) < 50
    assert len(rest) == 80


def test_later_items_are_taken_when_time_orders_them():
    when = np.random.default_rng(0).permutation(50)
    parts = split_off(
        split_of(np.arange(50)[:, None], np.arange(50) % 2, attributes={"day": when}), 0.2, "val", 0, "day"
    )
    assert parts[0].attributes["day"].max() < parts[1].attributes["day"].min()
    assert len(parts[1]) == 10


def test_patterns_of_several_labels_are_split_alike():
    flags = (np.random.default_rng(0).random((400, 3)) < 0.3).astype(np.float32)
    _, taken = split_off(split_of(np.arange(400)[:, None], flags), 0.25, "val", 0, None)
    assert len(taken) == pytest.approx(100, abs=4)
    assert taken.targets.mean(dim=0).numpy() == pytest.approx(flags.mean(axis=0), abs=0.05)
