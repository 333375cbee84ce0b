"""D6 on small data: a planted shortcut is found with its cause, and its healthy twin is not spoken of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.digits import digits
from recipe.data.scan import Scan
from recipe.probes.inspect_combinations import measure_combinations
from recipe.probes.inspect_marks import measure_marks
from recipe.probes.inspect_shortcuts import measure_shortcuts
from recipe.testing import run_check


def made(x, y, **more):
    return assemble({"train": (x, y), **more}, compose([]).plain["data"], 0, "auto")


@pytest.fixture(scope="module")
def pixels():
    """Digits in [0, 1] (1797, 1, 8, 8) in a fixed random order, and labels."""
    x, y = digits()["train"]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return (x[order].float() / 16).numpy(), y[order].numpy()


def attributes(x, y, **more):
    found = run_check("shortcut-attributes", shortcuts=measure_shortcuts(Scan(made(x, y, **more)), seed=0))
    return found.verdict, found.cause, found.where


def test_a_class_that_was_lit_otherwise_is_told_by_its_brightness():
    generator = np.random.default_rng(0)
    # Only where the pictures themselves tell less: digits are told as well without their brightness.
    x, y = generator.normal(size=(800, 1, 8, 8)).astype(np.float32), generator.integers(0, 2, 800)
    assert attributes(x, y)[0] == "pass"
    assert attributes(x + 0.6 * y[:, None, None, None].astype(np.float32), y)[:2] == ("warn", "attribute-predicts")


def test_a_number_given_beside_that_tells_a_class_is_found(pixels):
    x, y = (part[:900] for part in pixels)
    generator = np.random.default_rng(0)
    size = generator.normal(100, 10, len(y))
    given = {"attributes": {"train": {"file size": size}}}
    assert attributes(x, y, **given)[0] == "pass"
    given = {"attributes": {"train": {"file size": size + 60 * (y == 3)}}}
    assert attributes(x, y, **given) == ("warn", "attribute-predicts", "file size")


def regions(x, y):
    return run_check("shortcut-regions", marks=measure_marks(Scan(made(x, y)), seed=0))


def test_a_stamp_on_a_class_is_found_where_it_is(pixels):
    x, y = pixels
    assert regions(x, y).verdict == "pass"
    stamped = x.copy()
    stamped[y == 3, :, :2, 6:] = 1
    found = regions(stamped, y)
    assert (found.verdict, found.cause) == ("fail", "region-predicts")
    assert found.where == "rows 0 to 1, columns 6 to 7"


def rows(n=1000, columns=8):
    return np.random.default_rng(0).normal(size=(n, columns)).astype(np.float32)


def columns(x, y):
    found = measure_combinations(made(x, y), seed=0)
    return [run_check(f"telling-{what}", combinations=found).cause for what in ("columns", "combinations")]


@pytest.mark.parametrize(
    ("target", "causes"),
    [
        (lambda x: x[:, :4].sum(axis=1) + np.random.default_rng(1).normal(size=len(x)) > 0, ["", ""]),
        (lambda x: np.random.default_rng(1).integers(0, 2, len(x)), ["", ""]),
        (lambda x: x[:, 2] > 0.3, ["target-leak", ""]),
        (lambda x: (x[:, 2] > 0) ^ (x[:, 5] > 0), ["", "columns-decide"]),
    ],
    ids=["four columns and noise", "chance", "a limit of one", "one or the other, not both"],
)
def test_columns_that_decide_are_named_and_columns_that_help_are_not(target, causes):
    x = rows()
    assert [cause or "" for cause in columns(x, target(x).astype(np.int64))] == causes
