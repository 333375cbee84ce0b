"""The whole story on small data with planted faults, on healthy data, and on real sets where they are at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.table import table
from recipe.data.torchvision_files import fashion_mnist
from recipe.ingredients import Ingredients
from recipe.judge import judge
from recipe.record.data import Ceiling
from recipe.record.features import Sheet
from recipe.record.report import Report
from recipe.record.run_directory import RunDirectory
from recipe.render.stories.inspect_data import story
from recipe.stages.inspect_data import tell
from recipe.stages.stage import Stage


class Told:
    """What the stage left behind."""

    def __init__(self, stage):
        self.stage = stage
        self.findings = {finding.id: finding for finding in judge("inspect-data", stage.shelf)}

    @property
    def loud(self):
        return {name: one.cause for name, one in self.findings.items() if one.verdict in ("warn", "fail")}


def inspect(mapping, folder, *overrides):
    composed = compose([f"run.dir={folder}", *overrides])
    data = assemble(mapping, composed.plain["data"], 0, composed.plain["task"])
    stage = Stage("inspect-data", Ingredients(composed, data=data), folder / "work", RunDirectory(folder))
    tell(stage)
    assert story(stage.shelf, None, [])
    return Told(stage)


@pytest.fixture(scope="module")
def pixels():
    """Digits as float32 in [0, 1], (1797, 1, 8, 8), and labels, in a fixed random order."""
    x, y = digits()["train"]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return (x[order].float() / 16).numpy(), y[order].numpy()


def halves(pixels, n=1300):
    x, y = pixels
    return [x[:n].copy(), y[:n].copy()], [x[n:].copy(), y[n:].copy()]


def test_digits_are_told_without_a_word_of_warning(tmp_path):
    told = inspect(digits(), tmp_path)
    assert told.loud == {}
    assert [d.key for d in told.stage.decisions] == ["data.preprocess"]
    assert told.stage.decisions[0].value == "per_channel"
    assert told.stage.next_step.command == "recipe baseline"
    sheet = told.stage.shelf.get("samples", Sheet)
    assert sheet.row_labels == tuple("0123456789")
    assert told.stage.shelf.side(sheet.side).read_bytes().startswith(b"\x89PNG")
    assert told.stage.shelf.get("ceiling", Ceiling).accuracy == 1


def test_the_same_data_give_the_same_evidence(tmp_path):
    one, two = (inspect(digits(), tmp_path / name).stage.shelf for name in "ab")
    assert one.names() == two.names()
    for name in one.names():
        assert one.entry(name).data == two.entry(name).data
    sides = [file for file in one.folder.iterdir() if file.suffix != ".json"]
    assert sides
    for side in sides:
        assert side.read_bytes() == two.side(side.name).read_bytes(), side.name


def d08(train, val, generator):
    take = generator.permutation(len(val[0]))[: int(0.3 * len(val[0]))]
    return [np.concatenate([a, b[take]]) for a, b in zip(train, val, strict=True)], val


def d16(train, val, generator):
    keep = train[1] != 7
    return [train[0][keep], train[1][keep]], val


def d15(train, val, generator):
    rare = np.flatnonzero(train[1] == 3)
    keep = np.setdiff1d(np.arange(len(train[1])), rare[2:])
    return [train[0][keep], train[1][keep]], val


def d18(train, val, generator):
    return train, [val[0][:20], val[1][:20]]


def d19(train, val, generator):
    take = generator.permutation(len(train[0]))[: len(train[0]) // 10]
    return [np.concatenate([train[0], train[0][take]]), np.concatenate([train[1], (train[1][take] + 1) % 10])], val


def d20(train, val, generator):
    train[0][generator.permutation(len(train[0]))[: len(train[0]) // 10]] = 0
    return train, val


def d22(train, val, generator):
    train[0][:] = train[0][3]
    return train, val


def d23(train, val, generator):
    train[0][17, 0, 2, 5] = np.nan
    return train, val


def d25(train, val, generator):
    return train, [1 - val[0], val[1]]


def d25_brighter(train, val, generator):
    return train, [np.clip(val[0] + 0.3, 0, 1), val[1]]


def d26(train, val, generator):
    x, y = (np.concatenate([a, b]) for a, b in zip(train, val, strict=True))
    order = np.argsort(y, kind="stable")
    cut = int(0.8 * len(y))
    return [x[order[:cut]], y[order[:cut]]], [x[order[cut:]], y[order[cut:]]]


def p01(train, val, generator):
    return [train[0] * 255, train[1]], [val[0] * 255, val[1]]


def p02(train, val, generator):
    return [train[0] / 255, train[1]], [val[0] / 255, val[1]]


def p03(train, val, generator):
    return [(train[0] - train[0].mean()) / train[0].std(), train[1]], val


def p05(train, val, generator):
    return [train[0].astype(np.int64), train[1]], [val[0].astype(np.int64), val[1]]


@pytest.mark.parametrize(
    ("fault", "check", "cause"),
    [
        (d08, "cross-split-duplicates", "cross-split-duplicates"),
        (d15, "class-balance", "class-imbalance"),
        (d16, "class-coverage", "class-absent-from-train"),
        (d18, "val-size", "val-too-small"),
        (d19, "conflicting-labels", "conflicting-labels"),
        (d20, "blank-items", "blank-items"),
        (d22, "items-differ", "index-ignored"),
        (d23, "inputs-finite", "non-finite-inputs"),
        (d25, "split-drift", "distribution-drift"),
        (d25_brighter, "split-drift", "distribution-drift"),
        (d26, "class-coverage", "class-absent-from-train"),
        (p01, "input-scale", "inputs-unscaled"),
        (p02, "input-scale", "scaled-twice"),
        (p03, "split-drift", "distribution-drift"),
        (p05, "input-scale", "cast-to-whole-numbers"),
    ],
)
def test_a_planted_fault_is_caught_with_its_cause(fault, check, cause, pixels, tmp_path):
    train, val = fault(*halves(pixels), np.random.default_rng(0))
    loud = inspect({"train": tuple(train), "val": tuple(val)}, tmp_path, "data.test_fraction=0").loud
    assert loud.get(check) == cause


def test_the_healthy_twin_of_the_planted_faults_is_silent(pixels, tmp_path):
    train, val = halves(pixels)
    assert inspect({"train": tuple(train), "val": tuple(val)}, tmp_path, "data.test_fraction=0").loud == {}


def test_the_row_with_a_nan_is_named(pixels, tmp_path):
    train, val = d23(*halves(pixels), None)
    told = inspect({"train": tuple(train), "val": tuple(val)}, tmp_path, "data.test_fraction=0")
    assert "train[17] (nan at (0, 2, 5))" in told.findings["inputs-finite"].message


def test_a_group_in_both_splits_is_caught(pixels, tmp_path):
    train, val = halves(pixels)
    groups = {"train": np.arange(len(train[0])) // 5, "val": 250 + np.arange(len(val[0])) // 5}
    told = inspect({"train": tuple(train), "val": tuple(val), "groups": groups}, tmp_path, "data.test_fraction=0")
    assert told.loud == {"groups-apart": "groups-straddle"}


def test_a_reshaped_picture_is_told_from_a_transposed_one(pixels, tmp_path):
    x, y = pixels
    tint = np.random.default_rng(0).uniform(0.6, 1, (len(x), 1, 1, 3)).astype(np.float32)
    colour = x.transpose(0, 2, 3, 1) * tint
    right = np.ascontiguousarray(colour.transpose(0, 3, 1, 2))
    assert inspect({"train": (right, y)}, tmp_path / "right").loud == {}
    assert inspect({"train": (colour.reshape(-1, 3, 8, 8), y)}, tmp_path / "wrong").loud == {
        "picture-layout": "reshaped-not-transposed"
    }


def test_pictures_resized_to_nothing_are_caught(pixels, tmp_path):
    x, y = pixels
    small = x.reshape(-1, 1, 2, 4, 2, 4).mean(axis=(3, 5))
    assert inspect({"train": (small, y)}, tmp_path).loud == {"picture-size": "pictures-too-small"}


def columns_of(pixels):
    """Ten columns of a plain task, with a target that several of them tell a part of."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(900, 10)).astype(np.float32)
    y = (x[:, :3].sum(axis=1) + generator.normal(size=900) > 0).astype(np.int64)
    return x, y


