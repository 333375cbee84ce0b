from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.cells import Encoder
from recipe.data.frame import EMPTY, Dialect
from recipe.data.numbers import points_for_commas
from recipe.data.table import table
from recipe.ingredients import Ingredients
from recipe.record.plain import from_json, to_json
from recipe.record.refusal import Refusal

ROWS = [f"{k % 7},{k * 1.5},{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(60)]
TEXT = "\n".join(["a,b,colour,bought", *ROWS]) + "\n"


def write(tmp_path, text=TEXT, name="t.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return tmp_path / name


def load(path, target, settings, task="auto", **more):
    keys = {"max_unreadable"}
    found = table(str(path), target, **{k: v for k, v in more.items() if k not in keys})
    return assemble(found, {**settings, **{k: v for k, v in more.items() if k in keys}}, 0, task)


def told(path, target, settings, **more):
    with pytest.raises(Refusal) as caught:
        load(path, target, settings, **more)
    assert len(caught.value.lines()) <= 3
    return " | ".join(caught.value.lines())


def test_numbers_and_texts_become_one_row_of_inputs(tmp_path, settings):
    data = load(write(tmp_path), "bought", settings)
    assert data.kind == "table"
    assert data.features == ("a", "b", "colour=blue", "colour=red", "colour other")
    assert data.classes == ("no", "yes")
    row = int(data.train.rows[0])
    assert data.train.inputs[0].tolist() == [row % 7, row * 1.5, float(row % 3 == 0), float(row % 3 != 0), 0.0]
    assert data.train.called(0) == f"t.csv row {row + 1}"
    assert data.train.cells.row(0)["colour"] == ("red" if row % 3 else "blue")


@pytest.mark.parametrize("target", ["bought", 3, -1])
def test_the_target_is_named_or_counted(target, tmp_path, settings):
    assert load(write(tmp_path), target, settings).classes == ("no", "yes")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (TEXT.replace(",", ";"), "utf-8"),
        (TEXT.replace(",", "\t"), "utf-8"),
        (TEXT.replace(",", ", "), "utf-8"),
        (TEXT, "utf-8-sig"),
        (TEXT, "utf-16"),
        (TEXT.replace("red", "réd"), "latin-1"),
        (TEXT.replace("red", '"re\nd"'), "utf-8"),
        (TEXT + "\n\n", "utf-8"),
        (TEXT.replace("\n", "\r\n"), "utf-8"),
    ],
)
def test_however_it_is_written_the_table_is_the_same(text, encoding, tmp_path, settings):
    data = load(write(tmp_path, text, encoding=encoding), "bought", settings)
    plain = load(write(tmp_path, TEXT, name="u.csv"), "bought", settings)
    assert np.array_equal(data.train.inputs.numpy(), plain.train.inputs.numpy())


@pytest.mark.parametrize("target", ["bought", "b"])
def test_a_decimal_comma_is_a_decimal_point(target, tmp_path, settings):
    german = "\n".join(line.replace(",", ";").replace(".", ",") for line in TEXT.splitlines())
    data, plain = (
        load(write(tmp_path, german), target, settings),
        load(write(tmp_path, TEXT, "u.csv"), target, settings),
    )
    assert data.features == plain.features
    assert np.array_equal(data.train.inputs.numpy(), plain.train.inputs.numpy())
    assert np.array_equal(data.train.targets.numpy(), plain.train.targets.numpy())


@pytest.mark.parametrize(
    ("mark", "cells", "read"),
    [
        (";", ["1,5", "2", "1.234,5", None], ["1.5", "2", "1234.5", None]),
        (";", ["1,234", "2,345", "10"], ["1.234", "2.345", "10"]),
        (",", ["1,234", "2,345", "10"], ["1,234", "2,345", "10"]),  # thousands, or three decimals: not to be told
        (",", ["1,234", "0,25", "10"], ["1.234", "0.25", "10"]),
        ("\t", ["1,5", "2,5", "on"], ["1,5", "2,5", "on"]),
    ],
)
def test_a_comma_is_a_decimal_mark_where_the_file_shows_it(mark, cells, read):
    import polars as pl

    assert points_for_commas(pl.DataFrame({"a": cells}), mark)[0]["a"].to_list() == read


def test_groups_of_thousands_follow_the_decimal_comma_and_a_decimal_point_rules_it_out():
    import polars as pl

    frame = pl.DataFrame({"price": ["1,5", "2,5"], "sold": ["1.234", "20.000"]})
    read, decimal = points_for_commas(frame, ";")
    assert (read["sold"].to_list(), decimal) == (["1234", "20000"], ",")
    mixed = pl.DataFrame({"price": ["1,500", "2,500"], "share": ["0.25", "0.5"]})
    told, decimal = points_for_commas(mixed, ";", ",")
    assert told.equals(mixed)
    assert decimal == "."


