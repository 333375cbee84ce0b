from __future__ import annotations

import numpy as np
import torch

from recipe.data.text_encoders import PADDING, UNKNOWN, BagEncoder, TokenEncoder, fit_bag, fit_tokens
from recipe.data.text_looks import TextLooks, blank_texts
from recipe.data.texts import Texts, split_text
from recipe.record.plain import from_json, to_json

TRAIN = Texts(["the cat sat", "the dog sat", "The cat's dog ran!", "it ran, it sat"])


def test_words_keep_their_apostrophes_and_marks_stand_alone():
    assert split_text("It's so-so, isn't it?", "words") == ["it's", "so", "-", "so", ",", "isn't", "it", "?"]


def test_tokens_are_padded_cut_and_unknown():
    encoder = fit_tokens(TRAIN, unit="words", most=100, length=4)
    known = encoder(Texts(["the zebra sat", "the dog the dog the dog"]))
    assert known.dtype == torch.int64
    assert known[0, 1:].tolist()[0] == UNKNOWN
    assert known[0, 3] == PADDING
    assert known.shape == (2, 4)
    assert encoder.decode(known[0]) == "the ⍰ sat"
    assert int(known.max()) < encoder.size


def test_a_bag_is_scaled_and_forgets_the_order():
    encoder = fit_bag(TRAIN, most=100, pairs=False)
    one, other, none = encoder(Texts(["the dog sat", "sat dog the", "zebra"]))
    assert torch.equal(one, other)
    assert abs(float((one**2).mean()) - 1) < 1e-5
    assert float(none.abs().sum()) == 0


def test_encoders_travel_as_json():
    texts = Texts(["the dog ran"])
    for encoder, kind in (
        (fit_bag(TRAIN, most=9, pairs=True), BagEncoder),
        (fit_tokens(TRAIN, unit="characters", most=50, length=None), TokenEncoder),
    ):
        assert torch.equal(from_json(to_json(encoder), kind)(texts), encoder(texts))


def test_looks_of_texts():
    train = Texts([f"plain words here number {k}" for k in range(300)])
    looks = TextLooks(train)
    found = looks.attributes(Texts(["SHOUT 99 <br/> http://x.org", "über alles"]))
    assert found["links and markup"].tolist() == [2, 0]
    assert found["upper case"][0] > 0.3 > found["upper case"][1]
    assert found["unusual characters"][1] > 0
    near, same, far = looks.features(Texts(["plain words here number 7", "plain words here number 7", "zebra"]))
    assert np.array_equal(near, same)
    assert np.linalg.norm(far) == 0
    assert blank_texts(Texts(["a", " .!", ""])).tolist() == [False, True, True]