def test_a_leaking_column_is_caught_and_named(pixels, tmp_path):
    x, y = columns_of(pixels)
    assert inspect({"train": (x, y)}, tmp_path / "healthy").loud == {}
    leak = y[:, None] + np.random.default_rng(1).normal(0, 0.05, (len(y), 1))
    told = inspect({"train": (np.concatenate([x, leak], axis=1).astype(np.float32), y)}, tmp_path)
    assert told.loud == {"telling-columns": "target-leak"}
    assert told.findings["telling-columns"].where == "column 10"


def test_a_row_number_in_a_sorted_file_is_caught(pixels, tmp_path):
    x, y = columns_of(pixels)
    order = np.argsort(y, kind="stable")
    rows = np.arange(len(y), dtype=np.float32)[:, None]
    told = inspect({"train": (np.concatenate([x[order], rows / 900], axis=1), y[order])}, tmp_path)
    assert told.loud["id-columns"] == "row-number-predicts"


def test_sorted_rows_are_fine_when_shuffled_and_not_otherwise(pixels, tmp_path):
    x, y = pixels
    order = np.argsort(y, kind="stable")
    assert inspect({"train": (x[order], y[order])}, tmp_path / "a").loud == {}
    assert inspect({"train": (x[order], y[order])}, tmp_path / "b", "train.shuffle=false").loud == {
        "label-order": "sorted-and-not-shuffled"
    }