@pytest.mark.parametrize(("cells", "read"), [(["1.234", "20.000"], ["1234", "20000"]), (["2.5", "3"], ["2.5", "3"])])
def test_a_file_that_shows_no_decimal_mark_has_that_of_the_files_before_it(cells, read):
    import polars as pl

    assert points_for_commas(pl.DataFrame({"a": cells}), ";", ",")[0]["a"].to_list() == read
    assert points_for_commas(pl.DataFrame({"a": cells}), ";")[0]["a"].to_list() == cells


def test_between_semicolons_a_comma_is_no_decimal_mark_after_files_that_had_a_point():
    import polars as pl

    frame = pl.DataFrame({"a": ["1,234", "2,345"]})
    assert points_for_commas(frame, ";", ".")[0].equals(frame)
    assert points_for_commas(pl.DataFrame({"a": ["1,5", "2"]}), ";", ".")[0]["a"].to_list() == ["1.5", "2"]


def test_an_encoder_remembers_how_the_cells_of_training_were_written(tmp_path, settings):
    german = "\n".join(line.replace(",", ";").replace(".", ",") for line in TEXT.splitlines())
    encoder = load(write(tmp_path, german), "bought", settings).encoder
    assert encoder.written == Dialect(EMPTY, ",")
    mapping = table(str(write(tmp_path, TEXT, "u.csv")), "bought", empty=["none at all"])
    assert mapping["train"][0].written == Dialect(("none at all",), ".")
    both = table(str(tmp_path / "t.csv"), "bought", test_path=str(tmp_path / "u.csv"))
    assert both["train"][0].written == both["test"][0].written == Dialect(EMPTY, ",")


DAYS = [f"20{10 + k % 9}-0{1 + k % 9}-{10 + k % 18}" for k in range(60)]


