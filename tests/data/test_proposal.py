"""Which way each column goes, and what data.preprocess may say about it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.column_shape import choose, shape_of
from recipe.data.data import Split
from recipe.data.preprocess import Preprocess, fit
from recipe.data.proposal import propose, setting_of
from recipe.data.table import table
from recipe.record.recipe_file import recipe_text
from recipe.record.refusal import Refusal
from recipe.record.report import Decision

N = 2000
KINDS = {
    "normal": (lambda g: g.normal(3, 2, N), "standardize"),
    "uniform": (lambda g: g.uniform(0, 9, N), "standardize"),
    "gamma": (lambda g: g.gamma(2, 2, N), "standardize"),
    "counts": (lambda g: g.poisson(2.0, N), "standardize"),
    "lognormal": (lambda g: g.lognormal(2, 1, N), "log_standardize"),
    "small lognormal": (lambda g: 1e-4 * g.lognormal(0, 2, N), "log_standardize"),
    "mostly nought": (lambda g: np.where(g.random(N) < 0.9, 0, g.lognormal(8, 1.2, N)), "log_standardize"),
    "two-sided tail": (lambda g: g.standard_t(2, N), "clip_standardize"),
    "one slip": (lambda g: np.r_[1e5, np.abs(g.normal(50, 10, N - 1))], "clip_standardize"),
    "flags": (lambda g: (g.random(N) < 0.02) * 1.0, "standardize"),
    "two values": (lambda g: np.where(g.random(N) < 0.5, 1.0, 2.0), "min_max"),
    "constant": (lambda g: np.full(N, 5.0), "standardize"),
    "empty": (lambda g: np.full(N, np.nan), "standardize"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_a_column_goes_the_way_that_its_numbers_ask_for(kind, seed):
    draw, option = KINDS[kind]
    assert choose(shape_of(draw(np.random.default_rng([seed, 7])).astype(np.float64)))[0] == option


def test_no_unit_of_measurement_changes_the_choice_or_the_numbers():
    x = np.random.default_rng(0).lognormal(0, 1.5, N)
    shapes = [shape_of(x * unit) for unit in (1e-6, 1.0, 1e6)]
    assert len({choose(shape) for shape in shapes}) == 1
    made = [fit("auto", split_of(x[:, None] * unit), "table") for unit in (1e-3, 1e3)]
    one, two = (m(torch.tensor(x[:, None] * u, dtype=torch.float32)) for m, u in zip(made, (1e-3, 1e3), strict=True))
    assert torch.allclose(one, two, atol=1e-4)


def split_of(rows):
    rows = torch.as_tensor(np.asarray(rows), dtype=torch.float32)
    return Split(
        name="train", inputs=rows, targets=torch.zeros(len(rows)), origin="train", rows=torch.arange(len(rows))
    )


def mixed(seed=0):
    """Columns age (normal), income (lognormal), slip (one far out), sex (flags), grade (two values)."""
    g = np.random.default_rng(seed)
    columns = [g.normal(40, 9, N), g.lognormal(10, 1, N), np.r_[9e5, g.normal(5, 1, N - 1)], g.integers(0, 2, N)]
    return np.stack([*columns, g.integers(3, 5, N)], axis=1)


NAMES = ("age", "income", "slip", "sex", "grade")


def test_each_column_of_a_table_goes_its_own_way_with_its_reason():
    found = propose(split_of(mixed()).inputs, "table", NAMES)
    ways = {"income": "log_standardize", "slip": "clip_standardize", "grade": "min_max"}
    assert setting_of(found.choice) == {"default": "standardize", "columns": ways}
    assert [one.why.partition(":")[0] for one in found.columns][1:] == [
        "heavy tail", "outliers", "0 and 1 only", "two values, 3 and 4",
    ]  # fmt: skip
    assert "income" in found.because
    assert "skewness" in found.because or "quartile ranges" in found.because


def test_what_is_written_gives_the_same_numbers_again_and_travels():
    split = split_of(mixed())
    made = fit("auto", split, "table", NAMES)
    again = fit(made.setting, split, "table", NAMES)
    assert again.to_json() == made.to_json()
    out = made(split.inputs)
    assert torch.equal(Preprocess.from_json(made.to_json())(split.inputs), out)
    assert torch.equal(out[:, 3], split.inputs[:, 3])
    assert set(out[:, 4].tolist()) == {0.0, 1.0}
    assert float(out[1:].abs().max()) < 6
    assert float(out[0, 2]) < 6
    assert float(made.unclipped(split.inputs)[0, 2]) > 1e5
    assert torch.equal(made.unclipped(split.inputs)[:, :2], out[:, :2])


def test_the_written_line_is_read_back_whatever_columns_are_called(tmp_path):
    names = ("a.b c", "income=${x}", 'say "no"', "- d", "10")
    made = fit("auto", split_of(mixed()), "table", names)
    text = recipe_text([("inspect-data", Decision(key="data.preprocess", value=made.setting, because="x"))], ())
    (tmp_path / "recipe.yaml").write_text(text)
    composed = compose(["data=digits"], recipe_file=tmp_path / "recipe.yaml")
    read = composed.plain["data"]["preprocess"]
    assert read == made.setting
    assert composed.changed({"data.preprocess": made.setting}).plain["data"]["preprocess"] == made.setting
    assert fit(read, split_of(mixed()), "table", names).to_json() == made.to_json()


def test_one_column_may_be_fixed_while_the_others_are_chosen():
    made = fit({"columns": {"age": "min_max"}}, split_of(mixed()), "table", NAMES)
    assert made.setting["columns"]["age"] == "min_max"
    assert made.setting["columns"]["income"] == "log_standardize"
    fixed = fit({"default": "decimal", "columns": {"age": "threshold"}}, split_of(mixed()), "table", NAMES)
    out = fixed(split_of(mixed()).inputs)
    assert set(out[:, 0].tolist()) == {0.0, 1.0}
    assert float(out[:, 1].max()) <= 1
    assert torch.equal(Preprocess.from_json(fixed.to_json())(split_of(mixed()).inputs), out)


def test_a_column_goes_the_same_way_whichever_others_are_named():
    split = split_of(mixed())
    ways = ({"income": "scale"}, {"income": "scale", "age": "scale"})
    a, b = (fit({"default": "none", "columns": way}, split, "table", NAMES)(split.inputs)[:, 1] for way in ways)
    assert torch.equal(a, b)
    assert (float(a.min()), float(a.max())) == pytest.approx((-1, 1))


@pytest.mark.parametrize(
    ("setting", "where", "fix"),
    [
        ({"columns": {"agee": "min_max"}}, "data.preprocess.columns.agee", "age"),
        ({"columns": {"age": "zscore"}}, "data.preprocess.columns.age", "standardize"),
        ({"columns": {"age": "auto"}}, "data.preprocess.columns.age", "one of"),
        ({"default": "minmax"}, "data.preprocess.default", "min_max"),
        ({"age": "min_max"}, "data.preprocess.age", "columns: {age"),
        ({"columns": "min_max"}, "data.preprocess.columns", "COLUMN"),
        ("log", "data.preprocess", "log_standardize"),
    ],
)
def test_what_is_not_there_is_refused_with_what_was_meant(setting, where, fix):
    with pytest.raises(Refusal) as caught:
        fit(setting, split_of(mixed()), "table", NAMES)
    assert caught.value.where == where
    assert fix in caught.value.fix


def test_pictures_have_no_columns():
    with pytest.raises(Refusal, match="no rows of columns"):
        fit({"columns": {"age": "min_max"}}, split_of(np.zeros((9, 3, 4, 4))), "image")


def test_rows_of_pixels_keep_one_scale():
    g = np.random.default_rng(0)
    pixels = np.minimum(g.exponential(90, (500, 64)), 255) * (g.random(64) < 0.9)
    found = propose(split_of(pixels).inputs, "array")
    assert found.choice == "unit"
    assert "pixels" in found.because


def test_nothing_is_learnt_from_val_or_test():
    settings = compose(["data=digits"]).plain["data"]
    x = mixed().astype(np.float32)
    y = (x[:, 0] > 40).astype(np.int64)
    far = dict.fromkeys(("val", "test"), (x[:200] * 1000000.0 - 5, y[:200]))
    near = dict.fromkeys(("val", "test"), (x[:200], y[:200]))
    a, b = (assemble({"train": (x, y), **rest}, settings, 0, "auto").preprocess for rest in (near, far))
    assert a.to_json() == b.to_json()
    assert a.name == "by_column"


@pytest.mark.parametrize(
    ("file", "target", "logs"),
    [
        ("adult/adult-train.csv", -1, {"column 10"}),
        ("titanic/train.csv", "Survived", {"SibSp", "Fare"}),
        (
            "california_housing/housing.csv", "median_house_value",
            {"total_rooms", "total_bedrooms", "population", "households"},
        ),
        ("wine_quality/winequality-red.csv", -1, {"column 3", "column 4"}),
    ],
)  # fmt: skip
def test_real_tables_have_the_logs_that_their_tails_ask_for(file, target, logs, shared_data):
    settings = compose(["data=digits"]).plain["data"]
    made = assemble(table(str(shared_data("tabular") / file), target), settings, 0, "auto").preprocess
    assert made.setting == {
        "default": "standardize",
        "columns": dict.fromkeys(made.setting["columns"], "log_standardize"),
    }
    assert set(made.setting["columns"]) == logs
