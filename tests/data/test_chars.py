from __future__ import annotations

import pytest
import torch

from recipe.data.assemble import assemble
from recipe.data.chars import chars
from recipe.data.next_token import IGNORED, fit_next_token
from recipe.data.texts import Texts
from recipe.record.refusal import Refusal

TEXT = "to be, or not to be: that is the question.\n" * 40


@pytest.fixture
def lm(settings):
    return {**settings, "val_fraction": 0.1, "test_fraction": 0.0}


def load(path, settings, **given):
    return assemble(chars(str(path), **given), settings, 0, "auto")


def test_targets_are_the_next_characters_and_val_is_the_end(tmp_path, lm):
    (tmp_path / "t.txt").write_text(TEXT)
    data = load(tmp_path / "t.txt", lm, block_size=16)
    train, val = data.train, data.val
    assert torch.equal(train.inputs[:, 1:], train.targets[:, :-1])
    assert data.encoder.decode(train.inputs[0]) == TEXT[:16]
    assert int(val.rows.min()) > int(train.rows.max())
    assert data.test_size == 0
    assert data.vocabulary == len(data.classes) + 1 == len(set(TEXT)) + 1
    assert data.kind == "text"


def test_lines_begin_and_end(tmp_path, lm):
    names = sorted({f"{a}{b}{c}" for a in "abc" for b in "xyz" for c in ("", "n", "mo")})
    (tmp_path / "names.txt").write_text("\n".join(names))
    data = load(tmp_path / "names.txt", lm)
    row = next(k for k in range(len(data.train)) if data.train.texts[k] == "ax")
    first, following = data.train.inputs[row].tolist(), data.train.targets[row].tolist()
    assert (first[0], following[2]) == (0, 0)
    assert following[:2] == first[1:3]
    assert set(following[3:]) == {IGNORED}


def test_characters_that_train_has_not_are_no_targets():
    encoder = fit_next_token(Texts(["abab"], whole=False))
    inputs, targets = encoder.pairs(Texts(["azba"], whole=False))
    assert inputs[0].tolist() == [0, encoder.size - 1, 1]
    assert targets[0].tolist() == [IGNORED, 1, 0]


@pytest.mark.parametrize(("content", "says"), [("", "is empty"), ("short", "fewer characters")])
def test_what_is_too_short_is_refused(content, says, tmp_path, lm):
    (tmp_path / "t.txt").write_text(content)
    with pytest.raises(Refusal, match=says):
        load(tmp_path / "t.txt", lm)


def test_inputs_without_targets_are_for_an_autoencoder(settings):
    data = assemble({"train": (torch.randn(60, 5), None)}, settings, 0, "auto")
    assert data.unlabelled
    assert not data.labelled


def test_words_are_told_apart_as_far_as_they_come_again(tmp_path, lm):
    (tmp_path / "t.txt").write_text("The cat sat. The dog sat. " * 30 + "A hapax! " + "The cat ran. " * 30)
    data = load(tmp_path / "t.txt", lm, block_size=8, unit="words")
    assert (data.encoder.unit, data.encoder.length) == ("words", 8)
    assert {"the", "cat", "dog", "sat", "ran", "."} == set(data.classes)
    assert torch.equal(data.train.inputs[:, 1:][data.train.targets[:, :-1] >= 0], _asked(data.train.targets[:, :-1]))
    assert data.encoder.decode(data.train.inputs[0]) == "the cat sat . the dog sat ."
    rare = [k for k in range(len(data.train)) if "hapax" in data.train.texts[k]]
    assert rare
    assert IGNORED in data.train.targets[rare[0]].tolist()


def _asked(targets):
    return targets[targets >= 0]


def test_another_unit_is_refused_by_name(tmp_path, lm):
    (tmp_path / "t.txt").write_text(TEXT)
    with pytest.raises(Refusal, match="no unit 'syllables'"):
        load(tmp_path / "t.txt", lm, unit="syllables")
