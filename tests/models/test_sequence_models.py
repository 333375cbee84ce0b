from __future__ import annotations

import pytest
import torch

from recipe.models.autoencoder import Autoencoder, ConvAutoencoder
from recipe.models.fit import refuse_misfit
from recipe.models.recurrent import Recurrent
from recipe.models.steps import pooled
from recipe.models.transformer import Transformer
from recipe.models.word_average import WordAverage
from recipe.record.refusal import Refusal

TEXT = torch.tensor([[5, 3, 8, 0, 0, 0], [1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0]])
READERS = {
    "gru": lambda **more: Recurrent((6,), 3, 9, **more),
    "lstm": lambda **more: Recurrent((6,), 3, 9, cell="lstm", depth=2, **more),
    "both ways": lambda **more: Recurrent((6,), 3, 9, bidirectional=True, **more),
    "largest": lambda **more: Recurrent((6,), 3, 9, pool="max", **more),
    "last": lambda **more: Recurrent((6,), 3, 9, pool="last", **more),
    "transformer": lambda **more: Transformer((6,), 3, 9, **more),
    "words": lambda **more: WordAverage((6,), 3, 9, **more),
}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("name", READERS)
def test_padding_says_nothing(name):
    model = READERS[name]().eval()
    longer = torch.cat([TEXT, torch.zeros(3, 0, dtype=torch.int64)], dim=1)
    longer[0, 3:] = 0
    with torch.no_grad():
        outputs, alone = model(longer), model(longer[:1])
    assert outputs.shape == (3, 3)
    assert bool(outputs.isfinite().all())
    assert torch.allclose(outputs[:1], alone, atol=1e-6)
    assert float(model.steps.reader.weight[0].detach().abs().sum()) == 0


@pytest.mark.parametrize("make", [Recurrent, Transformer])
def test_nothing_later_is_seen_where_every_step_is_asked(make):
    model = make((6,), 9, 9, every_step=True).eval()
    changed = TEXT.clone()
    changed[:, 4:] = 7
    with torch.no_grad():
        before, after = model(TEXT), model(changed)
    assert before.shape == (3, 6, 9)
    assert torch.allclose(before[:, :4], after[:, :4], atol=1e-6)
    assert not torch.allclose(before[:, 4:], after[:, 4:])


@pytest.mark.parametrize("make", [Recurrent, Transformer])
@pytest.mark.parametrize("shape", [(1, 8, 8), (10, 4), (12,)])
def test_numbers_and_pictures_are_sequences_too(make, shape):
    model = make(shape, 5)
    assert model(torch.randn(4, *shape)).shape == (4, 5)


def test_a_net_that_reads_backwards_is_no_language_model():
    with pytest.raises(ValueError, match="bidirectional"):
        Recurrent((6,), 9, 9, every_step=True, bidirectional=True)


@pytest.mark.parametrize(("heads", "patch", "says"), [(5, None, "heads"), (4, 3, "patches of 3")])
def test_a_transformer_says_what_does_not_fit(heads, patch, says):
    with pytest.raises(ValueError, match=says):
        Transformer((1, 8, 8), 5, width=64, heads=heads, patch=patch)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 9)])
@pytest.mark.parametrize("make", [Autoencoder, ConvAutoencoder])
def test_autoencoders_give_back_the_shape(make, shape):
    assert make(shape, code=4)(torch.randn(2, *shape)).shape == (2, *shape)


def test_pooling_by_what_is_there():
    states = torch.tensor([[[1.0], [3.0], [9.0]]])
    there = torch.tensor([[True, True, False]])
    assert [float(pooled(states, there, how)) for how in ("mean", "max", "last")] == [2, 3, 3]


@pytest.mark.parametrize(
    ("facts", "says"),
    [({"reads_codes": True, "mirrors": False}, "model=gru"), ({"reads_codes": False, "mirrors": True}, "autoencoder")],
)
def test_a_net_of_ours_that_does_not_suit_is_refused_with_one_that_does(facts, says):
    with pytest.raises(Refusal) as caught:
        refuse_misfit("recipe.models.mlp.MLP", **facts)
    assert says in str(caught.value.lines())
    refuse_misfit("mine.Net", **facts)
