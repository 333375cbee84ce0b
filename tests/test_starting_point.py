"""What data imply for the net to begin with, for each kind of data; sizes are those of the real nets."""

from __future__ import annotations

import numpy as np

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.cells import Cells
from recipe.data.texts import Texts
from recipe.ingredients import Ingredients
from recipe.models import sizes
from recipe.probes.inspect_implications import measure_implications
from recipe.record.interval import Interval
from recipe.record.questions import Question, Questions, Way

G = np.random.default_rng(0)
STORY = "a fine warm story of two old friends who go to sea and come back rich"


def made(mapping, *words):
    composed = compose(["data=digits", *words])
    return assemble(mapping, composed.plain["data"], 0, composed.plain["task"], encoding=lambda: "bag")


def told(mapping, *words, questions=None):
    return measure_implications(made(mapping, *words), questions)


def of(found, what):
    return next(one for one in found.more if one.what == what)


def asked(name, *ways, kind="table"):
    """A question whose first way is the reference: (name, at, low, mean, high of the change)."""
    found = tuple(
        Way(name=n, at=at, score=Interval(0.8, 0.7, 0.9, 100), change=Interval(mean, low, high, 100))
        for n, at, low, mean, high in ways
    )
    return Questions(
        kind=kind, metric="accuracy", chance=0.5, train_items=500, val_items=100, shape=(3,), original=(3,),
        questions=(Question(name=name, asked="?", probe="a probe", ways=found),),
    )  # fmt: skip


def pictures(side=8, channels=1, classes=4, n=240, dtype=np.uint8):
    return {"train": (G.integers(0, 256, (n, channels, side, side)).astype(dtype), np.arange(n) % classes)}


def rows(n=400, width=5):
    x = G.normal(size=(n, width)).astype(np.float32)
    return x, (x[:, 0] + G.normal(size=n)).astype(np.float32)


class TestPictures:
    def test_small_ones_start_from_a_convnet_and_say_their_size(self):
        found = told(pictures(channels=3))
        assert found.start.change["model"] == "convnet"
        assert "3 × 8 × 8 = 192 numbers" in of(found, "input size").measured
        assert [one.name for one in found.sizes] == ["linear", "MLP 256 × 2", "ConvNet 32", "ConvNet 32, pooled"]

    def test_large_ones_start_from_a_resnet(self):
        found = told(pictures(side=80, channels=3, n=60))
        assert found.start.change == {"model": "resnet18"}
        assert found.sizes[-1].name == "ResNet-18"

    def test_few_of_a_class_are_named_and_pictures_may_be_augmented(self):
        data = pictures()
        assert "39 of each of 4" in of(told(data), "examples a class").measured
        x, y = data["train"]
        found = of(told({"train": (x, np.where(np.arange(240) < 100, 0, y))}), "examples a class")
        assert "the rarest of 4, to" in found.measured
        assert found.measured.endswith("of '0'")
        assert "augment" in found.so
        assert found.source.startswith("Goodfellow")

    def test_pictures_without_labels_start_from_an_autoencoder(self):
        found = told({"train": (pictures()["train"][0], None)}, "task=autoencoder")
        assert found.start.change == {"model": "conv_autoencoder"}
        assert (found.fewest, found.sizes) == (None, ())


