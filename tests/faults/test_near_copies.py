"""Near copies at every dose are counted; much of them is said, none of them is not, whatever the seed."""

from __future__ import annotations

import numpy as np
import pytest
from zoo import near_copies

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.scan import Scan
from recipe.probes.inspect_near_duplicates import measure_near_duplicates
from recipe.probes.inspect_repeated_rows import measure_repeated_rows
from recipe.record.evidence import Shelf
from recipe.testing import run_check

CHECKS = ("near-duplicates-across-splits", "near-duplicates", "mirrored-copies", "near-twin-labels")
DOSES = [(0.0, "pass"), (0.005, "pass"), (0.05, "warn"), (0.2, "fail")]


def scanned(given, seed=0):
    return Scan(assemble(given, {**compose([]).plain["data"], "test_fraction": 0}, seed, "auto"))


def near(given, folder, seed=0):
    return measure_near_duplicates(scanned(given, seed), Shelf(folder))


def loud(record):
    found = {name: run_check(name, near_duplicates=record) for name in CHECKS}
    return {name: one.message for name, one in found.items() if one.verdict in ("warn", "fail")}


def about(items, share):
    return abs(items - share * near_copies.VAL) <= 1 + 0.05 * share * near_copies.VAL


def verdict(record, check="near-duplicates-across-splits"):
    return run_check(check, near_duplicates=record).verdict


@pytest.mark.parametrize(("share", "expected"), DOSES)
def test_pictures_shown_again(share, expected, tmp_path):
    record = near(near_copies.pictures(share), tmp_path)
    assert about(record.across[0].items, share)
    assert record.mirrored_across[0].items <= 1
    assert verdict(record) == expected


@pytest.mark.parametrize(("share", "expected"), DOSES[2:])
def test_pictures_mirrored_are_told_apart(share, expected, tmp_path):
    record = near(near_copies.pictures(share, "mirrored"), tmp_path)
    assert about(record.mirrored_across[0].items, share)
    assert record.across[0].items <= 1
    assert (verdict(record, "mirrored-copies"), verdict(record)) == (expected, "pass")


@pytest.mark.parametrize(("share", "expected"), [(0.0, "pass"), (0.02, "warn"), (0.05, "warn"), (0.2, "fail")])
def test_texts_with_another_word(share, expected, tmp_path):
    record = near(near_copies.texts(share), tmp_path)
    assert about(record.across[0].items, share)
    assert verdict(record) == expected


@pytest.mark.parametrize("noise", [0.01, 0.03])
@pytest.mark.parametrize(("share", "expected"), [(0.0, "pass"), (0.02, "pass"), (0.08, "warn"), (0.2, "fail")])
def test_measurements_made_again(share, expected, noise, tmp_path):
    record = near(near_copies.measurements(share, noise), tmp_path)
    assert about(record.across[0].items, share)
    assert verdict(record) == expected


@pytest.mark.parametrize(("whole", "torn"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.05), (0.2, 0.05)])
def test_rows_again_with_their_target_and_without(whole, torn, tmp_path):
    record = measure_repeated_rows(scanned(near_copies.rows(tmp_path, whole, torn)))
    again, other = round(whole * near_copies.ITEMS), round(torn * near_copies.ITEMS)
    assert (record.whole, record.inputs, record.torn) == (again, again + other, 2 * other)
    assert run_check("repeated-rows", repeated_rows=record).verdict == "pass"


class TestHealthy:
    @pytest.mark.parametrize("seed", range(3))
    def test_digits(self, seed, tmp_path):
        assert loud(near(digits(), tmp_path, seed)) == {}

    @pytest.mark.parametrize("seed", range(3))
    def test_texts_and_measurements(self, seed, tmp_path):
        assert loud(near(near_copies.texts(0, seed), tmp_path)) == {}
        assert loud(near(near_copies.measurements(0, seed=seed), tmp_path)) == {}

    @pytest.mark.parametrize("seed", range(3))
    def test_moons_as_a_table(self, seed, tmp_path):
        from sklearn.datasets import make_moons

        x, y = make_moons(1000, noise=0.2, random_state=seed)
        wide = np.concatenate([x, np.sin(x), x * x], axis=1).astype("float32")
        for rows in (x.astype("float32"), wide):
            assert loud(near({"train": (rows, y)}, tmp_path, seed)) == {}
