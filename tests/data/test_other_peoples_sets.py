"""Sets of Hugging Face's datasets and of torchvision by name: what their columns hold decides what they are."""

from __future__ import annotations

import errno
import http.client
import tarfile
import urllib.error
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.data import Data
from recipe.data.torchvision_sets import NAMES, by_name
from recipe.data.uniform import Uniform
from recipe.ingredients import Ingredients
from recipe.record.refusal import NoRoom, Refusal


def huggingface(path: Path | str, *words: str) -> Data:
    return Ingredients(compose(["data=huggingface", f"data.path={path}", *words])).data


def saved(folder: Path, splits: dict[str, dict[str, Any]], classes: list[str] | None = None, **kinds: Any) -> Path:
    """A set as save_to_disk leaves it."""
    datasets = pytest.importorskip("datasets")
    made = {}
    for split, columns in splits.items():
        one = datasets.Dataset.from_dict(columns)
        for name, kind in kinds.items():
            one = one.cast_column(name, kind)
        made[split] = one.cast_column("label", datasets.ClassLabel(names=classes)) if classes else one
    datasets.DatasetDict(made).save_to_disk(folder)
    return folder


@pytest.fixture
def texts() -> dict[str, Any]:
    return {
        "text": [f"this is a {'good' if k % 2 else 'bad'} film, number {k}" for k in range(60)],
        "label": [k % 2 for k in range(60)],
    }


def test_texts_keep_their_splits_and_the_names_of_their_classes(tmp_path: Path, texts: dict[str, Any]) -> None:
    data = huggingface(saved(tmp_path / "set", {"train": texts, "validation": texts, "test": texts}, ["bad", "good"]))
    assert (data.kind, data.classes, len(data.train), len(data.val)) == ("text", ("bad", "good"), 60, 60)
    assert data.train.texts is not None
    assert data.train.texts[3].startswith("this is a good film")
    assert data.train.targets.tolist() == texts["label"]


