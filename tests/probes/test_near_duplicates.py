"""Near twins planted in pictures, texts and rows are found; data without any are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.scan import Scan
from recipe.data.texts import Texts
from recipe.likeness.row_twins import find_row_twins
from recipe.likeness.text_twins import find_text_twins, normalised
from recipe.probes.inspect_near_duplicates import measure_near_duplicates
from recipe.record.evidence import CannotMeasure
from recipe.testing import run_check


def scanned(**mapping) -> Scan:
    return Scan(assemble(mapping, {**compose([]).plain["data"], "test_fraction": 0}, 0, "auto"))


def found(check: str, record):
    return run_check(check, near_duplicates=record)


class TestRows:
    def test_noisy_variants_of_one_subject_in_two_splits(self):
        rng = np.random.default_rng(0)
        subjects = rng.normal(size=(120, 10))
        rows = np.repeat(subjects, 4, axis=0) + 0.02 * rng.normal(size=(480, 10))
        order = rng.permutation(480)
        x, y = rows[order].astype("float32"), np.repeat(np.arange(120) % 3, 4)[order]
        record = measure_near_duplicates(scanned(train=(x[:360], y[:360]), val=(x[360:], y[360:])))
        assert record.across[0].share.mean > 0.9
        assert found("near-duplicates-across-splits", record).cause == "near-duplicates-across-splits"

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("columns", [2, 5, 12, 40])
    def test_a_plain_cloud_has_hardly_any(self, seed, columns):
        rows = np.random.default_rng(seed).normal(size=(1500, columns)).astype("float32")
        assert len(find_row_twins(rows).first) <= 5

    def test_categories_are_alike_by_nature(self):
        rng = np.random.default_rng(1)
        x = rng.integers(0, 3, size=(200, 4)).astype("float32")
        with pytest.raises(CannotMeasure, match="alike by nature"):
            measure_near_duplicates(scanned(train=(x, rng.integers(0, 2, 200))))


class TestTexts:
    def test_case_marks_numbers_and_a_changed_word(self):
        first = "The quick brown fox jumps over the lazy dog, and 3 cats sleep in the warm sun all day."
        others = [f"A sentence of its own with number {k} about {'abcdefghij'[k]} things and places" for k in range(10)]
        texts = [first, *others, first.upper().replace("3", "17"), first.replace("warm", "hot")]
        pairs = find_text_twins(texts)
        assert {(0, 11), (0, 12)} <= set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        assert normalised("It's 12:30!") == "it s 0 0"

    def test_across_splits_through_the_scan(self):
        words = np.random.default_rng(0).choice(
            [a + b + c for a in "bcdfg" for b in "aeiou" for c in "klmnprst"], size=(80, 12)
        )
        texts = [" ".join(row) for row in words]
        later = [texts[3] + "!", *texts[60:]]
        labels = np.arange(60) % 2, np.arange(len(later)) % 2
        record = measure_near_duplicates(
            scanned(train=(Texts(texts[:60]), labels[0]), val=(Texts(later), labels[1]), kind="text")
        )
        assert record.across[0].items == 1


class TestPictures:
    def test_shifted_and_brightened_copies_are_found_and_digits_have_none(self):
        rng = np.random.default_rng(0)
        pictures = rng.random((300, 1, 4, 4)).repeat(6, axis=2).repeat(6, axis=3)
        pictures = np.clip(pictures * 200 + 10 * rng.random(pictures.shape), 0, 255).astype("uint8")
        copies = np.clip(np.roll(pictures[:20], 1, axis=3) * 1.1, 0, 255).astype("uint8")
        y = np.arange(300) % 2
        record = measure_near_duplicates(scanned(train=(pictures, y), val=(copies, y[:20])))
        assert record.across[0].items >= 15
        from recipe.ingredients import Ingredients

        digits = measure_near_duplicates(Scan(Ingredients(compose([])).data))
        assert found("near-duplicates-across-splits", digits).verdict == "pass"


def test_twins_under_two_labels_warn_where_they_are_many():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 8)).astype("float32")
    x = np.concatenate([rows, rows[:40] + 0.01])
    y = np.concatenate([np.arange(200) % 2, (np.arange(40) + 1) % 2])
    record = measure_near_duplicates(scanned(train=(x, y)))
    assert found("near-twin-labels", record).cause == "near-twin-labels"
    assert found("near-duplicates", record).verdict == "warn"
