from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from recipe.config import compose
from recipe.ingredients import Ingredients
from recipe.models.zoo import from_torchvision
from recipe.probes.first_filters import SHOWN, first_filters, first_layer, noise_of
from recipe.record.evidence import CannotMeasure, Shelf


def stripes(count: int = 8, side: int = 9) -> Tensor:
    wave = torch.sin(torch.arange(side) / side * 2 * math.pi)
    return wave.expand(count, 3, side, side)


def test_independent_weights_score_one_and_smooth_ones_near_nought() -> None:
    torch.manual_seed(0)
    noise = torch.randn(256, 3, 5, 5)
    assert float(noise_of(noise).mean()) == pytest.approx(1, abs=0.05)
    assert float(noise_of(stripes()).max()) < 0.2
    assert float(noise_of(stripes() + 0.1 * torch.randn(8, 3, 9, 9)).mean()) < 0.3
    checks = (torch.arange(9)[:, None] + torch.arange(9)) % 2 * 2.0 - 1
    assert float(noise_of(checks.expand(1, 1, 9, 9))) > 1.5
    assert bool(noise_of(torch.ones(1, 1, 3, 3)).isnan().all())


def test_the_size_of_the_weights_does_not_matter() -> None:
    torch.manual_seed(0)
    filters = torch.randn(4, 1, 3, 3)
    assert torch.allclose(noise_of(filters), noise_of(filters * 1000 + 7), rtol=1e-3)


def test_the_first_layer_is_found_in_convolutional_and_dense_nets() -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5))
    name, filters = first_layer(dense, (3, 8, 8))
    assert (name, tuple(filters.shape)) == ("1", (5, 3, 8, 8))
    assert torch.equal(filters[2].flatten(), dense[1].weight[2])
    name, filters = first_layer(from_torchvision("resnet18", 5, (3, 64, 64)), (3, 64, 64))
    assert (name, tuple(filters.shape)) == ("conv1", (64, 3, 7, 7))


@pytest.mark.parametrize(
    ("model", "shape", "told"),
    [
        (nn.Linear(9, 2), (9,), "no pictures"),
        (nn.Conv2d(1, 4, 1), (1, 8, 8), "no filters of 3 pixels"),
        (nn.Sequential(nn.Unfold(2), nn.Linear(4, 8), nn.Linear(64, 2)), (1, 8, 8), "no filters of 3 pixels"),
    ],
)
def test_what_has_no_filters_says_so(model: nn.Module, shape: tuple[int, ...], told: str) -> None:
    with pytest.raises(CannotMeasure, match=told):
        first_layer(model, shape)


def test_training_on_pictures_makes_filters_smoother_than_they_began(tmp_path: Path) -> None:
    made = Ingredients(compose(["model=mlp", "model.width=128", "model.depth=1", "train.epochs=10"]))
    found = first_filters(made.model(0), made.train(0).model, made.input_shape, Shelf(tmp_path))
    assert (found.count, found.shape, found.sheet.count) == (128, (1, 8, 8), SHOWN)
    before, after = (torch.tensor(values) for values in (found.noise_at_start, found.noise))
    assert float(before.nanmedian()) == pytest.approx(1, abs=0.05)
    gain = (before - after).nan_to_num()
    assert float(gain.mean() / (gain.std() / 128**0.5)) > 3
    assert (tmp_path / found.sheet.side).read_bytes().startswith(b"\x89PNG")
    assert found.sheet.captions[0].startswith("noise 0.")
