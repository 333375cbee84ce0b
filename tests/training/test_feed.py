import multiprocessing
import random
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from recipe.data import stream as streams
from recipe.data.image_folder import Pictures
from recipe.machine import processors
from recipe.record.refusal import Refusal, UserCodeError
from recipe.training.augment import Flip, Noise, Shift
from recipe.training.feed import feed_of
from recipe.training.source import Finish
from recipe.training.stream import Streamed, _started


def same(first, second):
    pairs = list(zip(first, second, strict=True))
    return bool(pairs) and all(all(torch.equal(a, b) for a, b in zip(x, y, strict=True)) for x, y in pairs)


def jitter(item):
    """A user's transform of one example, with all three generators."""
    return item + torch.rand(()) + np.random.rand() + random.random()


def test_an_epoch_visits_every_item_once_in_an_order_of_its_own(pictures):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True)
    epochs = [torch.cat([batch.index for batch in feed.epoch(e)]) for e in (0, 1)]
    assert all(torch.equal(order.sort().values, torch.arange(50)) for order in epochs)
    assert not torch.equal(*epochs)
    assert same(feed.epoch(1), feed_of(pictures, batch_size=8, seed=0, shuffle=True).epoch(1))
    assert not same(feed.epoch(1), feed_of(pictures, batch_size=8, seed=1, shuffle=True).epoch(1))


def test_batches_hold_the_items_that_their_index_names(pictures):
    for batch in feed_of(pictures, batch_size=7, seed=0, shuffle=True).epoch(0):
        assert torch.equal(batch.inputs, pictures.inputs[batch.index])
        assert torch.equal(batch.targets, pictures.targets[batch.index])


@pytest.mark.parametrize("batch_size", [8, 7, 16])
def test_every_position_can_be_addressed(pictures, batch_size):
    feed = feed_of(pictures, batch_size=batch_size, seed=0, shuffle=True, transforms=[Shift(1), Noise(0.1)])
    whole = [batch for epoch in range(3) for batch in feed.epoch(epoch)]
    for position in range(2 * feed.steps_per_epoch):
        batch = next(feed.batches(position))
        assert same([batch], [whole[position]])
        assert torch.equal(feed.indices_at(position), whole[position].index)


def test_memory_and_stream_and_workers_give_the_same_bytes(pictures, stream):
    settings = {"batch_size": 8, "seed": 3, "shuffle": True, "preprocess": lambda x: (x - 0.1) / 0.7}
    batched = [Shift(1), Flip(), Noise(0.1)]
    held = feed_of(pictures, transforms=batched, **settings)
    for workers in (0, 2):
        streamed = feed_of(stream, transforms=batched, workers=workers, **settings)
        assert same([*held.epoch(0), *held.epoch(1)], [*streamed.epoch(0), *streamed.epoch(1)])


@pytest.mark.parametrize(
    ("fork", "home", "runs"), [(None, "mine", False), (None, "__main__", True), ("fork", "mine", True)]
)
def test_workers_run_the_users_script_only_for_what_is_defined_there(fork, home, runs, monkeypatch):
    main = sys.modules["__main__"]
    there = type("Crop", (), {"__module__": home})
    monkeypatch.setattr("recipe.training.stream.FORK", fork)
    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(Crop=there))
    monkeypatch.setattr(main, "Crop", there, raising=False)
    monkeypatch.setattr(main, "__file__", "script.py", raising=False)

    class Loader:
        num_workers, dataset = 1, there()

        def __iter__(self):
            return iter([hasattr(main, "__file__")])

    assert list(_started(Loader())) == [runs]
    assert main.__file__ == "script.py"


class TestHowManyRead:
    """`data.workers=auto`."""

    def readers(self, dataset):
        inputs = streams.Stream(dataset, np.arange(4), "train", "data")
        split = SimpleNamespace(inputs=inputs, targets=torch.zeros(4))
        return Streamed(split, (), Finish(None, (), 0), device=torch.device("cpu"), workers=None).workers

    def test_a_process_a_processor_for_files_that_we_decode(self):
        assert self.readers(Pictures(["a"] * 4, [0] * 4, (8, 8), "L")) == processors()

    def test_none_for_a_dataset_of_the_users(self):
        # An open file or a connection in it would be shared by all of them.
        assert self.readers([(torch.zeros(3), 0)] * 4) == 0

    def test_none_in_a_trials_worker(self, monkeypatch):
        monkeypatch.setattr("recipe.training.stream.parent_process", lambda: object())
        assert self.readers(Pictures(["a"] * 4, [0] * 4, (8, 8), "L")) == 0


