from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.predict import predict, read_model
from recipe.predict.average import as_outputs, average, item_losses
from recipe.predict.taken_home import Net, write_model
from recipe.predict.unlike import measure_reach, unlike
from recipe.record.refusal import Refusal
from recipe.tasks.classification import Classification
from recipe.tasks.multilabel import Multilabel


@pytest.fixture(scope="module")
def ingredients() -> Ingredients:
    return Ingredients(compose(["model=mlp", "model.width=16", "model.depth=1", "train.epochs=4"]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, ingredients: Ingredients) -> Path:
    folder = tmp_path_factory.mktemp("run")
    nets = [Net(f"seed {s}", s, ingredients.model_node(), ingredients.train(s).model) for s in (1, 2)]
    write_model(folder / "ensemble" / "model", ingredients, nets, threads=1)
    return folder


def lines(run: Path, *inputs: Path) -> tuple[int, list[dict], list[str]]:
    said: list[str] = []
    warned: list[str] = []
    code = predict(run, [str(path) for path in inputs], json=True, out=said.append, warn=warned.append)
    return code, [json.loads(line) for line in said], warned


def raw(ingredients: Ingredients) -> torch.Tensor:
    return ingredients.data.val.inputs


def test_files_give_exactly_the_outputs_that_evaluation_gave(run, ingredients, tmp_path):
    val = ingredients.data.val
    expected = read_model(run / "ensemble" / "model").say(val)
    np.save(tmp_path / "x.npy", val.inputs.numpy())
    np.savez(tmp_path / "x.npz", x=val.inputs.numpy(), y=val.targets.numpy())
    for name in ("x.npy", "x.npz"):
        code, rows, _ = lines(run, tmp_path / name)
        assert code == 0
        got = torch.tensor([list(row["probabilities"].values()) for row in rows], dtype=torch.float64)
        assert torch.equal(got, expected.double())


def test_pictures_rows_and_arrays_of_the_same_items_agree(run, ingredients, tmp_path):
    items = raw(ingredients)[:5]
    np.save(tmp_path / "x.npy", items.numpy())
    np.savetxt(tmp_path / "x.csv", items.reshape(5, -1).numpy(), delimiter=",", fmt="%d")
    (tmp_path / "pictures").mkdir()
    for k, item in enumerate(items):
        grey = (item[0].numpy().astype(float) * 255 / 16).round().astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / "pictures" / f"{k}.png")
    said = [lines(run, tmp_path / name)[1] for name in ("x.npy", "x.csv", "pictures")]
    tables = [np.array([list(row["probabilities"].values()) for row in rows]) for rows in said]
    assert tables[0].shape == (5, 10)
    assert np.allclose(tables[0], tables[1], atol=1e-6)
    assert np.allclose(tables[0], tables[2], atol=1e-6)


def test_the_order_of_the_words_is_kept(run, ingredients, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    np.save(tmp_path / "x.npy", raw(ingredients)[:2].numpy())
    _, rows, _ = lines(run, tmp_path / "a.png", tmp_path / "x.npy", tmp_path / "a.png")
    assert [Path(row["input"]).name for row in rows] == ["a.png", "x.npy[0]", "x.npy[1]", "a.png"]


def test_inputs_unlike_the_training_data_are_marked(run, ingredients, tmp_path):
    np.save(tmp_path / "usual.npy", raw(ingredients)[:40].numpy())
    np.save(tmp_path / "inverted.npy", 16 - raw(ingredients)[:40].numpy())
    _, usual, _ = lines(run, tmp_path / "usual.npy")
    _, inverted, loud = lines(run, tmp_path / "inverted.npy")
    assert sum("unlike" in row for row in usual) <= 1
    assert all("unlike" in row for row in inverted)
    assert "40 inputs are unlike the training data" in loud[-1]


def test_a_damaged_picture_is_told_and_the_others_are_said(run, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nope")
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "fine.png")
    code, rows, warned = lines(run, tmp_path)
    assert code == 1
    assert [Path(row["input"]).name for row in rows] == ["fine.png"]
    assert "broken.png: cannot be read" in warned[0]


def test_the_table_shows_class_and_probabilities(run, ingredients, tmp_path, capsys):
    np.save(tmp_path / "x.npy", raw(ingredients)[:1].numpy())
    predict(run, [str(tmp_path / "x.npy")])
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["input", "prediction", "probabilities"]
    assert line.startswith("x.npy[0]")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.npy", np.zeros((2, 3, 3)), "items of shape"),
        ("x.npz", {"a": np.zeros(1), "b": np.zeros(1)}, "holds a, b"),
        ("x.csv", "1,2\n3,4\n", "items of shape"),
        ("x.csv", ",".join(["1"] * 63 + ["x"]) + "\n", "cells that are no numbers"),
        ("x.npy", None, "there is no such file"),
    ],
)
def test_what_the_model_cannot_take_is_refused(run, tmp_path, name, content, says):
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    elif isinstance(content, dict):
        np.savez(tmp_path / name, **content)
    elif content is not None:
        np.save(tmp_path / name, content)
    with pytest.raises(Refusal, match=says):
        lines(run, tmp_path / name)


