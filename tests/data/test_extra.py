"""data.extra: further training data, merged after the division; val and test are what they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from recipe.config import compose
from recipe.data.data import Data
from recipe.ingredients import Ingredients
from recipe.record.refusal import Refusal


def pictures(folder: Path, seed: int, count: int = 20, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    generator = np.random.default_rng(seed)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for k in range(count):
            Image.fromarray(generator.integers(0, 255, (8, 8), dtype=np.uint8)).save(folder / name / f"{k}.png")
    return folder


def read(*words: str) -> Data:
    return Ingredients(compose(list(words))).data


@pytest.fixture
def folder(tmp_path: Path) -> list[str]:
    return ["data=image_folder", f"data.root={pictures(tmp_path / 'first', 0)}"]


def test_an_extra_folder_goes_into_train_and_nowhere_else(folder, tmp_path):
    alone, both = read(*folder), read(*folder, f"data.extra={pictures(tmp_path / 'more', 1, 10, ('dog', 'cat'))}")
    assert len(both.train) == len(alone.train) + 20
    assert torch.equal(both.val.inputs, alone.val.inputs)
    assert torch.equal(both.sealed.inputs, alone.sealed.inputs)
    assert torch.bincount(both.train.targets[-20:]).tolist() == [10, 10]
    assert any("20 extra items are in train" in note for note in both.notes)


def test_classes_are_matched_by_name_and_unknown_ones_refused(folder, tmp_path):
    more = pictures(tmp_path / "more", 1, 6, ("dog",))
    assert read(*folder, f"data.extra={more}").train.targets[-6:].tolist() == [1] * 6
    with pytest.raises(Refusal, match="class 'bird'"):
        read(*folder, f"data.extra={pictures(tmp_path / 'others', 2, 6, ('bird',))}")


def test_what_val_or_test_has_is_left_out(folder):
    both = read(*folder, f"data.extra={folder[1].partition('=')[2]}")
    held_out = len(both.val) + len(both.sealed)
    assert any(f"{held_out} were left out: val or test have them" in note for note in both.notes)
    assert len(both.train) == 2 * (40 - held_out)


@pytest.mark.parametrize(("share", "count"), [(0.25, 9), (0.5, 28), (0.8, 112)])
def test_the_share_is_a_value(folder, tmp_path, share, count):
    more = pictures(tmp_path / "more", 1, 10)
    both = read(*folder, f"data.extra={more}", f"data.extra_share={share}")
    alone = read(*folder)
    extra = len(both.train) - len(alone.train)
    assert extra == round(len(alone.train) * share / (1 - share))
    assert extra / len(both.train) == pytest.approx(share, abs=0.02)
    assert torch.equal(read(*folder, f"data.extra={more}", f"data.extra_share={share}").train.inputs, both.train.inputs)


def test_a_table_is_joined_by_the_names_of_its_columns(tmp_path):
    rows = [f"{k},{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(60)]
    (tmp_path / "a.csv").write_text("size,colour,answer\n" + "\n".join(rows) + "\n")
    (tmp_path / "b.csv").write_text("colour,answer,size\n" + "green,yes,1000\nred,no,1001\n" * 5)
    words = ["data=table", f"data.path={tmp_path / 'a.csv'}", "data.target=answer"]
    both = read(*words, f"data.extra={tmp_path / 'b.csv'}")
    assert len(both.train) == len(read(*words).train) + 10
    assert both.train.cells.row(len(both.train) - 2) == {"size": "1000", "colour": "green"}
    (tmp_path / "c.csv").write_text("colour,answer\nred,no\n")
    with pytest.raises(Refusal, match="no column 'size'"):
        read(*words, f"data.extra={tmp_path / 'c.csv'}")


def test_generated_examples_come_from_a_node(tmp_path, monkeypatch):
    (tmp_path / "simulated.py").write_text(
        "import torch\n\ndef make(seed):\n    g = torch.Generator().manual_seed(seed)\n"
        "    x = torch.randint(0, 17, (30, 1, 8, 8), generator=g, dtype=torch.uint8)\n"
        "    return {'train': (x, torch.arange(30) % 10)}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    both = read("data.extra={_target_: simulated.make}", "trust=[simulated]")
    assert len(both.train) == len(read().train) + 30
    with pytest.raises(Refusal, match="reads from no folder or file"):
        read("data.extra=somewhere")


def test_columns_are_left_out_of_what_the_net_sees_and_the_splits_stay(tmp_path):
    rows = [f"{k},{k % 7},{'yes' if k % 2 else 'no'}" for k in range(60)]
    (tmp_path / "a.csv").write_text("number,size,answer\n" + "\n".join(rows) + "\n")
    words = ["data=table", f"data.path={tmp_path / 'a.csv'}", "data.target=answer"]
    whole, less = read(*words), read(*words, "data.leave_out=[number]")
    assert (whole.features, less.features) == (("number", "size"), ("size",))
    assert torch.equal(whole.val.rows, less.val.rows)
    with pytest.raises(Refusal, match="no column 'numbr'"):
        read(*words, "data.leave_out=[numbr]")
    with pytest.raises(Refusal, match="no columns with names"):
        read("data.leave_out=[number]")


def test_smaller_pictures_are_averages():
    whole, half = read(), read("data.side=4")
    assert half.input_shape == (1, 4, 4)
    raw = whole.train.sample([0, 1])
    expected = torch.nn.functional.avg_pool2d(whole.preprocess(raw), 2)
    assert torch.allclose(half.preprocess(raw), expected, atol=1e-6)
    again = type(half.preprocess).from_json(half.preprocess.to_json())
    assert torch.equal(again(raw), half.preprocess(raw))
