from __future__ import annotations

import pytest

from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.search.space import default_space, describe, read_space, size, widen

CONFIG = {
    "optimizer": {"lr": 1e-3},
    "train": {"batch_size": 64},
    "model": {"width": 128, "channels": 32},
    "regularizers": {"dropout": 0.25, "weight_decay": 0},
}


def keys(axes):
    return [axis.key for axis in axes]


def test_dotted_and_nested_spellings_are_the_same_space():
    dotted = read_space({"optimizer.lr": {"log": [1e-4, 1e-2]}, "train.batch_size": [32, 64]}, CONFIG)
    nested = read_space(
        {"optimizer": {"lr": {"log": [1e-4, 1e-2]}}, "train": {"batch_size": {"choices": [32, 64]}}}, CONFIG
    )
    assert dotted == nested
    assert dotted[0] == Axis(key="optimizer.lr", scale="log", low=1e-4, high=1e-2, reference=1e-3, declared=True)


@pytest.mark.parametrize(
    ("node", "says"),
    [
        ({"log": [0, 1]}, "log scale cannot start at 0"),
        ({"log": [1e-2, 1e-4]}, "not a low and a high end"),
        ({"linear": [0, "x"]}, "not a low and a high end"),
        ({"integer": [1, 2.5]}, "not whole numbers"),
        ({"lgo": [1e-4, 1e-2]}, "no kind of range 'lgo'"),
        ({"choices": []}, "not a list"),
        (0.3, "no range"),
    ],
)
def test_what_is_no_range_is_refused_with_its_key(node, says):
    with pytest.raises(Refusal, match=says) as refused:
        read_space({"optimizer.lr": node}, CONFIG)
    assert refused.value.where == "search.space.optimizer.lr" or refused.value.where.startswith(
        "search.space.optimizer.lr"
    )


def test_the_default_space_lies_around_the_recipe_so_far():
    axes = default_space(CONFIG, free=lambda key: True)
    assert keys(axes) == ["optimizer.lr", "regularizers.dropout", "train.batch_size", "model.width"]
    assert (axes[0].low, axes[0].high) == (1e-4, 3e-2)
    assert axes[2].choices == (32, 64, 128)


def test_what_the_user_fixed_is_not_searched():
    assert "optimizer.lr" not in keys(default_space(CONFIG, free=lambda key: key != "optimizer.lr"))


def test_size_counts_points():
    assert size(read_space({"a": [1, 2, 3], "b": {"integer": [1, 4]}}, {})) == 12
    assert size(read_space({"a": {"log": [1, 2]}}, {})) == float("inf")


def test_a_range_is_widened_beyond_its_end_and_remembers_the_narrow_one():
    wider = widen(Axis(key="optimizer.lr", scale="log", low=1e-6, high=1e-5), "high")
    assert (wider.low, wider.high, wider.narrow) == (1e-6, 1e-4, (1e-6, 1e-5))
    assert widen(Axis(key="regularizers.dropout", scale="linear", low=0.1, high=0.5), "low").low == 0
    assert widen(Axis(key="regularizers.dropout", scale="linear", low=0.0, high=0.6), "high").high == 0.95


def test_a_change_reads_like_a_sentence():
    assert describe({"optimizer.lr": 0.00123, "train.batch_size": 32}) == "lr 0.00123, batch_size 32"
    assert describe({}) == "the recipe so far"
