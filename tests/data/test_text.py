from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recipe.data.assemble import assemble
from recipe.data.text import text
from recipe.record.refusal import Refusal
from recipe.testing import check_source

WORDS = {
    "good": ["a fine film", "what a lovely, warm story", "superb acting; go!"],
    "bad": ["so dull", "a poor, sad mess"],
}
ITEMS = [(f"{WORDS[label][k % len(WORDS[label])]} number {k}", label) for k in range(30) for label in ("good", "bad")]
NO_LABELS = "\n".join(f"word{k} and more" for k in range(40))


def rows(mark=","):
    quoted = [f'"{told}"' if mark in told else told for told, _ in ITEMS]
    return [f"{label}{mark}{told}" for told, (_, label) in zip(quoted, ITEMS, strict=True)]


def write(tmp_path, content, name="t.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(content.encode(encoding))
    return str(tmp_path / name)


def load(path, settings, encoding="bag", **given):
    most = given.pop("max_unreadable", 0)
    return assemble(text(path, **given), {**settings, "max_unreadable": most}, 0, "auto", encoding=lambda: encoding)


def told(path, settings, **given):
    with pytest.raises(Refusal) as caught:
        load(path, settings, **given)
    return " | ".join(caught.value.lines())


def all_texts(data):
    splits = (data.train, data.val, data.compare_test())
    return sorted((split.texts[k], data.classes[int(split.targets[k])]) for split in splits for k in range(len(split)))


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("t.csv", "\n".join(rows()), "utf-8"),
        ("t.csv", "\n".join(["verdict,review", *rows()]), "utf-8-sig"),
        ("t.csv", "\n".join(rows()), "utf-16"),
        ("t.tsv", "\r\n".join(rows("\t")), "utf-8"),
        ("t.data", "\n".join(rows("|")), "utf-8"),
        ("t.txt", "\n".join(f"{label} {told}" for told, label in ITEMS), "utf-8"),
        ("t.txt", "\n".join(f"__label__{label} {told}" for told, label in ITEMS), "utf-8"),
        ("t.jsonl", "\n".join(json.dumps({"label": label, "text": told}) for told, label in ITEMS), "utf-8"),
        ("t.json", json.dumps([{"label": label, "text": told} for told, label in ITEMS]), "utf-8"),
    ],
)
def test_however_they_are_written_the_texts_are_the_same(name, content, encoding, tmp_path, settings):
    data = load(write(tmp_path, content, name, encoding), settings)
    assert (data.kind, data.classes) == ("text", ("bad", "good"))
    assert all_texts(data) == sorted(ITEMS)


def test_a_parquet_file_and_a_folder_a_class(tmp_path, settings):
    import polars as pl

    pl.DataFrame({"text": [t for t, _ in ITEMS], "label": [v for _, v in ITEMS]}).write_parquet(tmp_path / "t.parquet")
    for k, (told_, label) in enumerate(ITEMS):
        (tmp_path / "folder" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / label / f"{k:02}.txt").write_text(told_)
    assert all_texts(load(str(tmp_path / "t.parquet"), settings)) == sorted(ITEMS)
    data = load(str(tmp_path / "folder"), settings)
    assert all_texts(data) == sorted(ITEMS)
    assert data.train.called(0).startswith(("bad/", "good/"))


def test_splits_that_a_folder_names_are_kept(tmp_path, settings):
    write(tmp_path, "\n".join(rows()[:40]), "train.csv")
    write(tmp_path, "\n".join(rows()[40:]), "test.csv")
    data = load(str(tmp_path), settings)
    assert (len(data.train) + len(data.val), data.test_size) == (40, 20)