def test_pictures_of_one_size_and_mode(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    pictures = [Image.fromarray(np.full((6 + k % 2, 8, 3), 3 * k, np.uint8)) for k in range(40)]
    columns = {"image": pictures, "label": [k % 2 for k in range(40)]}
    folder = saved(tmp_path / "set", {"train": columns}, image=datasets.Image())
    data = huggingface(folder, "data.size=[6,8]", "data.mode=L", "data.streaming=false")
    assert data.kind == "image"
    assert tuple(data.train.inputs.shape[1:]) == (1, 6, 8)
    rows = data.train.rows.tolist()
    assert [int(one.unique()) for one in data.train.inputs] == [3 * row for row in rows]


def test_rows_are_a_table(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    generator = np.random.default_rng(0)
    columns = {
        "age": generator.normal(size=80).tolist(),
        "town": [("Bern", "Rome")[k % 2] for k in range(80)],
        "label": [k % 2 for k in range(80)],
    }
    data = huggingface(saved(tmp_path / "set", {"train": columns}))
    assert data.kind == "table"
    assert data.features == ("age", "town=Bern", "town=Rome", "town other")
    chosen = huggingface(tmp_path / "set", "data.inputs=[age]")
    assert chosen.features == ("age",)


def test_a_parquet_file_is_read_as_well(tmp_path: Path, texts: dict[str, Any]) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_dict(texts).to_parquet(tmp_path / "t.parquet")
    assert huggingface(tmp_path / "t.parquet").kind == "text"


def test_mistakes_are_named_and_nothing_is_fetched(
    tmp_path: Path, texts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    pytest.importorskip("datasets")
    folder = saved(tmp_path / "set", {"train": texts})
    for words, match in (
        (["data.target=lable"], "no column 'lable'"),
        (["data.inputs=[txt]"], "no column 'txt'"),
    ):
        with pytest.raises(Refusal, match=match) as refused:
            huggingface(folder, *words)
        assert "text, label" in refused.value.fix

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(Refusal, match="cannot be read") as refused:
        huggingface("nobody/such-a-set")
    assert "data.download=true" in refused.value.fix
    saved(tmp_path / "odd", {"part": texts})
    with pytest.raises(Refusal, match="no train split"):
        huggingface(tmp_path / "odd")


def test_without_the_package_it_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "datasets" else there(name))
    with pytest.raises(Refusal, match="needs datasets, which is not installed"):
        huggingface(tmp_path)


def torchvision(*words: str) -> Data:
    return Ingredients(compose(["data=torchvision", *words])).data


def test_a_set_of_torchvision_by_name(tmp_path: Path) -> None:
    arguments = "data.arguments={size: 60, image_size: [3, 8, 9], num_classes: 3}"
    data = torchvision("data.dataset=FakeData", f"data.root={tmp_path}", arguments, "data.streaming=false")
    assert data.kind == "image"
    assert tuple(data.train.inputs.shape[1:]) == (3, 8, 9)
    assert data.train.inputs.dtype == torch.uint8
    assert data.name == "FakeData"


@pytest.mark.parametrize(
    ("dataset", "match", "fix"),
    [
        ("SVNH", "none of the sets", "SVHN"),
        ("MNIST", "a source of its own", "data=mnist"),
        ("SVHN", "cannot be read there", "data.download=true"),
        ("STL10", "cannot be read there", "data.download=true"),
    ],
)
def test_what_is_not_there_is_refused_and_not_fetched(tmp_path: Path, dataset: str, match: str, fix: str) -> None:
    with pytest.raises(Refusal, match=match) as refused:
        torchvision(f"data.dataset={dataset}", f"data.root={tmp_path}")
    assert fix in (refused.value.fix or "")


BROKEN = {
    "URLError": urllib.error.URLError("no route"),
    "IncompleteRead": http.client.IncompleteRead(b"abc", 9),
    "ReadError": tarfile.ReadError("not a gzip file"),
    "BadZipFile": zipfile.BadZipFile("File is not a zip file"),
    "EOFError": EOFError(),
    "ValueError": ValueError("The original URL is broken"),
    "AssertionError": AssertionError(),
}


def raising(error: Exception) -> Any:
    """A set that cannot be made."""

    def broken(root: str, download: bool = False, split: str = "train") -> None:
        raise error

    return broken


@pytest.mark.parametrize("name", BROKEN)
def test_a_network_that_fails_and_a_damaged_archive_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import torchvision.datasets as sets

    monkeypatch.setattr(sets, "StanfordCars", raising(BROKEN[name]))
    with pytest.raises(Refusal, match="StanfordCars cannot be read there") as refused:
        torchvision("data.dataset=StanfordCars", f"data.root={tmp_path}", "data.download=true")
    assert (str(BROKEN[name]) or name) in refused.value.what
    assert refused.value.fix.startswith("remove what is damaged there and try again")


def test_a_disk_that_is_full_is_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision.datasets as sets

    monkeypatch.setattr(sets, "SVHN", raising(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(NoRoom, match="no room for torchvision's SVHN"):
        torchvision("data.dataset=SVHN", f"data.root={tmp_path}", "data.download=true")


def test_a_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"\0\0\x77\x03 and so on")
    with pytest.raises(Refusal, match="KMNIST cannot be read there"):
        torchvision("data.dataset=KMNIST", f"data.root={tmp_path}")


def test_sets_that_hand_arguments_on_have_both_splits_and_can_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets as sets

    raw = tmp_path / "EMNIST" / "raw"

    def download(self: Any) -> None:
        raw.mkdir(parents=True, exist_ok=True)
        for part, count in (("train", 40), ("test", 20)):
            pictures, labels = np.full((count, 28, 28), count, np.uint8), np.arange(count, dtype=np.uint8) % 10
            head = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in pictures.shape)
            (raw / f"emnist-digits-{part}-images-idx3-ubyte").write_bytes(head + pictures.tobytes())
            head = bytes([0, 0, 8, 1]) + count.to_bytes(4, "big")
            (raw / f"emnist-digits-{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())

    monkeypatch.setattr(sets.EMNIST, "download", download)
    words = ["data.dataset=EMNIST", f"data.root={tmp_path}"]
    with pytest.raises(Refusal, match="'split'") as refused:
        torchvision(*words)
    assert refused.value.where == "data.arguments"
    with pytest.raises(Refusal, match="Unknown value 'figures'"):
        torchvision(*words, "data.arguments={split: figures}")
    with pytest.raises(Refusal, match="cannot be read there"):
        torchvision(*words, "data.arguments={split: digits}")
    made = by_name("EMNIST", str(tmp_path), download=True, arguments={"split": "digits"})
    assert {name: len(made[name]) for name in ("train", "test")} == {"train": 40, "test": 20}
    assert made["classes"] == list("0123456789")


def test_all_names_are_torchvisions() -> None:
    import torchvision.datasets as sets

    assert all(hasattr(sets, name) for name in NAMES)


def test_pictures_of_other_sizes_and_modes_become_alike() -> None:
    from PIL import Image

    mixed = [(Image.new("P", (5, 4)), 0), (Image.new("CMYK", (9, 9)), 1), (Image.new("L", (4, 4), 7), 2)]
    alike = Uniform(mixed, (4, 4), "RGB")
    assert [tuple(alike[k][0].shape) for k in range(3)] == [(3, 4, 4)] * 3
    assert alike[2][0].unique().tolist() == [7]
