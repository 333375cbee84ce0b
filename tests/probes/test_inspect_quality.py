"""Odd pictures and odd values, planted among sound ones."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image, ImageFilter

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.scan import Scan
from recipe.data.table import table
from recipe.data.text import text
from recipe.probes.inspect_quality import measure_quality
from recipe.probes.inspect_remnants import measure_remnants
from recipe.probes.inspect_values import measure_values
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check

SETTINGS = {**compose([]).plain["data"], "test_fraction": 0, "val_fraction": 0.1}


def photographs(n=400, side=32, colour=True):
    """uint8 (n, C, side, side): soft random scenes with edges, of varied brightness."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n):
        coarse = rng.integers(0, 256, (5, 5, 3 if colour else 1), dtype=np.uint8)
        scene = Image.fromarray(coarse if colour else coarse[:, :, 0]).resize((side, side), Image.Resampling.BICUBIC)
        fine = rng.normal(0, 12, (side, side, 1))
        array = np.asarray(scene, dtype=np.float64).reshape(side, side, -1) + fine
        found.append(array.clip(0, 255).astype(np.uint8).transpose(2, 0, 1))
    return np.stack(found)


def qualities(x, **more):
    data = assemble({"train": (x, np.arange(len(x)) % 2), **more}, SETTINGS, 0, "auto")
    return {one.kind: one for one in measure_quality(Scan(data)).qualities}


CHANGES = {
    "dark": lambda p: p.point(lambda v: v // 8),
    "light": lambda p: p.point(lambda v: 246 + v // 30),
    "blurry": lambda p: p.filter(ImageFilter.GaussianBlur(3)),
    "low-information": lambda p: p.point(lambda v: 100 if v < 240 else 180),
    "grey-among-colour": lambda p: p.convert("L").convert("RGB"),
}


def test_sound_pictures_are_not_odd():
    assert {kind: one.total for kind, one in qualities(photographs()).items() if one.total} == {}


@pytest.mark.parametrize("kind", CHANGES)
def test_odd_pictures_are_counted_and_named(kind):
    x = photographs()
    for k in range(0, 40, 4):
        x[k] = np.asarray(CHANGES[kind](Image.fromarray(x[k].transpose(1, 2, 0)))).transpose(2, 0, 1)
    found = qualities(x)
    assert found[kind].total == 10
    assert {item.name for item in found[kind].worst} == {f"train[{k}]" for k in range(0, 40, 4)}
    assert {other for other, one in found.items() if one.total} <= {kind, "blurry", "low-information"}


def test_sizes_and_shapes_are_odd_beside_those_of_the_other_files():
    x = photographs(100)
    width, height = np.full(100, 40.0), np.full(100, 30.0)
    width[:3], height[:3], height[7] = 400, 300, 4
    found = qualities(x, attributes={"train": {"width": width, "height": height}})
    assert {item.name for item in found["odd-size"].worst} >= {"train[0]", "train[1]", "train[2]"}
    assert [item.name for item in found["odd-aspect-ratio"].worst] == ["train[7]"]


def test_pictures_that_are_black_by_nature_are_not_odd():
    x = np.zeros((400, 1, 28, 28), np.uint8)
    x[:, :, 8:18, 8:18] = photographs(400, 10, colour=False)
    assert {kind: one.total for kind, one in qualities(x).items() if one.total} == {}


def values(**columns):
    x = np.stack(list(columns.values()), axis=1).astype(np.float32)
    data = assemble({"train": (x, np.arange(len(x)) % 2)}, SETTINGS, 0, "auto")
    return {(v.column, v.value): v for v in measure_values(Scan(data)).values}


AGES = np.random.default_rng(0).integers(18, 80, 2000).astype(float)


@pytest.mark.parametrize(("value", "rows"), [(-999, 2), (-1, 3), (999, 40), (99999, 200), (0, 30)])
def test_stand_ins_are_told_from_sizes(value, rows):
    ages = AGES.copy()
    ages[:rows] = value
    found = values(age=ages, other=np.random.default_rng(1).normal(size=2000))
    assert list(found) == [("column 0", value)]
    assert found["column 0", value].kind == "stand-in"
    assert found["column 0", value].items == rows
    assert "train[0]" in {item.name for item in found["column 0", value].rows} or rows > 20


def test_amounts_that_are_mostly_zero_and_counts_have_no_stand_ins():
    rng = np.random.default_rng(0)
    gains = np.round(rng.lognormal(8, 1, 2000)) * (rng.random(2000) < 0.08)
    found = values(gain=gains, count=rng.poisson(30, 2000), change=np.round(rng.normal(0, 50, 2000)), ages=AGES)
    assert found == {}


def test_a_capped_column_of_a_table_is_told(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{min(a, 1.0):.6f},{b:.3f},{k % 2}" for k, (a, b) in enumerate(rng.normal(size=(1500, 2)).tolist())]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *rows]))
    data = assemble(table(str(tmp_path / "t.csv"), "y"), SETTINGS, 0, "auto")
    found = measure_values(Scan(data)).values
    assert [(v.column, v.kind, v.place) for v in found] == [("a", "capped", "highest")]


def test_what_has_no_columns_or_pictures_says_so():
    pictures = assemble({"train": (photographs(40), np.arange(40) % 2)}, SETTINGS, 0, "auto")
    with pytest.raises(CannotMeasure):
        measure_values(Scan(pictures))
    rows = assemble({"train": (np.random.default_rng(0).random((40, 3)), np.arange(40) % 2)}, SETTINGS, 0, "auto")
    with pytest.raises(CannotMeasure):
        measure_quality(Scan(rows))


@pytest.mark.parametrize(
    ("source", "folder"), [("mnist", "mnist"), ("fashion_mnist", "fashion-mnist"), ("cifar10", "cifar10")]
)
def test_well_known_sets_are_not_odd(source, folder, shared_data):
    from recipe.data import torchvision_files
    from recipe.probes.inspect_outliers import measure_outliers
    from recipe.testing import run_check

    x, y = (part[:6000] for part in getattr(torchvision_files, source)(str(shared_data(folder)))["train"])
    scan = Scan(assemble({"train": (x, y)}, SETTINGS, 0, "auto"))
    outliers = measure_outliers(scan, seed=0)
    assert run_check("picture-quality", picture_quality=measure_quality(scan)).verdict == "pass"
    assert run_check("attribute-outliers", outliers=outliers).verdict == "pass"
    assert run_check("outliers", outliers=outliers).verdict == "pass"


def remnants_of(tmp_path, texts):
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("label", "text"), *((str(k % 2), text) for k, text in enumerate(texts))])
    scan = Scan(assemble(text(path=str(path), text="text", target="label"), SETTINGS, 0, "auto"))
    return run_check("text-remnants", text_remnants=measure_remnants(scan))


PLAIN = [f"Item {k}: she said 'R&D at 5 < 6 and #1' \u2013 fine & well" for k in range(200)]


@pytest.mark.parametrize("form", ["Oil#39;s price", "&lt;b&gt; oil", "oil <b>now</b>", "oil\\nnow"])
def test_remnants_of_pages_in_texts_are_told_with_their_form(tmp_path, form):
    found = remnants_of(tmp_path, [one + (form if k % 10 == 0 else "") for k, one in enumerate(PLAIN)])
    assert (found.verdict, found.cause) == ("warn", "markup-in-texts")
    assert "20 of 200 texts" in found.message


def test_plain_texts_with_links_and_marks_are_not_spoken_of(tmp_path):
    clean = [one + " see www.example.org" for one in PLAIN]
    assert remnants_of(tmp_path, clean).verdict == "pass"
