"""Alignment and label noise on digits with planted faults, and on Fashion-MNIST where it is at hand."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.scan import Scan
from recipe.data.scores import read_scores
from recipe.data.torchvision_files import fashion_mnist
from recipe.out_of_sample.predictions import Predictions
from recipe.probes.inspect_alignment import measure_alignment
from recipe.probes.inspect_label_noise import measure_label_noise
from recipe.probes.inspect_target_noise import measure_target_noise
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.testing import run_check

OVERRIDES = ("data.test_fraction=0",)


@pytest.fixture(scope="module")
def pixels():
    x, y = digits()["train"]
    order = np.random.default_rng(0).permutation(len(y))
    return x.numpy()[order], y.numpy()[order]


def predictions(mapping, *overrides, task="auto"):
    return Predictions(Scan(assemble(mapping, compose(list(overrides or OVERRIDES)).plain["data"], 0, task)), seed=0)


def noise_of(said, folder):
    return measure_label_noise(said, measure_alignment(said), Shelf(folder))


def splits(pixels):
    x, y = pixels
    return [x[:1100], y[:1100].copy()], [x[1100:1450], y[1100:1450].copy()], [x[1450:], y[1450:].copy()]


def flipped(y, rate, seed=0):
    """(labels of which a share was changed to another class, which)."""
    generator = np.random.default_rng(seed)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[generator.permutation(len(y))[: round(rate * len(y))]] = True
    return np.where(wrong, (y + generator.integers(1, 10, len(y))) % 10, y), wrong


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2, 0.4])
def test_planted_noise_is_measured_and_its_items_are_found(rate, pixels, tmp_path):
    x, y = pixels
    labels, wrong = flipped(y, rate)
    said = predictions({"train": (x, labels)})
    found = noise_of(said, tmp_path)
    train = found.of("train")
    own = wrong[said.scan.splits["train"].split.rows.numpy()]
    assert train.rate.mean == pytest.approx(own.mean(), abs=0.03)
    assert train.rate.low <= own.mean() <= train.rate.high
    told = read_scores(Shelf(tmp_path), found.scores[0])["train"] >= found.listed_from
    assert (told & own).sum() >= 0.8 * own.sum()
    assert (told & own).sum() >= 0.6 * told.sum()
    assert train.expected / train.candidates == pytest.approx((told & own).sum() / told.sum(), abs=0.1)
    verdict = run_check("label-noise", label_noise=found)
    assert (verdict.verdict, verdict.cause) == ("fail" if rate > 0.15 else "warn", "label-noise")
    assert found.suspects[0].note.startswith("given ")


def test_digits_as_they_are_are_silent(pixels, tmp_path):
    said = predictions({"train": pixels})
    found = noise_of(said, tmp_path)
    assert found.of("train").rate.high < 0.02
    for check in ("label-noise", "label-noise-structure"):
        assert run_check(check, label_noise=found).verdict == "pass"


def test_noise_in_one_split_only_is_told_by_split(pixels, tmp_path):
    train, val, _ = splits(pixels)
    found = noise_of(predictions({"train": (train[0], flipped(train[1], 0.2)[0]), "val": tuple(val)}), tmp_path)
    assert found.of("val").rate.mean < 0.02
    assert found.differ > 20
    assert "the splits differ beyond chance" in run_check("label-noise-structure", label_noise=found).message


def test_a_run_of_bad_rows_is_named(pixels, tmp_path):
    train, val, _ = splits(pixels)
    train[1][300:360] = np.random.default_rng(1).permutation(train[1][300:360])
    found = noise_of(predictions({"train": tuple(train), "val": tuple(val)}), tmp_path)
    (run,) = found.runs
    assert abs(run.first - 300) < 5
    assert abs(run.last - 359) < 5
    assert run_check("label-noise-structure", label_noise=found).cause == "labels-wrong-in-a-run"


def test_a_pair_of_classes_is_named(pixels, tmp_path):
    train, val, _ = splits(pixels)
    train[1][np.flatnonzero(train[1] == 1)[::3]] = 7
    found = noise_of(predictions({"train": tuple(train), "val": tuple(val)}), tmp_path)
    assert [(p.looks_like, p.given) for p in found.pairs] == [("1", "7")]
    assert found.pairs[0].share == pytest.approx(0.33, abs=0.1)
    assert run_check("label-noise-structure", label_noise=found).cause == "labels-confused-in-pairs"
    assert found.of("val").total.mean < 0.02


def swapped(y):
    return np.where(y == 3, 8, np.where(y == 8, 3, y))


def without_class(part, gone):
    x, y = part
    keep = y != gone
    return x[keep], y[keep] - (y[keep] > gone)


def shuffled(part):
    return part[0][np.random.default_rng(3).permutation(len(part[0]))], part[1]


@pytest.mark.parametrize(
    ("fault", "check", "cause", "where"),
    [
        ("train shuffled", "labels-follow-inputs", "labels-unrelated-to-inputs", "train"),
        ("val shuffled", "labels-follow-inputs", "labels-unrelated-to-inputs", "val"),
        ("test shuffled", "labels-follow-inputs", "labels-unrelated-to-inputs", "test"),
        ("train swapped", "class-maps-agree", "classes-swapped", "train"),
        ("val swapped", "class-maps-agree", "classes-swapped", "val"),
        ("test swapped", "class-maps-agree", "classes-swapped", "test"),
        ("val without a class", "class-maps-agree", "class-maps-differ", "val"),
    ],
)
def test_misaligned_labels_are_named_with_their_split(fault, check, cause, where, pixels):
    parts = dict(zip(("train", "val", "test"), splits(pixels), strict=True))
    place = fault.split()[0]
    if "shuffled" in fault:
        parts[place] = shuffled(parts[place])
    elif "swapped" in fault:
        parts[place] = (parts[place][0], swapped(parts[place][1]))
    else:
        parts[place] = without_class(parts[place], 4)
    said = predictions({key: tuple(part) for key, part in parts.items()})
    found = measure_alignment(said)
    verdicts = {name: run_check(name, alignment=found) for name in ("labels-follow-inputs", "class-maps-agree")}
    assert {name for name, one in verdicts.items() if one.verdict == "fail"} == {check}
    assert (verdicts[check].cause, verdicts[check].where) == (cause, where)
    if cause == "classes-swapped":
        assert "'3' and '8'" in verdicts[check].message
    if cause == "class-maps-differ":
        assert "'4' is '5', '5' is '6', '6' is '7', '7' is '8', '8' is '9'" in verdicts[check].message


def test_with_two_splits_it_cannot_be_told_which_is_swapped(pixels):
    train, val, _ = splits(pixels)
    found = measure_alignment(predictions({"train": (train[0], swapped(train[1])), "val": tuple(val)}))
    verdict = run_check("class-maps-agree", alignment=found)
    assert (verdict.cause, verdict.where) == ("classes-swapped", "train or val")


def test_inverted_pictures_are_not_misaligned_labels(pixels):
    train, val, _ = splits(pixels)
    found = measure_alignment(predictions({"train": tuple(train), "val": (16 - val[0], val[1])}))
    assert run_check("class-maps-agree", alignment=found).verdict == "pass"
    assert run_check("labels-follow-inputs", alignment=found).verdict == "pass"


def test_labels_without_any_relation_are_told_and_hard_data_are_not(pixels, tmp_path):
    generator = np.random.default_rng(0)
    x, y = pixels
    said = predictions({"train": (x[generator.permutation(len(x))], y)})
    assert run_check("labels-follow-inputs", alignment=measure_alignment(said)).cause == "labels-unrelated-to-inputs"
    with pytest.raises(CannotMeasure, match="do not follow"):
        noise_of(said, tmp_path)
    rows = generator.normal(size=(300, 6)).astype(np.float32)
    weak = (0.1 * rows[:, 0] + generator.normal(size=300)).astype(np.float32)
    found = measure_alignment(predictions({"train": (rows, weak)}))
    assert run_check("labels-follow-inputs", alignment=found).verdict == "skipped"


def test_foreign_targets_of_a_regression_are_found(tmp_path):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1500, 5)).astype(np.float32)
    y = (3 * x[:, 0] + x[:, 1] + 0.2 * generator.normal(size=1500)).astype(np.float32)
    healthy = measure_target_noise(predictions({"train": (x, y)}), Shelf(tmp_path / "a"))
    assert run_check("target-noise", target_noise=healthy).verdict == "pass"
    wrong = generator.permutation(1500)[:225]
    y[wrong] = y[generator.permutation(wrong)]
    said = predictions({"train": (x, y)})
    found = measure_target_noise(said, Shelf(tmp_path / "b"))
    assert run_check("target-noise", target_noise=found).cause == "target-noise"
    rows = said.scan.splits["train"].split.rows.numpy()
    assert np.mean([rows[item.position] in wrong for item in found.suspects]) > 0.8


def test_the_same_seed_says_the_same(pixels, tmp_path):
    x, y = pixels
    one, two = (noise_of(predictions({"train": (x[:600], y[:600])}), tmp_path / name) for name in "ab")
    assert one == two


def test_several_targets_an_item_are_left_with_the_reason(pixels, tmp_path):
    x, y = pixels
    several = np.stack([y % 2, y > 4], axis=1).astype(np.float32)
    with pytest.raises(CannotMeasure, match="several targets"):
        measure_alignment(predictions({"train": (x, several)}, task="multilabel"))


def test_fashion_mnist_is_ambiguous_but_not_noisy_until_it_is(shared_data, tmp_path):
    mapping = fashion_mnist(str(shared_data("fashion-mnist")))
    x, y = (np.asarray(part)[:8000] for part in mapping["train"])
    y = y.astype(np.int64)
    clean = noise_of(predictions({"train": (x, y), "classes": mapping["classes"]}), tmp_path / "clean")
    assert run_check("label-noise", label_noise=clean).verdict == "pass"
    assert run_check("label-noise-structure", label_noise=clean).verdict == "pass"
    labels, wrong = flipped(y, 0.1)
    said = predictions({"train": (x, labels), "classes": mapping["classes"]})
    found = noise_of(said, tmp_path / "noisy")
    assert found.of("train").rate.mean == pytest.approx(0.1, abs=0.03)
    own = wrong[said.scan.splits["train"].split.rows.numpy()]
    told = read_scores(Shelf(tmp_path / "noisy"), found.scores[0])["train"] >= found.listed_from
    assert (told & own).sum() >= 0.8 * own.sum()
    assert (told & own).sum() >= 0.5 * told.sum()
