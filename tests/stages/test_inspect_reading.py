"""The real command on hand-made folders and tables: what cannot be read, or only just, is listed with its reason."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from recipe import cli

RNG = np.random.default_rng(0)


def picture(size=(24, 24), dog=False):
    coarse = Image.fromarray(RNG.integers(*((90, 256) if dog else (0, 160)), (4, 4, 3), dtype=np.uint8))
    noise = RNG.normal(0, 10, (*size, 3))
    return Image.fromarray(
        (np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) + noise).clip(0, 255).astype(np.uint8)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """400 sound JPEGs in two class folders, below the folder that the command is typed in."""
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for k in range(200):
            picture(dog=name == "dog").save(tmp_path / "pictures" / name / f"{k:03d}.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pictures"


def spoil(folder):
    cat = folder / "cat"
    whole = (cat / "000.jpg").read_bytes()
    (cat / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (cat / "empty.jpg").write_bytes(b"")
    (cat / "text.png").write_text("this is no picture")
    picture().save(folder / "loose.jpg")
    picture().convert("CMYK").save(cat / "cmyk.jpg")
    picture().quantize(16).save(cat / "palette.png", transparency=3)
    Image.fromarray(RNG.integers(0, 65536, (24, 24), dtype=np.uint16)).save(cat / "sixteen.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture().save(cat / "turned.jpg", exif=exif)
    picture().save(cat / "film.gif", save_all=True, append_images=[picture(), picture()])
    Image.new("RGB", (24, 24), "navy").save(cat / "blank.png")


def inspect(capsys, *words):
    code = cli.main(["inspect-data", "--json", "run.dir=run", *words])
    shown = capsys.readouterr()
    return code, json.loads(shown.out) if shown.out else None, shown.err


def listed():
    with open("run/inspect-data/evidence/reading.csv", newline="") as file:
        return {row["item"].rpartition("/")[2]: (row["kind"], row["reason"]) for row in csv.DictReader(file)}


WORDS = ["data=image_folder", "data.root=pictures"]


def test_more_unreadable_files_than_allowed_end_with_2(folder, capsys):
    spoil(folder)
    for more in ([], ["data.max_unreadable=3"], ["data.max_unreadable=3", "data.streaming=true"]):
        code, _, err = inspect(capsys, *WORDS, *more)
        assert code == 2
        assert "4 of 410 items cannot be used" in err
        assert "data.max_unreadable=4" in err


@pytest.mark.parametrize("streaming", ["auto", "true"])
def test_every_bad_file_is_listed_with_its_reason(streaming, folder, capsys):
    spoil(folder)
    code, report, _ = inspect(capsys, *WORDS, "data.max_unreadable=4", f"data.streaming={streaming}")
    assert code == 0
    found = listed()
    reasons = {
        "truncated.jpg": ("unreadable", "truncated"),
        "empty.jpg": ("unreadable", "the file is empty"),
        "text.png": ("unreadable", "it is no picture"),
        "loose.jpg": ("unreadable", "unlabelled"),
        "cmyk.jpg": ("odd", "mode CMYK"),
        "palette.png": ("odd", "transparency"),
        "sixteen.png": ("odd", "mode I;16"),
        "film.gif": ("odd", "3 frames"),
        "turned.jpg": ("noted", "turned upright"),
        "blank.png": ("blank", "blank"),
    }
    assert set(found) == set(reasons)
    for name, (kind, reason) in reasons.items():
        assert found[name][0] == kind
        assert reason in found[name][1], name
    causes = {one["id"]: one.get("cause") for one in report["checks"] if one["verdict"] == "warn"}
    assert causes.keys() >= {"items-readable", "items-ordinary", "blank-items"}


def test_sound_pictures_lie_still_even_when_all_of_them_have_a_palette(folder, capsys):
    for file in folder.glob("*/*.jpg"):
        Image.open(file).quantize(64).save(file.with_suffix(".png"))
        file.unlink()
    code, report, _ = inspect(capsys, *WORDS)
    assert code == 0
    assert next(one for one in report["checks"] if one["id"] == "items-ordinary")["verdict"] == "pass"


def test_folders_of_two_splits_that_spell_a_class_in_two_ways_are_one_class(folder, capsys):
    for split, names in {"train": ("cat", "dog"), "test": ("Cat", "dog.")}.items():
        for name in names:
            (folder / split / name).mkdir(parents=True)
    for k, file in enumerate(sorted(folder.glob("[cd]*/*.jpg"))):
        split, name = ("test", {"cat": "Cat", "dog": "dog."}) if k % 4 == 0 else ("train", {})
        file.rename(folder / split / name.get(file.parent.name, file.parent.name) / file.name)
    code, report, _ = inspect(capsys, *WORDS)
    found = next(one for one in report["checks"] if one["id"] == "class-names-agree")
    assert (code, found["verdict"]) == (0, "warn")
    assert "'Cat' for 'cat'" in found["message"]
    assert next(one for one in report["checks"] if one["id"] == "class-coverage")["verdict"] == "pass"


def rows(n=300):
    cells = RNG.normal(size=(n, 5)).tolist()
    return [",".join(f"{v:.4f}" for v in row) + (",yes" if sum(row) > 0 else ",no") for row in cells]


def test_a_row_without_a_label_counts_and_is_named_by_its_number(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = rows()
    lines[6] = "0.1,0.2,0.3,0.4,0.5,"
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,d,e,bought", *lines]))
    words = ["data=table", "data.path=t.csv", "data.target=bought"]
    code, _, err = inspect(capsys, *words)
    assert code == 2
    assert "t.csv row 7: has no target" in err
    assert inspect(capsys, *words, "data.max_unreadable=1")[0] == 0
    assert listed() == {"t.csv row 7": ("unreadable", "has no target")}


def test_a_title_above_a_table_is_passed_over_and_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("\n".join(["|1x3 Cross validator", *rows()]))
    words = ["data=table", "data.path=t.csv", "data.target=-1", "data.header=false"]
    assert inspect(capsys, *words)[0] == 0
    assert listed()["t.csv line 1"][0] == "odd"
    code, report, _ = inspect(capsys, *words, "data.skip_lines=1", "data.columns=[a,b,c,d,e,bought]", "run.dir=other")
    assert code == 0
    assert next(one for one in report["checks"] if one["id"] == "items-ordinary")["verdict"] == "pass"


def test_rows_of_an_array_that_are_not_finite_or_not_labelled_are_listed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    x = RNG.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.float64)
    x[17, 2], y[5] = np.nan, np.nan
    np.savez("a.npz", x=x, y=y)
    words = ["data=arrays", "data.path=a.npz", "task=binary"]
    code, _, err = inspect(capsys, *words)
    assert code == 2
    assert "item 5 of train: its target is nan" in err
    code, report, _ = inspect(capsys, *words, "data.max_unreadable=1")
    assert code == 1
    found = next(one for one in report["checks"] if one["id"] == "inputs-finite")
    assert found["verdict"] == "fail"
    assert "train[17] (nan at (2,))" in found["message"]