def test_a_daemon_reads_itself_however_many_workers_are_asked_for(stream, monkeypatch):
    elsewhere = list(feed_of(stream, batch_size=8, seed=0, shuffle=False, workers=2).epoch(0))
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert same(elsewhere, feed_of(stream, batch_size=8, seed=0, shuffle=False, workers=2).epoch(0))


def test_no_process_is_started_for_a_batch_or_two(stream, monkeypatch):
    monkeypatch.setattr("recipe.training.stream.DataLoader", None)
    feed = feed_of(stream, batch_size=25, seed=0, shuffle=False, workers=2)
    assert len(list(feed.in_order())) == 2


def test_single_transforms_do_not_depend_on_workers(pictures):
    feeds = [
        feed_of(pictures, batch_size=8, seed=3, shuffle=True, transforms=[jitter, Shift(1)], workers=workers)
        for workers in (0, 1, 2)
    ]
    first = [*feeds[0].epoch(0), *feeds[0].epoch(1)]
    assert all(same(first, [*feed.epoch(0), *feed.epoch(1)]) for feed in feeds[1:])
    by_item = [
        torch.cat([b.inputs for b in e])[torch.cat([b.index for b in e]).argsort()] for e in (first[:7], first[7:])
    ]
    assert not torch.equal(*by_item), "augmentation must differ between epochs"


def test_reading_leaves_the_global_generators_alone(pictures):
    feed = feed_of(pictures, batch_size=8, seed=3, shuffle=True, transforms=[jitter])
    before = torch.get_rng_state()
    next(feed.epoch(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_in_order_is_the_whole_split_without_augmentation(pictures):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True, transforms=[jitter, Noise(1.0)])
    batches = list(feed.in_order())
    assert torch.equal(torch.cat([b.inputs for b in batches]), pictures.inputs)
    assert [len(b.targets) for b in batches] == [8] * 6 + [2]


def test_in_order_keeps_the_transforms_of_evaluation(pictures):
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True, transforms=[jitter], eval_transforms=[torch.neg])
    assert torch.equal(next(feed.in_order()).inputs, -pictures.inputs[:8])


def test_a_single_left_over_item_joins_the_batch_before(pictures):
    sizes = [len(b.index) for b in feed_of(pictures, batch_size=7, seed=0, shuffle=True).epoch(0)]
    assert sizes == [7, 7, 7, 7, 7, 7, 8]
    assert [len(b.index) for b in feed_of(pictures, batch_size=7, seed=0, shuffle=False).epoch(0)][-1] == 1


def test_batches_larger_than_the_data_are_the_data(pictures):
    feed = feed_of(pictures, batch_size=500, seed=0, shuffle=True)
    assert (feed.batch_size, feed.steps_per_epoch) == (50, 1)


def test_no_whole_batch_left_is_refused(pictures):
    with pytest.raises(Refusal, match="no whole batch of 500"):
        feed_of(pictures, batch_size=500, seed=0, shuffle=True, drop_last=True)
    assert feed_of(pictures, batch_size=8, seed=0, shuffle=True, drop_last=True).steps_per_epoch == 6


def test_an_empty_split_is_refused(pictures, rows):
    with pytest.raises(Refusal, match="empty"):
        feed_of(rows(pictures.inputs[:0], pictures.targets[:0]), batch_size=8, seed=0, shuffle=True)


def test_a_subset_keeps_positions_and_draws(pictures):
    feed = feed_of(pictures, batch_size=4, seed=0, shuffle=True, transforms=[Noise(0.1)])
    found = {int(i): x for b in feed.subset([5, 40, 7]).epoch(0) for i, x in zip(b.index, b.inputs, strict=True)}
    whole = {int(i): x for b in feed.epoch(0) for i, x in zip(b.index, b.inputs, strict=True)}
    assert sorted(found) == [5, 7, 40]
    assert all(torch.equal(found[i], whole[i]) for i in found)


