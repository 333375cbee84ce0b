"""Sequences of different lengths: filled up, with a sign of which steps are there that sequence nets read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.ragged import filled_up, is_ragged
from recipe.ingredients import Ingredients
from recipe.models.recurrent import Recurrent
from recipe.models.transformer import Transformer
from recipe.record.refusal import Refusal


def series(count: int = 40, width: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.normal(size=(3 + k % 5, width)).astype(np.float32) for k in range(count)]


def test_numbers_get_a_column_that_says_which_steps_are_there() -> None:
    sequences = series()
    mapping, masked = filled_up({"train": (sequences, np.zeros(40))}, "mine.data")
    x = mapping["train"][0]
    assert masked
    assert x.shape == (40, 7, 4)
    assert mapping["kind"] == "series"
    for row, one in zip(x, sequences, strict=True):
        assert torch.equal(row[: len(one), :3], torch.from_numpy(one))
        assert row[:, 3].tolist() == [1.0] * len(one) + [0.0] * (7 - len(one))
        assert not row[len(one) :].any()
    assert "3 to 7 steps" in mapping["notes"][0]


def test_sequences_of_single_numbers_have_one_column_and_the_sign() -> None:
    mapping, masked = filled_up({"train": ([np.ones(2), np.ones(4)], [0, 1])}, "mine.data")
    assert masked
    assert mapping["train"][0].tolist() == [[[1, 1], [1, 1], [0, 0], [0, 0]], [[1, 1]] * 4]


def test_tokens_are_filled_up_with_the_padding_token() -> None:
    mapping, masked = filled_up({"train": ([[5, 2], [3, 1, 4]], [0, 1])}, "mine.data")
    assert not masked
    assert mapping["train"][0].tolist() == [[5, 2, 0], [3, 1, 4]]
    with pytest.raises(Refusal, match="the token 0"):
        filled_up({"train": ([[5, 0], [3, 1, 4]], [0, 1])}, "mine.data")


def test_all_splits_are_as_long_as_the_longest_of_any() -> None:
    mapping, _ = filled_up({"train": (series(20), np.zeros(20)), "val": ([np.ones((11, 3))], [0])}, "mine.data")
    assert [mapping[name][0].shape[1] for name in ("train", "val")] == [11, 11]


def test_sequences_of_one_length_stay_as_they_are() -> None:
    mapping = {"train": ([[1, 2], [3, 4]], [0, 1])}
    assert filled_up(mapping, "mine.data") == (mapping, False)
    assert not is_ragged(np.zeros((4, 3)))
    assert not is_ragged([])
    assert not is_ragged(["ab", "c"])


def test_the_sequence_of_another_kind_is_named() -> None:
    odd = [*series(4), np.ones((3, 2))]
    with pytest.raises(Refusal, match="sequence 4 of train is float64 of shape"):
        filled_up({"train": (odd, np.zeros(5))}, "mine.data")
    with pytest.raises(Refusal, match="sequence 1 of train"):
        filled_up({"train": ([np.ones(3), np.array(["a", "b"])], [0, 1])}, "mine.data")


@pytest.mark.parametrize("model", [Recurrent, Transformer])
def test_what_fills_up_tells_a_net_nothing(model: type[torch.nn.Module]) -> None:
    torch.manual_seed(0)
    mapping, _ = filled_up({"train": (series(), np.zeros(40))}, "mine.data")
    net = model((7, 4), 2, masked=True).eval()
    x = mapping["train"][0]
    loud = x.clone()
    loud[..., :3] += 100 * (x[..., 3:] == 0)
    assert torch.allclose(net(x), net(loud), atol=1e-5)
    assert not torch.allclose(model((7, 4), 2, masked=False).eval()(x), net(loud), atol=1e-5)
    deaf = model((7, 4), 2, masked=False).eval()
    assert not torch.allclose(deaf(x), deaf(loud), atol=1e-5)


@pytest.mark.parametrize("model", ["gru", "transformer"])
def test_a_net_learns_from_them(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "walks.py").write_text(
        "import numpy as np\n"
        "def data():\n"
        "    g = np.random.default_rng(0)\n"
        "    x = [g.normal(size=(int(g.integers(4, 12)), 2)).astype('float32') for _ in range(600)]\n"
        "    return {'train': (x, np.array([int(one[:, 0].sum() > 0) for one in x]))}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["data._target_=walks.data", "trust=[walks]", f"model={model}", "model.width=32", "train.epochs=12"]
    ingredients = Ingredients(compose([*words, "optimizer.lr=0.003"]))
    assert ingredients.data.masked
    assert ingredients.train(0).metrics["val"]["accuracy"] > 0.85