class TestTables:
    def cells(self, n=300):
        codes = G.integers(0, 3, (n, 1)).astype(np.int32)
        texts = (("baker", "cook", "smith"),)
        return Cells(G.normal(size=(n, 2)), codes, ("age", "income"), ("job",), texts), np.arange(n) % 2

    def test_columns_are_told_from_the_numbers_they_become(self):
        found = told({"train": self.cells()})
        assert "3 columns, 6 numbers after encoding" in found.start.measured
        assert found.start.change == {"model": "mlp"}
        assert "boosted trees" in found.rival

    def test_nothing_is_said_of_augmentation(self):
        cells, y = self.cells()
        y[20:] = 0
        few = of(told({"train": (cells, y)}), "examples a class")
        assert "augment" not in few.so
        assert "pretrained" not in few.so
        assert "'1'" in few.measured

    def test_straight_lines_that_do_as_well_are_where_to_start(self):
        lines = asked(
            "interactions",
            ("columns together", 3, 0, 0, 0),
            ("bent", 2, 0, 0, 0),
            ("straight lines", 1, -0.01, 0, 0.01),
        )
        assert told({"train": self.cells()}, questions=lines).start.change == {"model": "linear"}

    def test_numbers_to_be_predicted_have_examples_for_each_input_number(self):
        found = told({"train": rows()})
        assert "of 5 numbers each" in of(found, "examples").measured
        assert "enough" in of(found, "examples").so
        x, y = rows(60, 30)
        assert "few" in of(told({"train": (x, y)}), "examples").so
        assert found.fewest is None

    def test_a_gain_inside_the_noise_is_left_open(self):
        def so(low, mean, high):
            ways = (("400 examples", 400, 0, 0, 0), ("200 examples", 200, low, mean, high))
            return of(told({"train": self.cells()}, questions=asked("examples", *ways)), "more examples").so

        assert so(-0.06, -0.04, -0.02) == "more examples will help"
        assert so(-0.08, 0.02, 0.12).startswith("open")
        assert "seen enough" in so(-0.006, -0.002, 0.002)


class TestTexts:
    def texts(self, n=200):
        return Texts([" ".join(G.choice(STORY.split(), 4 + k % 9)) for k in range(n)], ("text",))

    def test_labelled_ones_start_from_word_vectors_and_their_sizes_are_told(self):
        found = told({"train": (self.texts(), np.arange(200) % 2)})
        assert found.start.change == {"model": "word_average"}
        assert "half of the texts have up to 8 words, 99 % up to 12" in of(found, "length").measured
        assert of(found, "length").change == {"data.tokens.length": 12}
        names = [one.name.split(" on ")[0] for one in found.sizes]
        assert names == ["linear", "word average, 64", "GRU 128"]

    def test_unlabelled_ones_ask_for_the_next_character(self):
        found = told({"train": (self.texts(), None)}, "task=language_model")
        assert found.start.change == {"model": "gru"}
        assert "follows the one before" in found.rival
        assert found.unit == "characters to be predicted"
        assert f"{found.examples:,} characters to be predicted" in of(found, "examples").measured
        assert "characters at a time" in of(found, "length").measured
        assert [one.name for one in found.sizes] == ["GRU 128"]


def test_series_start_from_a_recurrent_net():
    found = told({"train": (G.normal(size=(200, 30, 2)).astype(np.float32), np.arange(200) % 2), "kind": "series"})
    assert found.start.change == {"model": "gru"}
    assert found.sizes[-1].parameters == sizes.gru(1, features=2)


def count(*words):
    return sum(p.numel() for p in Ingredients(compose(words)).model(0).parameters())


def test_formulas_are_those_of_the_nets():
    shape = (1, 8, 8)
    digits = "data=digits"
    assert count(digits, "model=linear") == sizes.linear(64, 10)
    assert count(digits, "model=mlp") == sizes.mlp(64, 10)
    for norm in (False, True):
        given = ["model.norm=batch"] if norm else []
        dense, pool = (sizes.convnet(shape, 10, pool=pool, norm=norm) for pool in (False, True))
        assert count(digits, "model=convnet", *given) == dense
        assert count(digits, "model=convnet", "model.head=pool", *given) == pool


def test_formulas_of_nets_that_read_words_are_right():
    from recipe.models.recurrent import Recurrent
    from recipe.models.word_average import WordAverage

    def size(net):
        return sum(p.numel() for p in net.parameters())

    assert size(WordAverage((20,), 3, vocabulary=500)) == sizes.word_average(500, 3)
    assert size(Recurrent((20,), 3, vocabulary=500)) == sizes.gru(3, words=500)
    assert size(Recurrent((20, 4), 3)) == sizes.gru(3, features=4)


def test_the_formula_of_resnet18_is_right():
    assert sizes.resnet18(3, 1000) == 11_689_512  # as torchvision states it