@pytest.mark.parametrize("form", ["{}", "{}T06:30", "{} 06:30:15.25", "{}T06:30:00Z", "{}T08:30:00+02:00"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_dates_written_as_texts_are_those_of_a_parquet_file(form, ending, tmp_path, settings):
    from datetime import UTC, datetime

    import polars as pl

    texts = [form.format(day) for day in DAYS]
    moments = [datetime.fromisoformat(text) for text in texts]
    utc = [(m if m.tzinfo is None else m.astimezone(UTC).replace(tzinfo=None)) for m in moments]
    frame = pl.DataFrame({"signup": texts, "y": [k % 2 for k in range(60)]})
    getattr(frame, {"csv": "write_csv", "jsonl": "write_ndjson"}[ending])(tmp_path / f"t.{ending}")
    frame.with_columns(pl.Series("signup", utc)).write_parquet(tmp_path / "t.parquet")
    written, stored = (load(tmp_path / f"t.{end}", "y", settings) for end in (ending, "parquet"))
    assert written.features == stored.features == ("signup",)
    assert torch.equal(written.train.inputs, stored.train.inputs)
    first = (utc[int(written.train.rows[0])] - datetime(1970, 1, 1)).total_seconds() / 86_400
    assert written.train.cells.numeric[0, 0] == pytest.approx(first, abs=1e-9)


def test_a_word_among_dates_is_listed_by_row(tmp_path, settings):
    rows = "\n".join(f"{'soon' if k == 7 else day},{k % 2}" for k, day in enumerate(DAYS))
    data = load(write(tmp_path, f"day,y\n{rows}\n"), "y", settings)
    assert data.features[0] == "day"
    assert [(t.where, t.reason) for t in data.odd] == [("row 8, column day", "'soon' is no number; taken as empty")]


def test_parquet_and_json_lines_are_read(tmp_path, settings):
    import polars as pl

    frame = pl.read_csv(write(tmp_path))
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    for name in ("t.parquet", "t.jsonl"):
        assert (
            load(tmp_path / name, "bought", settings).features == load(tmp_path / "t.csv", "bought", settings).features
        )


def test_without_a_header_columns_are_numbered(tmp_path, settings):
    data = load(write(tmp_path, "\n".join(ROWS)), -1, settings)
    assert data.features[0] == "column 0"
    assert sum(map(len, (data.train, data.val))) + data.test_size == 60
    named = load(write(tmp_path, "x,y,colour,z\n" + "\n".join(ROWS)), -1, settings, header=False)
    assert sum(map(len, (named.train, named.val))) + named.test_size == 61


def test_given_files_are_the_splits(tmp_path, settings):
    write(tmp_path, name="train.csv")
    write(tmp_path, "a,b,colour,bought\n1,2,green,yes\n3,4,red,no\n", name="test.csv")
    data = load(tmp_path, "bought", settings)
    assert data.test_size == 2
    # green was never seen in train: it counts as any other
    assert data.compare_test().inputs[0].tolist() == [1.0, 2.0, 0.0, 0.0, 1.0]
    assert load(tmp_path / "train.csv", "bought", settings, test_path=str(tmp_path / "test.csv")).test_size == 2


def test_the_same_file_twice_is_an_overlap(tmp_path, settings):
    file = write(tmp_path)
    assert "share 60 ids" in told(file, "bought", settings, test_path=str(file))


def test_empty_cells_are_filled_from_train_and_flagged(tmp_path, settings):
    text = TEXT.replace("\n3,", "\n?,").replace("blue", "")
    data = load(write(tmp_path, text), "bought", settings)
    assert "a empty" in data.features
    assert "colour empty" in data.features
    column = data.train.inputs[:, data.features.index("a")]
    flags = data.train.inputs[:, data.features.index("a empty")].bool()
    known = data.train.cells.numeric[:, 0]
    assert (np.isnan(known) == flags.numpy()).all()
    assert set(column[flags].tolist()) == {float(np.nanmedian(known))}


def test_a_word_among_numbers_is_listed_by_row(tmp_path, settings):
    data = load(write(tmp_path, TEXT.replace("\n5,7.5", "\n5,oops")), "bought", settings)
    assert [(t.where, t.reason) for t in data.odd] == [("row 6, column b", "'oops' is no number; taken as empty")]


def test_columns_that_cannot_help_are_left_out_with_the_reason(tmp_path, settings):
    rows = [f"{k},same,person number {k},{k % 2}" for k in range(50)]
    data = load(write(tmp_path, "\n".join(["n,fixed,name,y", *rows])), "y", settings)
    assert data.features == ("n",)
    assert data.encoder.left_out["fixed"] == "every cell is 'same'"
    assert "different texts" in data.encoder.left_out["name"]


def test_ids_groups_time_and_dropped_columns_are_no_inputs(tmp_path, settings):
    rows = [f"k{k},{k // 4},{2000 + k},{k % 5},{k % 2}" for k in range(80)]
    path = write(tmp_path, "\n".join(["key,house,year,x,y", *rows]))
    data = load(path, "y", settings, id="key", group="house", time="year")
    assert data.features == ("x",)
    assert data.train.ids[0].startswith("k")
    assert max(data.train.attributes["year"]) < min(data.val.attributes["year"])
    assert load(path, "y", settings, drop=["key", "house"]).features == ("year", "x")


def test_numbers_as_targets_are_values(tmp_path, settings):
    data = load(write(tmp_path), "b", settings)
    assert data.classes is None
    assert data.train.targets.is_floating_point()
    assert load(write(tmp_path), "a", settings).classes == tuple("0123456")
    assert load(write(tmp_path), "a", settings, task="regression").classes is None


def test_the_encoder_survives_json(tmp_path, settings):
    data = load(write(tmp_path, TEXT.replace("\n3,", "\n,")), "bought", settings)
    again = from_json(to_json(data.encoder), Encoder)
    assert again == data.encoder
    assert np.array_equal(again(data.val.cells).numpy(), data.val.inputs.numpy())
    assert isinstance(data.encoder, msgspec.Struct)


@pytest.mark.parametrize(
    ("text", "target", "says"),
    [
        ("", "y", "is empty"),
        ("a,y\n", "y", "holds no rows"),
        ("a,y\n1,2\n3,4,5\n", "y", "line 3 of its table has 3 cells"),
        ("a,a,y\n1,2,3\n", "y", "two columns are called 'a'"),
        (TEXT, "label", "no column 'label'"),
        (TEXT, 9, "no column 9"),
        (TEXT, None, "which column is the target?"),
        (TEXT.replace(",", "^"), "bought", "name data.separator"),
        ("a,y\n1,\n2,?\n", "y", "no row has a target"),
        ("c," * 30_000 + "y\n", "y", "30,001 columns"),
        ("y\nyes\nno\n", "y", "no column left"),
    ],
)
def test_what_is_no_table_is_refused_with_the_file(text, target, says, tmp_path, settings):
    line = told(write(tmp_path, text), target, settings)
    assert says in line
    assert "t.csv" in line or target is None or says == "no column left"


def test_rows_without_a_target_are_listed_and_left_out_when_allowed(tmp_path, settings):
    path = write(tmp_path, TEXT.replace("5,7.5,red,yes", "5,7.5,red,"))
    assert "t.csv row 6: has no target" in told(path, "bought", settings)
    data = load(path, "bought", settings, max_unreadable=1)
    assert "t.csv row 6" not in {*data.train.ids, *data.val.ids, *data.compare_test().ids}
    assert "t.csv row 7" in {*data.train.ids, *data.val.ids, *data.compare_test().ids}


def test_binary_files_missing_files_and_other_columns_are_refused(tmp_path, settings):
    assert "no such file" in told(tmp_path / "none.csv", "y", settings)
    (tmp_path / "b.csv").write_bytes(bytes(range(256)) * 10)
    assert "not a text file" in told(tmp_path / "b.csv", "y", settings)
    (tmp_path / "c.parquet").write_bytes(b"PAR1 nonsense")
    assert "not a table" in told(tmp_path / "c.parquet", "y", settings)
    write(tmp_path, "a,colour,bought\n1,red,yes\n", name="test.csv")
    assert "no column 'b'" in told(write(tmp_path), "bought", settings, test_path=str(tmp_path / "test.csv"))
    assert "no train.csv" in told(tmp_path, "bought", settings)


def test_infinities_are_kept_for_the_checks_to_name(tmp_path, settings):
    data = load(write(tmp_path, TEXT.replace("\n5,7.5", "\n5,inf")), "bought", settings)
    assert sum(int((~split.inputs.isfinite()).sum()) for split in (data.train, data.val, data.compare_test())) == 1


def test_many_columns_are_read_in_reasonable_time(tmp_path, settings):
    wide = ",".join(f"c{k}" for k in range(3000)) + ",y\n"
    body = "".join(",".join(map(str, range(r, r + 3000))) + f",{r % 2}\n" for r in range(12))
    assert len(load(write(tmp_path, wide + body), "y", settings).features) == 3000


def test_a_table_in_which_no_column_can_help_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("name,y\n" + "".join(f"item {k},{k % 2}\n" for k in range(60)))
    with pytest.raises(Refusal, match="no column is left"):
        Ingredients(compose(["data=table", f"data.path={tmp_path}/t.csv", "data.target=y"])).data  # noqa: B018


def test_free_texts_become_their_telling_words(tmp_path, settings):
    said = [f"{'great' if k % 3 else 'awful'} product number {k}, arrived in {k % 9} days" for k in range(120)]
    rows = "\n".join(f'{k % 7},"{text}",{"yes" if k % 3 else "no"}' for k, text in enumerate(said))
    path = write(tmp_path, "a,review,bought\n" + rows + "\n3,,no\n")
    data = load(path, "bought", settings, max_unreadable=0)
    assert "review: great" in data.features
    assert "review: awful" in data.features
    assert not [name for name in data.features if "number" in name or "7" in name]
    great = data.features.index("review: great")
    texts = data.train.cells.categories[data.train.cells.category_names.index("review")]
    codes = data.train.cells.codes[:, data.train.cells.category_names.index("review")].tolist()
    assert data.train.inputs[:, great].tolist() == [float(c >= 0 and texts[c].startswith("great")) for c in codes]
    again = from_json(to_json(data.encoder), Encoder)
    assert again.features == data.features
    assert again.blocks == ()


def test_columns_of_tickets_and_times_are_no_texts(tmp_path, settings):
    rows = "\n".join(f"{k % 7},A/5 {k * 37},{k % 24}:{k % 60:02d},{'yes' if k % 2 else 'no'}" for k in range(120))
    data = load(write(tmp_path, "a,ticket,time,bought\n" + rows + "\n"), "bought", settings)
    assert data.features == ("a",)
    assert set(data.encoder.left_out) == {"ticket", "time"}


def test_embeddings_stand_where_categories_are(tmp_path, settings):
    from recipe.models.table_mlp import TableMLP, suggested

    data = load(write(tmp_path), "bought", settings)
    assert data.encoder.blocks == ((2, 3),)
    net = TableMLP((5,), 1, blocks=data.encoder.blocks)
    assert [tuple(table.weight.shape) for table in net.tables] == [(suggested(3), 3)]
    assert net.rest.tolist() == [0, 1]
    x = data.train.inputs
    moved = x.clone()
    moved[:, 2:] = x[:, [3, 2, 4]]
    assert not torch.equal(net(x), net(moved))
    assert [suggested(k) for k in (1, 2, 3, 10, 1_000, 100_000)] == [1, 1, 2, 5, 64, 64]
    plain = TableMLP((5,), 1)
    assert plain(x).shape == (len(x), 1)


def test_a_net_with_embeddings_learns_a_table(tmp_path):
    words = [f"data.path={write(tmp_path)}", "data=table", "data.target=bought", "model=table_mlp", "optimizer.lr=0.01"]
    ingredients = Ingredients(compose([*words, "train.epochs=40"]))
    assert len(ingredients.model(0).tables) == 1
    trained = ingredients.train(0)
    assert trained.metrics["train"]["loss"] < trained.history.points[0].metrics["val"]["loss"]
