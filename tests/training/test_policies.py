"""RandAugment and TrivialAugment in batches: the operations are torchvision's, one picture at a time gives the same."""

from __future__ import annotations

import pytest
import torch

from recipe.training.counter import item_keys
from recipe.training.policies import OPERATIONS, Rand, Reach, Trivial

PICTURES = (torch.rand(48, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 255).floor() / 255
KEYS = item_keys(0, 0, torch.arange(48))
functional = pytest.importorskip("torchvision.transforms.v2.functional")
REACH = Reach(shear=0.3, shift=0.45, degrees=30.0, factor=0.9, bits=4.0)


def ours(name: str, strength: float) -> torch.Tensor:
    return OPERATIONS[name](PICTURES, torch.full((48,), strength), REACH).clamp(0, 1)


@pytest.mark.parametrize("strength", [0.5, -0.5])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("brightness", functional.adjust_brightness),
        ("colour", functional.adjust_saturation),
        ("contrast", functional.adjust_contrast),
        ("sharpness", functional.adjust_sharpness),
    ],
)
def test_blends_are_those_of_torchvision(name, theirs, strength):
    assert torch.allclose(ours(name, strength), theirs(PICTURES, 1 + strength * REACH.factor), atol=2e-3)


def test_levels_are_those_of_torchvision():
    codes = (PICTURES * 255).to(torch.uint8)
    assert torch.allclose(ours("auto-contrast", 0.3), functional.autocontrast(PICTURES), atol=1e-5)
    assert torch.equal(ours("solarize", 0.4), functional.solarize(PICTURES, 0.6))
    assert torch.allclose(ours("posterize", 1.0), functional.posterize(codes, 4) / 256, atol=1 / 256)
    assert torch.allclose(ours("equalize", 0.0), functional.equalize(codes) / 255, atol=1e-6)
    flat = torch.full((2, 1, 8, 8), 0.5)
    assert torch.equal(OPERATIONS["equalize"](flat, torch.zeros(2), REACH), flat)


@pytest.mark.parametrize("strength", [0.5, -0.5])
def test_turns_are_those_of_torchvision(strength):
    theirs = functional.rotate(PICTURES, -strength * 30.0, interpolation=functional.InterpolationMode.BILINEAR)
    middle = (..., slice(5, 15), slice(6, 18))
    found = ours("turn", strength)[middle]
    best = min((found - theirs[middle]).abs().max(), (ours("turn", -strength)[middle] - theirs[middle]).abs().max())
    assert best < 1e-3


def test_a_shift_moves_by_its_share_of_the_side():
    strength = 10 / (0.45 * 24)
    assert torch.allclose(ours("shift right", strength)[..., :14], PICTURES[..., 10:], atol=1e-4)
    assert ours("shift right", strength)[..., 15:].abs().max() == 0


@pytest.mark.parametrize("policy", [Trivial(), Rand(2, 9), Trivial([-1.0] * 3, [2.0] * 3)], ids=["all", "two", "ends"])
def test_a_picture_changes_alike_in_every_batch_and_stays_between_black_and_white(policy):
    shown = PICTURES * 3 - 1
    whole = policy(shown, KEYS)
    assert torch.equal(policy(shown[7:11], KEYS[7:11]), whole[7:11])
    assert not torch.equal(policy(shown, item_keys(0, 1, torch.arange(48))), whole)
    assert whole.min() >= -1 - 1e-5
    assert whole.max() <= 2 + 1e-5
    changed = (whole - shown).flatten(1).abs().amax(1) > 1e-3
    assert 0.6 < float(changed.float().mean()) <= 1


def test_grey_pictures_have_no_colour_to_change():
    grey = PICTURES[:, :1]
    assert Trivial()(grey, KEYS).shape == grey.shape