def test_labels_count_from_one_and_their_names_lie_beside(tmp_path, settings):
    content = "\n".join(
        f'"{1 + (label == "good")}","{told_}","more of it {k}"' for k, (told_, label) in enumerate(ITEMS)
    )
    (tmp_path / "classes.txt").write_text("Bad\nGood\n")
    data = load(write(tmp_path, content), settings)
    assert data.classes == ("Bad", "Good")
    assert all(("fine" in split.texts[0] or "more of it" in split.texts[0]) for split in (data.train, data.val))
    assert "column 1 and column 2" in data.notes[0]


def test_latin_letters_and_windows_dashes(tmp_path, settings):
    content = "\n".join(rows()).replace("number 3", "numéro 3 – là")
    data = load(write(tmp_path, content, encoding="cp1252"), settings)
    assert any("numéro 3 – là" in told_ for told_, _ in all_texts(data))


def test_what_is_no_text_is_named_by_its_row(tmp_path, settings):
    lines = [row.encode() for row in rows()]
    lines[3] = b"good,"
    lines[5] = b",no label here"
    lines[7] = b"good,caf\xe9 broken"
    lines[8] = "good,café whole".encode()
    lines[9] = "good,naïve whole".encode()
    lines[11] = b"good,one,two,three"
    (tmp_path / "t.csv").write_bytes(b"\n".join(lines))
    data = load(str(tmp_path / "t.csv"), settings, max_unreadable=4)
    assert {(t.where, t.reason) for t in data.unreadable} == {
        ("t.csv row 4", "the text is empty"),
        ("t.csv row 6", "has no label"),
        ("t.csv row 8", "byte 0xe9 at character 4 cannot be decoded"),
        ("t.csv row 12", "has 4 cells, others 2"),
    }
    assert "max_unreadable=4" in told(str(tmp_path / "t.csv"), settings)


def test_stray_quotes_of_a_tab_separated_file_swallow_nothing(tmp_path, settings):
    lines = rows("\t")
    lines[4] = 'good\t"he said and never closed'
    assert len(all_texts(load(write(tmp_path, "\n".join(lines), "t.tsv"), settings))) == len(ITEMS)


@pytest.mark.parametrize(
    ("content", "given", "says"),
    [
        ("", {}, "is empty"),
        ("\n".join(rows()), {"target": "nope"}, "no column 'nope'"),
        ("\n".join(rows()), {"encoding": "klingon"}, "no encoding"),
        ("\n".join(rows()), {"classes": "nowhere.txt"}, "no such file"),
        (NO_LABELS, {}, "which column is the label"),
        (NO_LABELS, {"separator": "label"}, "neither columns nor a label"),
        ("a\0b", {}, "not a text file"),
    ],
)
def test_what_cannot_be_read_is_refused(content, given, says, tmp_path, settings):
    assert says in told(write(tmp_path, content), settings, **given)


def test_identical_texts_stay_in_one_split(tmp_path, settings):
    content = "\n".join(f"{'bad' if k % 2 else 'good'},twin number {k // 2} of some" for k in range(240))
    data = load(write(tmp_path, content), {**settings, "val_fraction": 0.3})
    assert not set(data.train.texts) & set(data.val.texts)


def test_the_source_keeps_the_contract(tmp_path):
    path = write(tmp_path, "\n".join(rows()))
    check_source(lambda: text(path))


def test_plain_lists_of_texts_are_texts(settings):
    values = [t for t, _ in ITEMS]
    labels = [v for _, v in ITEMS]
    for inputs in (values, np.array(values), np.array(values, dtype=object)):
        data = assemble({"train": (inputs, labels)}, settings, 0, "auto")
        assert data.kind == "text"
        assert data.input_shape == (len(data.features),)


def test_the_data_set_is_the_same_whatever_is_made_of_its_texts(tmp_path, settings):
    path = write(tmp_path, "\n".join(rows()))
    bag, tokens = load(path, settings), load(path, settings, encoding="tokens")
    assert bag.fingerprint == tokens.fingerprint
    assert bag.train.inputs.dtype == torch.float32
    assert tokens.train.inputs.dtype == torch.int64