def test_pickled_objects_are_refused(run, tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(Refusal, match="cannot be read"):
        lines(run, tmp_path / "x.npy")


class TestTheFolder:
    def test_a_missing_model_is_refused(self, tmp_path):
        with pytest.raises(Refusal, match="no trained model"):
            predict(tmp_path, ["x.npy"])

    def test_code_that_a_model_names_is_checked_before_it_is_imported(self, run, tmp_path):
        text = (run / "ensemble" / "model" / "model.json").read_text()
        (tmp_path / "model.json").write_text(text.replace("recipe.models.mlp.MLP", "os.system"))
        with pytest.raises(Refusal, match=r"os\.system"):
            read_model(tmp_path)

    def test_damaged_weights_are_refused(self, run, tmp_path):
        for file in (run / "ensemble" / "model").iterdir():
            data = file.read_bytes()
            (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
        with pytest.raises(Refusal, match="cannot be read"):
            read_model(tmp_path)

    def test_a_damaged_description_is_refused(self, tmp_path):
        (tmp_path / "model.json").write_text('{"format": 1}')
        with pytest.raises(Refusal, match="damaged"):
            read_model(tmp_path)


class TestAverage:
    task = Classification(3)
    a, b = torch.tensor([[0.8, 0.1, 0.1]]), torch.tensor([[0.4, 0.6, 0.0]])

    def test_probabilities_are_averaged(self):
        assert torch.allclose(average([self.a, self.b]), torch.tensor([[0.6, 0.35, 0.05]]))

    def test_outputs_give_the_probabilities_back(self):
        assert torch.allclose(self.task.probabilities(as_outputs(self.task, self.a)), self.a)
        p = torch.tensor([[0.2, 0.9]])
        assert torch.allclose(Multilabel().probabilities(as_outputs(Multilabel(), p)), p)

    def test_a_class_that_was_ruled_out_costs_much_and_no_infinity(self):
        loss = item_losses(self.task, self.b, torch.tensor([2]))
        assert 60 < float(loss) < 80


def test_statistics_of_rows_name_their_column():
    train = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    reach = measure_reach(train, ("age", "height"))
    assert unlike(torch.tensor([[0.0, 0.0], [0.0, 50.0]]), reach, ("age", "height")) == [
        "",
        f"height 50, usual are {reach[1].low:.3g} to {reach[1].high:.3g}",
    ]


class TestWhatPicturesAre:
    def test_bytes_go_to_255_shares_to_1_and_digits_to_16(self, run, ingredients):
        assert read_model(run / "ensemble" / "model").saved.inputs.top == 16

    def test_numbers_that_are_no_pixels_take_no_pictures(self, run, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        for file in (run / "ensemble" / "model").iterdir():
            (folder / file.name).write_bytes(file.read_bytes().replace(b'"top": 16.0', b'"top": null'))
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
        with pytest.raises(Refusal, match="no pixels"):
            lines(folder, tmp_path / "a.png")


def test_texts_are_read_from_words_lines_and_tables(tmp_path):
    told = [(f"a good fine film {k}", "good") for k in range(40)] + [(f"a bad poor mess {k}", "bad") for k in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["label,text", *(f"{label},{text}" for text, label in told)]))
    ingredients = Ingredients(
        compose(["data=text", f"data.path={tmp_path / 't.csv'}", "model=linear", "train.epochs=20"])
    )
    net = Net("seed 1", 1, ingredients.model_node(), ingredients.train(1).model)
    write_model(tmp_path / "run" / "ensemble" / "model", ingredients, [net], threads=1)
    (tmp_path / "new.txt").write_text("such a fine good film\n\npoor bad mess\n")
    (tmp_path / "new.csv").write_text("text,other\na good fine film,1\n,2\nzebra quagga,3\n")
    code, rows, _ = lines(tmp_path / "run", "a fine film", tmp_path / "new.txt", tmp_path / "new.csv")
    assert code == 1
    assert [(row["input"], row["prediction"]) for row in rows[:4]] == [
        ("a fine film", "good"),
        ("new.txt line 1", "good"),
        ("new.txt line 3", "bad"),
        ("new.csv row 1", "good"),
    ]
    assert "unknown to the model" in rows[4]["unlike"]


def test_a_language_model_says_what_comes_next(tmp_path):
    (tmp_path / "t.txt").write_text("abcd" * 500)
    overrides = ["data=chars", f"data.path={tmp_path / 't.txt'}", "data.block_size=8", "model=gru", "model.width=16"]
    ingredients = Ingredients(compose([*overrides, "train.epochs=30", "optimizer.lr=1e-2"]))
    net = Net("seed 1", 1, ingredients.model_node(), ingredients.train(1).model)
    write_model(tmp_path / "run" / "ensemble" / "model", ingredients, [net], threads=1)
    code, rows, _ = lines(tmp_path / "run", "abc", "cdabcdabcdab")
    assert code == 0
    assert [row["prediction"] for row in rows] == ["d", "c"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_dates_are_read_as_in_training(tmp_path, ending):
    import polars as pl

    moments = [datetime(2020, 1 + k % 12, 1 + k % 28, k % 24) for k in range(80)]
    frame = pl.DataFrame({"when": moments, "bought": [("no", "yes")[m.month > 6] for m in moments]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.with_columns(pl.col("when").dt.strftime("%Y-%m-%dT%H:%M")).write_csv(tmp_path / "t.csv")
    words = ["data=table", f"data.path={tmp_path / f't.{ending}'}", "data.target=bought"]
    made = Ingredients(compose([*words, "model=mlp", "model.width=8", "model.depth=1", "train.epochs=2"]))
    write_model(
        tmp_path / "ensemble" / "model", made, [Net("one", 0, made.model_node(), made.train(0).model)], threads=1
    )
    expected = read_model(tmp_path / "ensemble" / "model").say(made.data.val)
    for file in ("t.csv", "t.parquet"):
        code, rows, warned = lines(tmp_path, tmp_path / file)
        assert (code, warned) == (0, [])
        said = torch.tensor([list(row["probabilities"].values()) for row in rows], dtype=torch.float64)
        assert torch.equal(said[torch.as_tensor(made.data.val.rows)], expected.double())


def test_cells_are_read_as_in_training_where_a_new_file_does_not_show_how(tmp_path):
    """Thousands are parted by a point in a file whose other column has decimal commas; -1 stands for nothing."""
    rows = [f"{k % 9},{k % 5};{1 + k % 7}.{100 + k};{'yes' if k % 7 > 3 else 'no'}" for k in range(80)]
    (tmp_path / "t.csv").write_text("\n".join(["share;price;bought", *rows, "-1;-1;no"]) + "\n")
    words = ["data=table", f"data.path={tmp_path / 't.csv'}", "data.target=bought", "data.empty=['-1']"]
    made = Ingredients(compose([*words, "model=mlp", "model.width=8", "model.depth=1", "train.epochs=5"]))
    net = Net("one", 0, made.model_node(), made.train(0).model)
    write_model(tmp_path / "ensemble" / "model", made, [net], threads=1)
    (tmp_path / "clear.csv").write_text("share;price\n2,5;3.456\n2,5;-1\n")
    (tmp_path / "bare.csv").write_text("price;share\n3.456;-1\n-1;0\n")
    (tmp_path / "plain.csv").write_text("price,share\n3456,-1\n-1,0\n")
    said = {name: lines(tmp_path, tmp_path / f"{name}.csv")[1] for name in ("clear", "bare", "plain")}
    probabilities = {name: [list(row["probabilities"].values()) for row in found] for name, found in said.items()}
    assert probabilities["bare"] == probabilities["plain"]
    assert probabilities["bare"][0] != probabilities["bare"][1]
    assert probabilities["clear"] != probabilities["bare"]


def test_channels_that_the_net_does_not_see_may_stand_in_a_file(tmp_path):
    x = np.random.default_rng(0).integers(0, 255, size=(60, 3, 8, 8), dtype="u1")
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(60) % 2)
    words = ["data=arrays", f"data.path={tmp_path}/d.npz", "data.channels=[2]", "data.side=4"]
    made = Ingredients(compose([*words, "model=mlp", "model.width=8", "model.depth=1", "train.epochs=1"]))
    assert made.input_shape == (1, 4, 4)
    write_model(
        tmp_path / "ensemble" / "model", made, [Net("one", 0, made.model_node(), made.train(0).model)], threads=1
    )
    np.save(tmp_path / "x.npy", made.data.val.inputs.numpy())
    code, rows, warned = lines(tmp_path, tmp_path / "x.npy")
    assert (code, warned) == (0, [])
    said = torch.tensor([list(row["probabilities"].values()) for row in rows], dtype=torch.float64)
    assert torch.equal(said, read_model(tmp_path / "ensemble" / "model").say(made.data.val).double())
