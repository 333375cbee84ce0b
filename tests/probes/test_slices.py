from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from recipe.data.data import Split
from recipe.probes.slices import holm, measure_slices
from recipe.record.evidence import CannotMeasure
from recipe.tasks.classification import Classification

N = 400


def split(attributes):
    inputs = torch.zeros(N, 2, dtype=torch.int64)
    return Split(
        name="test", inputs=inputs, targets=torch.zeros(N, dtype=torch.int64), origin="test", rows=torch.arange(N),
        attributes=attributes,
    )  # fmt: skip


def measured(wrong, attributes):
    """Items that are wrong where `wrong` says so."""
    train = split({})
    ingredients = SimpleNamespace(task=Classification(2), data=SimpleNamespace(kind="array", train=train))
    said = torch.stack([1 - torch.tensor(wrong), torch.tensor(wrong)], 1).float()
    return measure_slices(ingredients, split(attributes), said, torch.zeros(N, dtype=torch.int64))


def test_a_group_that_is_wrong_more_often_comes_first_with_its_numbers():
    camera = np.array(["a", "b"] * (N // 2))
    wrong = np.where(camera == "b", np.arange(N) % 3 == 0, np.arange(N) % 40 == 0).astype(float)
    found = measured(wrong, {"camera": camera, "noise": np.random.default_rng(0).normal(size=N)})
    worst = found.slices[0]
    assert (worst.attribute, worst.value, worst.items) == ("camera", "b", N // 2)
    assert worst.inside.low > worst.outside.high
    assert worst.p < 1e-6
    assert found.looked == 6


def test_among_many_columns_of_noise_nothing_is_found():
    generator = np.random.default_rng(1)
    found = []
    for _ in range(20):
        wrong = (generator.random(N) < 0.2).astype(float)
        slices = measured(wrong, {f"n{k}": generator.normal(size=N) for k in range(10)}).slices
        found.append(bool(slices) and slices[0].p < 0.05)
    assert sum(found) <= 3


def test_items_that_nothing_parts_are_not_sliced():
    with pytest.raises(CannotMeasure):
        measured(np.zeros(N), {})


def test_the_correction_is_that_of_holm():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
