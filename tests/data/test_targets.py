from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.data.targets import agree_on_targets
from recipe.record.refusal import Refusal


def agreed(values, task="auto", classes=None, **others):
    return agree_on_targets(
        {"train": np.asarray(values), **{k: np.asarray(v) for k, v in others.items()}}, classes, task
    )


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 2] * 5, ("0", "1", "2")),
        ([True, False], ("0", "1")),
        ([-1, 1, 1], ("-1", "1")),
        ([3, 4, 5, 8] * 6, ("3", "4", "5", "8")),
        ([1, 2, 3, 4] * 6, ("1", "2", "3", "4")),
        ([0, 1, 2, 3, 4, 6] * 6, tuple("0123456")),
        (["cat", "ant"], ("ant", "cat")),
    ],
)
def test_classes_are_told_from_what_targets_look_like(values, classes):
    found = agreed(values)
    assert found.classes == classes
    assert found.by_split["train"].dtype == torch.int64
    assert int(found.by_split["train"].max()) < len(classes)


@pytest.mark.parametrize("values", [[0.5, 1.5], [1990, 2001, 1875], list(range(100))])
def test_other_numbers_are_values(values):
    found = agreed(values)
    assert found.classes is None
    assert found.by_split["train"].dtype == torch.float32


def test_whole_numbers_are_values_when_the_task_says_so():
    assert agreed([3, 4, 5, 4, 3], task="regression").by_split["train"].tolist() == [3.0, 4.0, 5.0, 4.0, 3.0]


def test_zeros_and_ones_as_floats_stay_floats_for_binary():
    assert agreed([0.0, 1.0, 1.0]).by_split["train"].dtype == torch.float32


def test_whole_floats_are_classes_when_the_task_says_so():
    assert agreed([0.0, 1.0, 2.0], task="classification").by_split["train"].tolist() == [0, 1, 2]
    with pytest.raises(Refusal, match=r"0\.5"):
        agreed([0.0, 0.5], task="classification")


def test_a_column_of_targets_is_a_row():
    assert agreed([[0], [1], [1]]).by_split["train"].tolist() == [0, 1, 1]


def test_several_targets_stay_together():
    assert agreed([[0, 1, 1], [1, 0, 0]]).by_split["train"].shape == (2, 3)


def test_a_class_that_only_val_has_gets_an_index_after_those_of_train():
    found = agreed(["b", "a", "b"], val=["c"])
    assert found.classes == ("a", "b", "c")
    assert found.by_split["val"].tolist() == [2]


def test_text_is_no_number():
    with pytest.raises(Refusal, match="'cheap'"):
        agreed(["cheap", "dear"], task="regression")


def test_a_missing_label_is_named():
    with pytest.raises(Refusal, match="no label") as caught:
        agreed(np.array(["a", "b", None], dtype=object))
    assert caught.value.where == "item 2 of train"
