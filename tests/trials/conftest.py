"""Small ingredients for trials: digits, a small net, short runs; and a user's model that misbehaves on purpose."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.trials import processes

WORDS = ["model=mlp", "model.width=16", "model.depth=1", "train.batch_size=64", "train.epochs=1"]


@pytest.fixture(scope="session")
def ingredients() -> Ingredients:
    made = Ingredients(compose(WORDS))
    _ = made.data
    return made


@pytest.fixture
def with_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ingredients]:
    """Ingredients with the user's own model `theirs.Net`, whose constructor begins with the given line of code."""

    def make(line: str) -> Ingredients:
        code = (
            "import os, time\nfrom pathlib import Path\nfrom torch import nn\n\n"
            "class Net(nn.Sequential):\n"
            "    def __init__(self, num_outputs):\n"
            f"        {line}\n"
            "        super().__init__(nn.Flatten(), nn.Linear(64, num_outputs))\n"
        )
        (tmp_path / "theirs.py").write_text(code)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(str(tmp_path))
        sys.modules.pop("theirs", None)
        processes.dismiss()  # workers know the folder and the modules of the command that they were started by
        return Ingredients(compose(["model=custom", "model._target_=theirs.Net", "trust=[theirs]", "train.epochs=1"]))

    return make
