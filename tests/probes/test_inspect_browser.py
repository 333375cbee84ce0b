"""What the browser's probe chooses, and that its columns, texts and pictures are those of the items."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.scan import Scan
from recipe.data.sprites import encoded
from recipe.probes import inspect_browser
from recipe.probes.inspect_browser import measure_browser
from recipe.probes.inspect_outliers import measure_outliers
from recipe.record.browser import Browser, Listing
from recipe.record.data import Item, Reading
from recipe.record.evidence import Shelf
from recipe.record.plain import from_json

GENERATOR = np.random.default_rng(0)
X3 = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)


def made(x, y, **more):
    return assemble({"train": (x, y), **more}, compose([]).plain["data"], 0, "auto")


def shown(data, shelf, **named):
    """The record, its columns by title, and its listing. named: what other evidence names."""
    if named:
        shelf.put("reading", Reading(kind="image", splits=(), **named))
    record = measure_browser(Scan(data), shelf, seed=0)
    raw = shelf.side(record.numbers).read_bytes()
    count = sum(record.shown.values())
    columns = {
        one.title: np.frombuffer(raw, np.dtype(one.number).newbyteorder("<"), count, one.start)
        for one in (*record.columns, *([record.cells] if record.cells else []))
    }
    return record, columns, from_json(shelf.side(record.listing).read_bytes(), Listing)


def pictures(n, side=12):
    found = (GENERATOR.random((n, side, side)) * 255).astype(np.uint8)
    found[:, 0, :2] = 0, 255  # the whole range, so that it is shown as it is
    return found


def test_all_of_train_and_val_are_shown_and_of_test_what_is_named(tmp_path):
    data = made(pictures(100), np.arange(100) % 2)
    name = data.sealed.called(3)
    item = Item(split="test", name=name, position=3)
    record, columns, listing = shown(data, Shelf(tmp_path), blank=(item,))
    assert record.shown == {"train": len(data.train), "val": len(data.val), "test": 1}
    assert listing.names[-1] == name
    assert columns["split"][-1] == 2
    assert record.named == 1


def test_of_many_a_stratified_sample_is_shown_with_all_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_browser, "MOST", 120)
    y = np.where(np.arange(1000) % 50 == 0, 1, 0)
    data = made(GENERATOR.normal(size=(1000, 3)).astype(np.float32), y)
    item = Item(split="train", name=data.train.called(11), position=11)
    record, columns, listing = shown(data, Shelf(tmp_path), blank=(item,))
    assert 100 <= sum(record.shown.values()) <= 120
    assert data.train.called(11) in listing.names
    assert int((columns["label"] == 1).sum()) == int((data.train.targets == 1).sum() + (data.val.targets == 1).sum())
    again = shown(data, Shelf(tmp_path / "again"))[2]
    assert set(again.names) - set(listing.names) <= set(again.names)


def test_the_sample_follows_the_seed_only(tmp_path, monkeypatch):
    monkeypatch.setattr(inspect_browser, "MOST", 50)
    data = made(pictures(200), np.arange(200) % 2)
    one, two = (shown(data, Shelf(tmp_path / name))[2] for name in "ab")
    assert one == two


def test_columns_are_those_of_the_items(tmp_path):
    data = made(pictures(80), np.arange(80) % 2)
    shelf = Shelf(tmp_path)
    scan = Scan(data)
    shelf.put("outliers", measure_outliers(scan, shelf, seed=0))
    record, columns, listing = shown(data, shelf)
    assert record.columns[2].title == "outlier distance"
    k = listing.names.index(data.val.called(2))
    assert columns["brightness"][k] == scan.splits["val"].attributes["brightness"][2]
    assert columns["place in the source"][k] == data.val.rows[2]
    assert np.isfinite(columns["outlier distance"][: record.shown["train"]]).all()


def test_each_item_has_its_own_picture(tmp_path):
    x = pictures(80)
    data = made(x, np.arange(80) % 2)
    item = Item(split="val", name=data.val.called(1), position=1)
    shelf = Shelf(tmp_path)
    record, columns, listing = shown(data, shelf, blank=(item,))
    first, rest = record.sprites
    assert (first.count, first.count + rest.count) == (1, len(listing.names))
    for name in (data.val.called(1), data.train.called(5), data.val.called(0)):
        cell = int(columns["cell"][listing.names.index(name)])
        group, cell = (first, cell) if cell < first.count else (rest, cell - first.count)
        sheet = np.asarray(Image.open(io.BytesIO(shelf.side(group.sides[0]).read_bytes())).convert("L"))
        top, left = 12 * (cell // group.across), 12 * (cell % group.across)
        assert np.array_equal(sheet[top : top + 12, left : left + 12], x[int(name[6:-1])])


def test_large_pictures_are_reduced_and_many_bytes_are_lossy():
    small = [np.full((8, 8), k % 255, dtype=np.uint8) for k in range(1500)]
    assert [Image.open(io.BytesIO(sheet)).size for sheet in encoded(small)] == [(256, 256), (256, 120)]
    noise = [pictures(1, 32)[0] for _ in range(64)] * 160
    assert sum(map(len, encoded(noise))) < 64 * 160 * 1024 * 0.7


def test_large_pictures_are_shown_in_small(tmp_path):
    record, _, _ = shown(
        made((GENERATOR.random((40, 3, 90, 120)) * 255).astype(np.uint8), np.arange(40) % 2), Shelf(tmp_path)
    )
    assert [(s.width, s.height) for s in record.sprites] == [(64, 48)]


@pytest.mark.parametrize("kind", ["words", "numbers"])
def test_what_a_users_decode_gives_is_shown_as_text(kind, tmp_path):
    decode = (lambda x: f"row {float(x[0]):.1f}") if kind == "words" else (lambda x: 2 * x)
    x = np.ones((40, 200), np.float32) * np.arange(40)[:, None]
    record, _, listing = shown(made(x, np.arange(40) % 2, decode=decode, kind="series"), Shelf(tmp_path))
    k = int(listing.names[0][6:-1])
    assert record.layout == "texts"
    assert listing.texts[0].startswith(f"row {k:.1f}" if kind == "words" else f"{2 * k:.4g} ")


def test_several_labels_numbers_and_groups_have_columns(tmp_path):
    x = GENERATOR.normal(size=(60, 4)).astype(np.float32)
    several, columns, listing = shown(made(x, (x[:, :2] > 0).astype(np.float32)), Shelf(tmp_path / "a"))
    assert (several.relabel, several.several) == ("classes", ("target 0", "target 1"))
    assert [several.columns[1].words[k] for k in columns["label"]] == list(listing.targets)
    assert set(several.columns[1].words) <= {"0 0", "0 1", "1 0", "1 1"}
    data = made(
        x, x[:, 0] * 3, groups={"train": np.arange(60) // 2}, attributes={"train": {"where": ["here", ""] * 30}}
    )
    numbers, columns, _ = shown(data, Shelf(tmp_path / "b"))
    assert numbers.relabel == "number"
    assert (numbers.columns[1].words, numbers.layout) == (None, "rows")
    titles = {one.title: one.words for one in numbers.columns}
    assert titles["where"] == ("here",)
    assert len(titles["group"]) <= 30
    assert set(columns["where"].tolist()) == {0, 1}


@pytest.mark.parametrize(
    ("targets", "relabel", "count"),
    [
        (X3 * 2, "numbers", 3),
        ((X3 > 0).astype(np.int64), "classes", 3),
        (np.repeat(X3, 30, axis=1), "nothing", 0),  # ninety numbers are not typed
        (np.arange(180).reshape(60, 3) % 7, "nothing", 0),  # tokens
        (None, "nothing", 0),
    ],
)
def test_what_a_new_label_may_be_follows_from_the_targets(targets, relabel, count, tmp_path):
    record, _, listing = shown(made(X3, targets), Shelf(tmp_path))
    assert (record.relabel, len(record.several)) == (relabel, count)
    assert len(listing.targets) == (len(listing.names) if count else 0)


def test_the_record_can_be_read_again(tmp_path):
    shelf = Shelf(tmp_path)
    record, _, _ = shown(made(pictures(60), np.arange(60) % 2), shelf)
    shelf.put("browser", record)
    assert shelf.get("browser", Browser) == record
