from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from recipe.data.assemble import assemble
from recipe.record.refusal import Refusal, UserCodeError

GENERATOR = np.random.default_rng(0)


def pairs(n=100, k=4):
    return GENERATOR.random((n, 5)).astype(np.float32), np.arange(n) % k


class Squares(Dataset):
    """Item i is (i as a row of 3, i % 2)."""

    def __init__(self, n=40, wrong=None):
        self.n, self.wrong = n, wrong

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if self.wrong is not None and index == 17:
            return self.wrong(index)
        return torch.full((3,), float(index)), index % 2


def raised(mapping, settings, task="auto", **more):
    with pytest.raises(Refusal) as caught:
        assemble(mapping, {**settings, **more}, 0, task)
    assert len(caught.value.lines()) <= 3 or isinstance(caught.value, UserCodeError)
    return " | ".join(caught.value.lines())


def test_a_pair_of_arrays_is_split_in_three(settings):
    data = assemble({"train": pairs(200)}, settings, 0, "auto")
    assert (len(data.train), len(data.val), data.test_size) == (130, 30, 40)
    rows = [set(split.rows.tolist()) for split in (data.train, data.val, data.compare_test())]
    assert set.union(*rows) == set(range(200))
    assert sum(map(len, rows)) == 200
    assert data.classes == ("0", "1", "2", "3")
    assert data.input_shape == (5,)


def test_the_seed_decides_the_split_and_nothing_else_does(settings):
    mapping = {"train": pairs(200)}
    same = [assemble(mapping, settings, 3, "auto").val.rows.tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert same[0] != assemble(mapping, settings, 4, "auto").val.rows.tolist()


def test_opening_the_test_split_is_told_first(settings):
    data = assemble({"train": pairs()}, settings, 0, "auto")
    told = []
    assert len(data.open_test(lambda: told.append("opened"))) == data.test_size
    assert told == ["opened"]


def test_without_a_test_split_opening_it_is_refused(settings):
    data = assemble({"train": pairs()}, {**settings, "test_fraction": 0}, 0, "auto")
    with pytest.raises(Refusal, match="no test split"):
        data.open_test(lambda: None)


def test_a_dataset_that_repeats_itself_is_held_in_memory(settings):
    data = assemble({"train": Squares()}, settings, 0, "auto")
    assert not data.train.streams
    inputs, target = data.train.raw(0)
    assert inputs.tolist() == [float(data.train.rows[0])] * 3
    assert int(target) == int(data.train.rows[0]) % 2


def test_a_dataset_with_random_transforms_is_read_item_by_item(settings):
    class Noisy(Squares):
        def __getitem__(self, index):
            return torch.randn(3), index % 2

    before = torch.get_rng_state()
    data = assemble({"train": Noisy()}, settings, 0, "auto")
    assert data.train.streams
    assert not data.train.inputs.repeats()
    assert data.train.targets.tolist() == [int(r) % 2 for r in data.train.rows]
    assert torch.equal(before, torch.get_rng_state())


def test_streaming_gives_the_same_items_as_memory(settings):
    held = assemble({"train": Squares()}, settings, 0, "auto")
    streamed = assemble({"train": Squares()}, {**settings, "streaming": True}, 0, "auto")
    assert streamed.val.streams
    for k in range(len(held.val)):
        assert torch.equal(held.val.raw(k)[0], streamed.val.raw(k)[0])
        assert torch.equal(held.val.raw(k)[1], streamed.val.raw(k)[1])
    assert [p.tolist() for p, _ in held.train.chunks(7)] == [p.tolist() for p, _ in streamed.train.chunks(7)]


def test_the_fingerprint_follows_the_contents(settings):
    x, y = pairs()
    first = assemble({"train": (x, y)}, settings, 0, "auto").fingerprint
    assert first == assemble({"train": (x.copy(), y)}, settings, 0, "auto").fingerprint
    x[3, 2] += 1
    assert first != assemble({"train": (x, y)}, settings, 0, "auto").fingerprint


def test_trees_of_inputs_are_kept_as_they_are(settings):
    x = {"a": np.zeros((60, 2), np.float32), "b": (np.ones((60, 3)), np.arange(60))}
    data = assemble({"train": (x, np.arange(60) % 3)}, settings, 0, "auto")
    assert data.train.raw(1)[0]["b"][1].dtype == torch.int64
    assert data.input_shape["a"] == (2,)


def test_ids_groups_and_attributes_travel_with_their_items(settings):
    n = 90
    mapping = {
        "train": pairs(n),
        "ids": {"train": [f"item {k}" for k in range(n)]},
        "groups": {"train": np.arange(n) // 3},
        "attributes": {"train": {"age": np.arange(n) * 2}},
    }
    data = assemble(mapping, settings, 0, "auto")
    row = int(data.val.rows[4])
    assert data.val.called(4) == f"item {row}"
    assert data.val.attributes["age"][4] == 2 * row
    assert data.val.groups is not None
    assert data.val.groups[4] == row // 3


def test_pictures_are_known_by_their_shape(settings):
    for shape, kind in [
        ((30, 1, 8, 8), "image"),
        ((30, 9, 9, 3), "image"),
        ((30, 12), "array"),
        ((30, 5, 3), "series"),
    ]:
        data = assemble({"train": (np.random.rand(*shape), np.arange(30) % 2)}, settings, 0, "auto")
        assert data.kind == kind


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ([1], "not a mapping"),
        ({"valid": pairs()}, "has no train"),
        ({"train": pairs(), "labels": 1}, "labels"),
        ({"train": 3}, "train is a int"),
        ({"train": (np.zeros((4, 2)), np.zeros(3, int))}, "4 inputs and 3 targets"),
        ({"train": (np.zeros((0, 2)), np.zeros(0))}, "train is empty"),
        ({"train": pairs(), "val": (np.zeros((0, 5)), np.zeros(0, int))}, "val is empty"),
        ({"train": Squares(0)}, "train is empty"),
        ({"train": (np.zeros((9, 2)), np.zeros(9, int))}, "one class only"),
        ({"train": pairs(), "val": (np.zeros((4, 5)), np.array([0, 1, -1, 2]))}, "-1"),
        ({"train": pairs(), "classes": ["a", "b", "c"]}, "the label 3 is outside"),
        ({"train": (np.zeros((4, 2)), np.array(["a", "b", "a", "z"])), "classes": ["a", "b"]}, "'z'"),
        ({"train": (np.zeros((4, 2)), np.array([1.0, 2.0, np.nan, 3.0]))}, "item 2 of train"),
        ({"train": ([[1, 2], [[3]]], [0, 1])}, "sequence 1 of train"),
        ({"train": ({"a": np.zeros((4, 1)), "b": np.zeros((5, 1))}, np.arange(4))}, "differ in length"),
        ({"train": pairs(), "ids": {"train": ["a"]}}, "1 ids"),
        ({"train": pairs(4), "ids": {"train": list("abca")}}, "the id 'a'"),
        ({"train": pairs(2), "val": pairs(2), "ids": {"train": ["a", "b"], "val": ["b", "c"]}}, "share 1 ids"),
        ({"train": pairs(2), "groups": {"val": [1, 2]}}, "no split"),
        ({"train": pairs(20), "groups": {"train": np.zeros(20)}}, "leaves test or train empty"),
        ({"train": pairs(20), "time": "when"}, "'when'"),
    ],
)
def test_what_is_no_data_set_is_refused_by_name(mapping, told, settings):
    assert told in raised(mapping, settings)


