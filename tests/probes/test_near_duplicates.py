"""Near twins planted in pictures, texts and rows are found and counted; data without any are left alone."""

from __future__ import annotations

import io

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.scan import Scan
from recipe.data.table import table
from recipe.data.texts import Texts
from recipe.likeness.neighbours import nearest
from recipe.likeness.pairs import clusters
from recipe.likeness.picture_twins import find_picture_twins
from recipe.likeness.row_twins import find_row_twins
from recipe.likeness.text_twins import find_text_twins, normalised
from recipe.probes.inspect_near_duplicates import measure_near_duplicates
from recipe.probes.inspect_repeated_rows import measure_repeated_rows
from recipe.record.evidence import CannotMeasure, Shelf
from recipe.record.suspects import suspects_on


def scanned(**mapping) -> Scan:
    return Scan(assemble(mapping, {**compose([]).plain["data"], "test_fraction": 0}, 0, "auto"))


@pytest.fixture(scope="module")
def shots():
    """uint8 (400, 3, 32, 32): as photographs have them, waves as strong as they are long; no two are related."""
    rng = np.random.default_rng(0)
    length = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32)))
    grey = np.fft.ifft2(np.fft.fft2(rng.normal(size=(400, 1, 32, 32))) / (length + 1 / 32)).real
    made = grey + 0.1 * grey.std() * rng.normal(size=(400, 3, 1, 1))
    return np.clip(128 + 50 * made / grey.std(), 0, 255).astype(np.uint8)


def changed(picture: np.ndarray, how: str) -> np.ndarray:
    from PIL import Image

    shown = Image.fromarray(picture.transpose(1, 2, 0))
    if how == "crop":
        shown = shown.crop((2, 1, 31, 30)).resize((32, 32), Image.Resampling.BICUBIC)
    elif how == "light":
        shown = shown.point(lambda v: int(0.7 * v + 10))
    elif how == "jpeg":
        held = io.BytesIO()
        shown.save(held, "JPEG", quality=50)
        shown = Image.open(held)
    elif how == "mirror":
        shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    told = np.asarray(shown).transpose(2, 0, 1)
    return np.roll(told, 2, axis=2) if how == "shift" else told


@pytest.mark.parametrize("how", ["crop", "light", "jpeg", "shift", "mirror"])
def test_a_picture_shown_in_another_way_is_found(how, shots):
    copies = np.stack([changed(picture, how) for picture in shots[:40]])
    found = find_picture_twins(np.concatenate([shots, copies]))
    expected = {(k, 400 + k) for k in range(40)}
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert len(pairs & expected) >= 36
    assert len(pairs - expected) <= 1
    assert abs(found.mirrored.mean() - (how == "mirror")) < 0.1


def test_unrelated_pictures_have_none(shots):
    assert len(find_picture_twins(shots).first) <= 1
    assert len(find_picture_twins(shots[:10]).first) == 0


def test_near_twins_are_counted_by_split_label_and_cluster(shots, tmp_path):
    light = [changed(p, "light") for p in shots[:30]]
    val = np.stack([*light, *shots[300:400]])
    train = np.concatenate([shots[:300], np.stack([changed(p, "jpeg") for p in shots[:10]])])
    y = np.arange(310) % 2
    y[300:] = y[:10]
    vy = np.concatenate([np.where(np.arange(30) < 5, 1 - y[:30], y[:30]), np.arange(100) % 2])
    shelf = Shelf(tmp_path)
    record = measure_near_duplicates(scanned(train=(train, y), val=(val, vy)), shelf)
    across = record.across[0]
    assert (across.split, across.other) == ("val", "train")
    assert 27 <= across.items <= 31
    assert across.same <= across.items - 4
    assert 18 <= record.of("train").within <= 22
    assert record.of("val").disagree >= 4
    assert record.of("val").fresh == 130 - across.items
    assert record.largest == 3
    assert record.spanning >= 27
    assert record.apart > 0.5
    assert record.across_twins[0].items[0].note.startswith(("likeness 0.9", "likeness 1.0"))
    assert [item.split for item in record.across_twins[0].items] == ["train", "val"]
    groups = shelf.side(record.groups).read_text().splitlines()
    assert groups[0] == "split,item,position,group"
    assert sum(line.startswith('val,"val[') for line in groups) == across.items
    shelf.put("near_duplicates", record)
    named = {one.field: one.pairs for one in suspects_on(shelf)}
    assert named["across_twins"]