class Noisy(Dataset):
    def __init__(self, x, y, level):
        self.x, self.y, self.level = torch.as_tensor(x), torch.as_tensor(y), level

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index] + self.level * torch.randn_like(self.x[index]), self.y[index]


def test_augmentation_is_fine_on_train_unless_strong_and_never_on_val(pixels, tmp_path):
    (x, y), (vx, vy) = halves(pixels, 600)
    vx, vy = vx[:300], vy[:300]
    mild = {"train": Noisy(x, y, 0.02), "val": (vx, vy)}
    assert inspect(mild, tmp_path / "a", "data.test_fraction=0").loud == {}
    strong = {"train": Noisy(x, y, 2.0), "val": (vx, vy)}
    assert inspect(strong, tmp_path / "b", "data.test_fraction=0").loud["split-drift"] == "strong-augmentation"
    val = {"train": (x, y), "val": Noisy(vx, vy, 0.1)}
    assert inspect(val, tmp_path / "c", "data.test_fraction=0").loud["eval-repeats"] == "augmented-evaluation"


@pytest.mark.parametrize(
    "change",
    [
        "standard scores",
        "one to ten",
        "one to nine",
        "several labels",
        "numbers",
        "oversampled",
        "two easy",
        "grey 8 bit",
    ],
)
def test_healthy_data_are_not_warned_about(change, pixels, tmp_path):
    x, y = (a.copy() for a in pixels)
    generator = np.random.default_rng(0)
    overrides = ()
    if change == "standard scores":
        x = (x - x.mean()) / x.std()
    elif change == "one to ten":
        keep = np.sort(np.concatenate([np.flatnonzero(y != 3), np.flatnonzero(y == 3)[:17]]))
        x, y = x[keep], y[keep]
    elif change == "one to nine":
        y = (y == 3).astype(np.float32)
        overrides = ("task=binary",)
    elif change == "several labels":
        y = np.stack([y % 2, y > 4, y == 7], axis=1).astype(np.float32)
        overrides = ("task=multilabel",)
    elif change == "numbers":
        y = (150 + 10 * x.mean(axis=(1, 2, 3)) + generator.normal(0, 1, len(x))).astype(np.float32)
    elif change == "oversampled":
        rare = np.flatnonzero(y == 3)[:20]
        keep = np.concatenate([np.flatnonzero(y != 3)[:1300], np.repeat(rare, 6)])
        val = np.flatnonzero(y != 3)[1300:]
        val = np.concatenate([val, np.flatnonzero(y == 3)[20:50]])
        told = inspect({"train": (x[keep], y[keep]), "val": (x[val], y[val])}, tmp_path, "data.test_fraction=0")
        assert told.loud == {}
        return
    elif change == "two easy":
        keep = y < 2
        x, y = x[keep].reshape(-1, 64), y[keep]
        overrides = ("data.val_fraction=0.3",)
    else:
        x = (x * 255).astype(np.uint8)
    assert inspect({"train": (x, y)}, tmp_path, *overrides).loud == {}


TABLES = "tabular"


@pytest.mark.parametrize(
    ("name", "target", "loud"),
    [
        ("titanic/train.csv", "Survived", {"id-columns": "id-column"}),
        (
            "california_housing/housing.csv",
            "median_house_value",
            {"target-spikes": "target-capped", "values-are-measurements": "column-capped"},
        ),
        ("wine_quality/winequality-red.csv", -1, {"class-balance": "class-imbalance"}),
    ],
)
def test_real_tables_have_their_known_facts(name, target, loud, shared_data, tmp_path):
    told = inspect(table(str(shared_data(TABLES) / name), target), tmp_path)
    assert told.loud == loud


def test_adults_spellings_are_one_finding(shared_data, tmp_path):
    top = shared_data(TABLES) / "adult"
    told = inspect(table(str(top / "adult-train.csv"), -1, test_path=str(top / "adult-test.csv")), tmp_path)
    assert told.loud == {
        "class-names-agree": "class-names-differ",
        "values-are-measurements": "stand-in-values",
    }
    assert "'column 10' is 99999 in 244 rows" in told.findings["values-are-measurements"].message


def test_fashion_mnist_is_told_without_a_word_of_warning(shared_data, tmp_path):
    told = inspect(fashion_mnist(str(shared_data("fashion-mnist"))), tmp_path, "data.val_fraction=0.1")
    assert told.loud == {}
    assert "no item is in two splits" in told.findings["cross-split-duplicates"].message


def test_a_report_can_be_told_from_nothing(tmp_path):
    from recipe.record.evidence import Shelf

    blocks = story(Shelf(tmp_path), Report, [])
    assert blocks
    assert all(block.title for block in blocks)