@pytest.mark.parametrize("kind", [tuple, dict])
def test_inputs_may_be_tuples_and_mappings(pictures, rows, kind):
    parts = (pictures.inputs, torch.arange(50))
    tree = parts if kind is tuple else {"picture": parts[0], "number": parts[1]}
    batches = list(feed_of(rows(tree, pictures.targets), batch_size=16, seed=0, shuffle=True).epoch(0))
    for batch in batches:
        picture, number = batch.inputs if kind is tuple else batch.inputs.values()
        assert torch.equal(number, batch.index)
        assert torch.equal(picture, pictures.inputs[batch.index])


def test_a_sampler_decides_the_order(pictures):
    feed = feed_of(pictures, batch_size=2, seed=0, shuffle=True, sampler=[4, 4, 9, 1])
    assert [b.index.tolist() for b in feed.epoch(0)] == [[4, 4], [9, 1]]


@pytest.mark.parametrize("own_generator", [False, True])
def test_a_random_sampler_is_a_function_of_the_epoch(pictures, own_generator):
    generator = torch.Generator() if own_generator else None
    sampler = torch.utils.data.WeightedRandomSampler(torch.rand(50) + 0.1, 50, generator=generator)
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True, sampler=sampler)
    first = list(feed.epoch(1))
    assert same(first, feed.epoch(1))
    assert not same(first, feed.epoch(0))


def test_a_sampler_may_be_made_afresh_each_epoch(pictures):
    feed = feed_of(pictures, batch_size=5, seed=0, shuffle=True, sampler=lambda: (i for i in range(10)))
    assert len(list(feed.epoch(0))) == len(list(feed.epoch(1))) == 2


@pytest.mark.parametrize("positions", [[], [0, 50], [-1]])
def test_a_sampler_outside_the_split_is_refused(pictures, positions):
    with pytest.raises(Refusal) as refused:
        feed_of(pictures, batch_size=8, seed=0, shuffle=True, sampler=positions)
    assert refused.value.where == "train.sampler"


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_item_is_named(stream, workers):
    class Broken(type(stream)):
        def raw(self, index):
            if index == 17:
                raise Refusal("half a picture", where="train/17.png", fix="remove it")
            return super().raw(index)

    feed = feed_of(Broken(stream.items, stream.targets), batch_size=8, seed=0, shuffle=True, workers=workers)
    with pytest.raises(Refusal) as refused:
        list(feed.epoch(0))
    assert refused.value.lines() == ["train/17.png: half a picture", "remove it"]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_users_transform_shows_their_frame(pictures, workers):
    def broken(item):
        raise ZeroDivisionError("by my own hand")

    with pytest.raises(UserCodeError) as raised:
        list(feed_of(pictures, batch_size=8, seed=0, shuffle=False, transforms=[broken], workers=workers).epoch(0))
    assert "ZeroDivisionError: by my own hand (at item 0)" in raised.value.lines()[0]
    assert any("in broken" in frame for frame in raised.value.frames)


def test_preprocessing_up_front_equals_preprocessing_each_batch(pictures, monkeypatch):
    def halve(x):
        return x / 2 + 1

    front = list(feed_of(pictures, batch_size=8, seed=0, shuffle=True, preprocess=halve).epoch(0))
    monkeypatch.setattr("recipe.training.source.free_memory", lambda device: 0.0)
    monkeypatch.setattr("recipe.training.source.READY", type("None", (), {"find": lambda *_: None})())
    assert same(front, feed_of(pictures, batch_size=8, seed=0, shuffle=True, preprocess=halve).epoch(0))


def test_feeds_of_the_same_split_share_the_preprocessed_inputs(pictures):
    calls = []

    def slow(x):
        calls.append(1)
        return x * 2

    for _ in range(3):
        feed_of(pictures, batch_size=8, seed=0, shuffle=True, preprocess=slow)
    assert len(calls) == 1
    feed = feed_of(pictures, batch_size=8, seed=0, shuffle=True, preprocess=lambda x: x * 3)
    assert torch.equal(next(feed.in_order()).inputs, pictures.inputs[:8] * 3)