def test_the_same_pictures_give_the_same_evidence(shots, tmp_path):
    import torch

    train = (np.concatenate([shots, np.stack([changed(p, "crop") for p in shots[:20]])]), np.arange(420) % 2)
    records = []
    for threads in (1, 2):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        records.append(measure_near_duplicates(scanned(train=train), Shelf(tmp_path / str(threads))))
        torch.set_num_threads(before)
    assert records[0] == records[1]


class TestRows:
    @pytest.mark.parametrize(("variants", "noise"), [(3, 0.02), (4, 0.02), (5, 0.2)])
    def test_noisy_variants_of_one_subject_in_two_splits(self, variants, noise, tmp_path):
        rng = np.random.default_rng(0)
        rows = np.repeat(rng.normal(size=(120, 10)), variants, axis=0)
        rows = (rows + noise * rng.normal(size=rows.shape)).astype("float32")
        order = rng.permutation(len(rows))
        x, y = rows[order], np.repeat(np.arange(120) % 3, variants)[order]
        cut = 3 * len(x) // 4
        record = measure_near_duplicates(scanned(train=(x[:cut], y[:cut]), val=(x[cut:], y[cut:])), Shelf(tmp_path))
        assert record.across[0].share.mean > 0.85
        assert record.largest <= 2 * variants

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("columns", [2, 5, 12, 40])
    def test_a_plain_cloud_has_hardly_any(self, seed, columns):
        rows = np.random.default_rng(seed).normal(size=(1500, columns)).astype("float32")
        assert len(find_row_twins(rows, one_unit=False).first) <= 5

    def test_categories_are_alike_by_nature(self, tmp_path):
        rng = np.random.default_rng(1)
        x = rng.integers(0, 3, size=(200, 4)).astype("float32")
        record = measure_near_duplicates(scanned(train=(x, rng.integers(0, 2, 200))), Shelf(tmp_path))
        assert record.across[0].items == 0

    def test_the_nearest_of_many_are_nearly_those_of_an_exact_search(self):
        import torch

        generator = torch.Generator().manual_seed(0)
        x = torch.randn(7500, 16, generator=generator).repeat(2, 1)
        x = torch.nn.functional.normalize(x + 0.1 * torch.randn(x.shape, generator=generator), dim=1)
        found = nearest(x, x, 5)
        twin = (torch.arange(15_000) + 7500) % 15_000
        assert (found.point[:, 0] == twin).float().mean() > 0.9
        some = torch.arange(0, 15_000, 100)
        assert (found.point[some] != some[:, None]).all()


class TestTexts:
    def test_case_marks_numbers_and_a_changed_word(self):
        first = "The quick brown fox jumps over the lazy dog, and 3 cats sleep in the warm sun all day."
        others = [f"A sentence of its own with number {k} about {'abcdefghij'[k] * 9} things, places" for k in range(3)]
        texts = [first, *others, first.upper().replace("3", "17"), first.replace("warm", "hot")]
        pairs = find_text_twins(texts)
        told = dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.likeness, strict=True))
        assert told[0, 4] == 1
        assert told[0, 5] > 0.7
        assert normalised("It's 12:30!") == "it s 0 0"

    def test_short_texts_are_compared_as_a_whole(self):
        pairs = find_text_twins(["so good", "So good!", "so bad", "", "..."])
        assert list(zip(pairs.first, pairs.second, strict=True)) == [(0, 1)]

    def test_across_splits_through_the_scan(self, tmp_path):
        words = np.random.default_rng(0).choice(
            [a + b + c for a in "bcdfg" for b in "aeiou" for c in "klmnprst"], size=(80, 12)
        )
        texts = [" ".join(row) for row in words]
        later = [texts[3] + "!", *texts[60:]]
        labels = np.arange(60) % 2, np.arange(len(later)) % 2
        data = scanned(train=(Texts(texts[:60]), labels[0]), val=(Texts(later), labels[1]), kind="text")
        record = measure_near_duplicates(data, Shelf(tmp_path))
        assert record.across[0].items == 1
        assert sorted(record.texts.values()) == sorted([texts[3], texts[3] + "!"])

    def test_real_texts_have_few(self, shared_data):
        lines = (shared_data("text") / "rt_polarity" / "rt-polarity.all").read_text(encoding="latin-1").splitlines()
        assert len(find_text_twins([line.partition(" ")[2] for line in lines if line.strip()]).first) <= 5


