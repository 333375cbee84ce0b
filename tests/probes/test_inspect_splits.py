"""D8 on small data: splits that differ are told by what undoes or drives it; fair splits are not told apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.scan import Scan
from recipe.probes.inspect_difficulty import measure_difficulty
from recipe.probes.inspect_order_effects import measure_order_effects, measure_position_split
from recipe.probes.inspect_split_layout import measure_split_layout
from recipe.probes.inspect_splits_apart import measure_splits_apart
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check


def made(train, val=None):
    mapping = {"train": train} | ({"val": val} if val is not None else {})
    return assemble(mapping, compose(["data.test_fraction=0"]).plain["data"], 0, "auto")


@pytest.fixture(scope="module")
def pixels():
    """Digits in [0, 1] (1797, 1, 8, 8) in a fixed random order, and labels."""
    x, y = digits()["train"]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return (x[order].float() / 16).numpy(), y[order].numpy()


def told_apart(train, val=None):
    found = run_check("splits-told-apart", splits_apart=measure_splits_apart(Scan(made(train, val)), seed=0))
    return found.verdict, found.cause


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda x: x, None),
        (lambda x: 255 * x, "split-scaled-otherwise"),
        (lambda x: 1 - x, "split-inverted"),
        (lambda x: np.clip(x + np.random.default_rng(0).normal(0, 0.5, x.shape), 0, 1), "splits-differ"),
    ],
    ids=["alike", "scaled", "inverted", "noise"],
)
def test_pictures_of_val_are_told_apart_by_what_was_done_to_them(change, cause, pixels):
    x, y = pixels
    val = change(x[1300:]).astype(np.float32)
    verdict, found = told_apart((x[:1300], y[:1300]), (val, y[1300:]))
    assert (verdict in ("warn", "fail"), found or None) == (cause is not None, cause)


def sentences(n, seed, words=4000):
    """Texts of ten words with the frequencies of a language (Zipf), so that many words are met once or twice."""
    generator = np.random.default_rng(seed)
    share = 1 / np.arange(1, words + 1)
    drawn = generator.choice(words, size=(n, 12), p=share / share.sum())
    return [" ".join(f"w{k}" for k in row) for row in drawn], generator.integers(0, 2, n)


def test_a_fair_split_of_texts_is_not_told_by_the_words_that_train_was_read_with():
    texts, y = sentences(1500, 0)
    assert told_apart((texts[:1100], y[:1100]), (texts[1100:], y[1100:]))[0] == "pass"
    others = [text.replace("w1 ", "w2 ") for text in texts[1100:]]
    assert told_apart((texts[:1100], y[:1100]), (others, y[1100:]))[1] == "splits-differ"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda x: x, None),
        (lambda x: x.transpose(0, 1, 3, 2), "split-turned"),
        (lambda x: x[:, :, ::-1], "split-turned"),
        (lambda x: 1 - x, "split-inverted"),
    ],
    ids=["alike", "transposed", "upside down", "inverted"],
)
def test_a_split_that_is_turned_is_turned_back(change, cause, pixels):
    x, y = pixels
    data = made((x[:1300], y[:1300]), (np.ascontiguousarray(change(x[1300:])), y[1300:]))
    found = run_check("splits-laid-out-alike", split_layout=measure_split_layout(Scan(data), seed=0))
    assert (found.verdict, found.cause or None) == ("fail" if cause else "pass", cause)


def test_columns_that_changed_places_are_named():
    generator = np.random.default_rng(0)
    x = (generator.normal(size=(900, 4)) * [1, 5, 1, 0.2] + [0, 20, -7, 3]).astype(np.float32)
    y = generator.integers(0, 2, 900)

    def cause(val):
        data = made((x[:600], y[:600]), (val, y[600:]))
        return run_check("splits-laid-out-alike", split_layout=measure_split_layout(Scan(data), seed=0)).cause

    assert not cause(x[600:])
    assert cause(x[600:][:, [1, 0, 2, 3]]) == "columns-moved"


def test_val_with_wrong_labels_is_harder(pixels):
    x, y = pixels

    def cause(labels):
        found = measure_difficulty(Scan(made((x[:1300], y[:1300]), (x[1300:], labels))), seed=0)
        return run_check("val-difficulty", difficulty=found).cause

    assert not cause(y[1300:])
    mixed = y[1300:].copy()
    mixed[:150] = (mixed[:150] + 1) % 10
    assert cause(mixed) == "val-harder"


def frames(generator, scenes=60, each=20):
    """Scenes of nearly equal rows that follow each other; half of the scenes have each label."""
    y = np.repeat(generator.permutation(np.arange(scenes) % 2), each)
    x = np.repeat(generator.normal(size=(scenes, 6)), each, axis=0) + generator.normal(0, 0.3, (scenes * each, 6))
    return x.astype(np.float32), y


def test_frames_of_one_scene_leak_across_a_random_split_and_rows_in_no_order_do_not():
    generator = np.random.default_rng(0)
    x, y = frames(generator)

    def cause(x, y):
        found = measure_order_effects(Scan(made((x, y))), seed=0)
        return run_check("random-split-of-ordered-rows", order_effects=found).cause

    assert cause(x, y) == "random-split-of-ordered-rows"
    mixed = generator.permutation(len(x))
    assert not cause(x[mixed], y[mixed])


def test_splits_that_share_no_class_cannot_be_compared():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(120, 4)).astype(np.float32)
    train, val = (x, np.arange(120) % 2), (x + 1, 2 + np.arange(120) % 2)
    with pytest.raises(CannotMeasure, match="too few items of the classes"):
        measure_splits_apart(Scan(made(train, val)), seed=0)


def test_a_sorted_file_cut_by_position_is_seen():
    y = np.repeat(np.arange(20), 40)
    x = np.random.default_rng(0).normal(size=(800, 3)).astype(np.float32) + y[:, None]

    def cause(order):
        x_, y_ = x[order], y[order].astype(np.float32) + 0.5
        found = measure_position_split(made((x_[:640], y_[:640]), (x_[640:], y_[640:])))
        return run_check("split-by-position", position_split=found).cause

    assert cause(np.arange(800)) == "split-by-position"
    assert not cause(np.random.default_rng(1).permutation(800))
