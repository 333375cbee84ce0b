"""Memory stays flat: ten thousand steps need no more than the first thousand did."""

from __future__ import annotations

import subprocess
import sys

import pytest

GROWTH = 0.01
PROGRAM = """
import sys
from pathlib import Path

import torch

from recipe.config import compose
from recipe.ingredients import Ingredients

kept = []


class Resident:
    seen = []

    def after_backward(self, step, learner):
        if "leak" in sys.argv:
            kept.append(bytes(8192))

    def after_step(self, step, learner):
        if step in (1_000, 9_999):
            self.seen.append(int(Path("/proc/self/statm").read_text().split()[1]))


torch.set_num_threads(1)
words = ["model=mlp", "model.width=32", "train.batch_size=32", "train.epochs=1000", "optimizer.lr=1e-3", "device=cpu"]
words += ["regularizers.augment=[{_target_: recipe.training.augment.Shift, pixels: 1}]"]
ingredients = Ingredients(compose(words))
ingredients.train(0, steps=10_000, watchers=[Resident()])
print(*Resident.seen)
"""


def growth(*words: str) -> float:
    """Of resident memory, from step 1,000 to step 10,000 of a run with augmentation, validation and its history."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    early, late = map(int, done.stdout.split())
    return late / early - 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_over_ten_thousand_steps() -> None:
    assert growth() < GROWTH


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_leak_of_a_few_kilobytes_a_step_would_be_noticed() -> None:
    assert growth("leak") > GROWTH