class TestTables:
    def written(self, folder, rows):
        path = folder / "table.csv"
        path.write_text("id,a,b,c,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
        return table(str(path), "y")

    def test_rows_that_only_an_id_tells_apart_are_named_with_it(self, tmp_path):
        rng = np.random.default_rng(0)
        rows = [[k, *rng.integers(0, 1000, 3), k % 2] for k in range(200)]
        again = [[200 + k, *rows[k][1:]] for k in range(60)]
        record = measure_repeated_rows(scanned(**self.written(tmp_path, rows + again)))
        assert (record.whole, record.inputs, record.torn) == (0, 0, 0)
        assert [(one.columns, one.rows, one.numbers) for one in record.alone] == [(("id",), 60, True)]
        assert record.alone[0].across["val"] > 0.02
        assert record.alone[0].twins[0].items[0].split == "train"

    def test_the_one_cell_that_differs_is_named(self, tmp_path):
        rng = np.random.default_rng(0)
        rows = [[k % 50, *rng.integers(0, 1000, 3), k % 2] for k in range(200)]
        again = [[*rows[k][:2], 2000 + k, *rows[k][3:]] for k in range(30)]
        record = measure_repeated_rows(scanned(**self.written(tmp_path, rows + again)))
        assert [(one.columns, one.rows, one.numbers) for one in record.alone] == [(("b",), 30, False)]

    @pytest.mark.parametrize(("colour", "repeated"), [("red", 240), ("white", 937)])
    def test_wines_have_their_known_repeats(self, colour, repeated, shared_data):
        data = table(str(shared_data("tabular") / "wine_quality" / f"winequality-{colour}.csv"), -1)
        record = measure_repeated_rows(scanned(**data))
        assert (record.whole, record.inputs) == (repeated, repeated)

    def test_what_is_no_table_says_so(self, shots):
        with pytest.raises(CannotMeasure, match="no table"):
            measure_repeated_rows(scanned(train=(shots[:60], np.arange(60) % 2)))


def test_clusters_are_connected_pairs():
    numbers = clusters(np.array([0, 1, 4]), np.array([1, 2, 5]), 6)
    assert len(set(numbers.tolist())) == 3
    assert numbers[0] == numbers[2] != numbers[3]


def test_published_twins_of_cifar10_are_found(shared_data):
    from PIL import Image

    top = shared_data("cifar10")
    kept = []
    for number, wanted in ((1, [1, 2362, 6801, 9148, 9640]), (0, [2901, 6080, 7052, 7293])):
        grid = np.asarray(
            Image.open(top / (f"data_batch_{number}.webp" if number else "test_batch.webp")).convert("RGB")
        )
        tiles = grid.reshape(100, 32, 100, 32, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, 32, 32)
        kept += [tiles[wanted], tiles[9000:9800]]
    found = find_picture_twins(np.concatenate(kept))
    pairs = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    # Barz and Denzler's first pairs: test 7052 = train 2362, 2901 = 6801, 6080 = 9148, 7293 = 9640.
    assert {(1, 807), (2, 805), (3, 806), (4, 808)} <= pairs
    assert len(pairs) <= 12
