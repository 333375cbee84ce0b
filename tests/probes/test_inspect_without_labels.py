"""Data without a label an item, for language models and autoencoders, are inspected without a word about labels."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.config import compose
from recipe.data.assemble import assemble
from recipe.data.chars import chars
from recipe.ingredients import Ingredients
from recipe.judge import judge
from recipe.record.run_directory import RunDirectory
from recipe.render.stories.inspect_data import story
from recipe.stages.inspect_data import tell
from recipe.stages.stage import Stage


def inspect(mapping, folder):
    composed = compose([f"run.dir={folder}", "data.test_fraction=0.1"])
    data = assemble(mapping, composed.plain["data"], 0, "auto")
    stage = Stage("inspect-data", Ingredients(composed, data=data), folder / "work", RunDirectory(folder))
    tell(stage)
    assert story(stage.shelf, None, [])
    return {finding.id: finding for finding in judge("inspect-data", stage.shelf)}


def text(tmp_path):
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), int(rng.integers(2, 9)))) for _ in range(200)]
    (tmp_path / "t.txt").write_text(" ".join(rng.choice(words, 60000)))
    return chars(str(tmp_path / "t.txt"), block_size=32)


def names(tmp_path):
    rng = np.random.default_rng(0)
    parts = ["an", "el", "mo", "ri", "ka", "zu", "be", "ti"]
    (tmp_path / "n.txt").write_text("\n".join("".join(rng.choice(parts, rng.integers(1, 8))) for _ in range(4000)))
    return chars(str(tmp_path / "n.txt"))


def numbers(tmp_path):
    return {"train": (np.random.default_rng(0).normal(size=(4000, 6)).astype("float32"), None)}


@pytest.mark.parametrize("make", [text, names, numbers])
def test_nothing_is_said_about_labels(make, tmp_path):
    findings = inspect(make(tmp_path), tmp_path / "run")
    assert {f.id: f.message for f in findings.values() if f.verdict in ("warn", "fail")} == {}
    assert findings["class-balance"].verdict == "skipped"
    assert findings["cross-split-duplicates"].verdict == "pass"
