"""Every shipped source keeps the contract; a source that does not is found out."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from recipe.data.arrays import arrays
from recipe.data.digits import digits
from recipe.data.image_folder import image_folder
from recipe.data.table import table
from recipe.testing import check_source

GENERATOR = np.random.default_rng(0)


def test_digits():
    check_source(digits)


def test_image_folders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for k in range(12):
            Image.fromarray(GENERATOR.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(tmp_path / name / f"{k}.png")
    check_source(lambda: image_folder(str(tmp_path)))


def test_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", x=GENERATOR.normal(size=(40, 3)), y=np.arange(40) % 2)
    check_source(lambda: arrays(str(tmp_path / "a.npz")))


def test_tables(tmp_path):
    rows = [f"{k},{k % 5},{'a' if k % 3 else ''},{k * 0.5}" for k in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["n,m,c,y", *rows]))
    check_source(lambda: table(str(tmp_path / "t.csv"), "y"))


def test_a_source_that_differs_from_load_to_load_is_found_out():
    unseeded = np.random.default_rng()

    def source():
        return {"train": (unseeded.normal(size=(40, 3)), np.arange(40) % 2)}

    with pytest.raises(AssertionError, match="loading twice"):
        check_source(source)


def test_a_source_whose_targets_change_is_found_out():
    class Moving:
        def __init__(self):
            self.reads = 0

        def __len__(self):
            return 40

        def __getitem__(self, index):
            self.reads += 1
            return np.full(3, index, np.float32), (index + (self.reads > 200)) % 2

    moving = Moving()
    with pytest.raises(AssertionError):
        check_source(lambda: {"train": moving})