def test_fractions_patches_and_preprocessing_that_cannot_be_are_refused(settings):
    assert "val_fraction" in raised({"train": pairs()}, settings, val_fraction=1.5)
    assert "data.patch: no.json" in raised({"train": pairs()}, settings, patch="no.json")
    assert "no preprocessing 'minmax'" in raised({"train": pairs()}, settings, preprocess="minmax")


@pytest.mark.parametrize("streaming", ["auto", True])
def test_an_error_in_a_users_dataset_names_the_item_and_shows_their_frames_only(streaming, settings):
    def fail(index):
        raise KeyError("label")

    with pytest.raises(UserCodeError) as caught:
        assemble({"train": Squares(wrong=fail)}, {**settings, "streaming": streaming}, 0, "auto")
    lines = caught.value.lines()
    assert lines[0].startswith("my_data.load raised KeyError")
    assert "item 17 of train" in lines[0]
    assert any("test_assemble.py" in line for line in lines[1:])
    assert not any("recipe/data" in line for line in lines)


def test_an_error_in_len_is_told_too(settings):
    class Endless(Squares):
        def __len__(self):
            raise ValueError("no idea")

    assert "in len() of train" in raised({"train": Endless()}, settings)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda i: (torch.zeros(4), 0), "item 17 of train: float32 (4,), where most are float32 (3,)"),
        (lambda i: torch.zeros(3), "not a pair"),
        (lambda i: (torch.zeros(3), float("nan")), "item 17 of train"),
    ],
)
def test_items_unlike_the_others_are_named(wrong, told, settings):
    assert told in raised({"train": Squares(wrong=wrong)}, settings)


def test_two_spellings_of_a_class_are_one(settings):
    mapping = {
        "train": (np.zeros((20, 1)), np.array(["<=50K", ">50K"] * 10)),
        "test": (np.ones((2, 1)), np.array(["<=50K.", " >50k"])),
    }
    data = assemble(mapping, settings, 0, "auto")
    assert data.classes == ("<=50K", ">50K")
    assert data.renamed == {"<=50K.": "<=50K", " >50k": ">50K"}
    assert data.compare_test().targets.tolist() == [0, 1]
