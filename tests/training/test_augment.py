import pytest
import torch

from recipe.record.refusal import Refusal
from recipe.training.augment import (
    Blank,
    BlankTime,
    Brightness,
    Colour,
    Contrast,
    Crop,
    Erase,
    Flip,
    Noise,
    Rotate,
    Shift,
    Stretch,
)
from recipe.training.counter import item_keys

PICTURES = torch.rand(64, 3, 8, 10, generator=torch.Generator().manual_seed(0)) + 1
KEYS = item_keys(0, 0, torch.arange(64))
ALL = [
    Shift(2), Flip(), Rotate(15, 0.1), Stretch(0.2), Crop(0.7), Brightness(), Contrast(), Colour(), Erase(0.3, 0.7),
    Noise(0.1),
]  # fmt: skip


@pytest.mark.parametrize("augment", ALL, ids=lambda a: type(a).__name__)
def test_an_item_changes_alike_in_every_batch(augment):
    whole = augment(PICTURES, KEYS)
    assert whole.shape == PICTURES.shape
    assert not torch.equal(whole, PICTURES)
    assert torch.equal(augment(PICTURES[5:9], KEYS[5:9]), whole[5:9])
    assert not torch.equal(augment(PICTURES, item_keys(0, 1, torch.arange(64))), whole)


@pytest.mark.parametrize("augment", ALL[:-1], ids=lambda a: type(a).__name__)
def test_pictures_are_needed(augment):
    with pytest.raises(Refusal, match="needs pictures"):
        augment(torch.rand(4, 8), KEYS[:4])


def test_shift_moves_by_whole_pixels_and_fills_with_the_darkest():
    moved = Shift(2)(PICTURES, KEYS)
    padded = torch.nn.functional.pad(PICTURES, (2, 2, 2, 2), value=-1.0)
    dark = PICTURES.amin((2, 3), keepdim=True)
    seen = set()
    for item in range(64):
        crops = [(y, x, padded[item, :, y : y + 8, x : x + 10]) for y in range(5) for x in range(5)]
        found = [(y, x) for y, x, crop in crops if torch.equal(torch.where(crop < 0, dark[item], crop), moved[item])]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) > 15


def test_flip_mirrors_about_half():
    flipped = Flip()(PICTURES, KEYS)
    mirrored = (flipped == PICTURES.flip(-1)).flatten(1).all(1)
    kept = (flipped == PICTURES).flatten(1).all(1)
    assert torch.equal(mirrored, ~kept)
    assert 20 < int(mirrored.sum()) < 44


def test_rotation_of_a_round_blob_changes_nothing():
    y, x = torch.meshgrid(torch.arange(21) - 10, torch.arange(21) - 10, indexing="ij")
    blob = torch.exp(-(x**2 + y**2) / 18).expand(16, 1, 21, 21)
    assert (Rotate(90)(blob, KEYS[:16]) - blob).abs().max() < 0.03  # what linear interpolation costs
    assert torch.allclose(Rotate(0)(PICTURES, KEYS), PICTURES, atol=1e-5)


def test_rotation_keeps_shapes_of_oblong_pictures():
    # a quarter turn of a centred horizontal bar in a wide picture is a vertical bar of the same length in pixels
    bar = torch.zeros(1, 1, 21, 41)
    bar[..., 10, 15:26] = 1
    grid = Rotate(90)
    turned = max((grid(bar, item_keys(0, 0, torch.tensor([i]))) for i in range(400)), key=lambda t: t[..., 20].sum())
    assert abs(float(turned[..., 20].sum()) - 11) < 2.5


def test_erase_blanks_at_most_its_share():
    erased = Erase(0.25, 1.0, fill=-5.0)(PICTURES, KEYS)
    share = (erased == -5).float().mean((1, 2, 3))
    assert 0.05 < share.mean() < 0.25
    assert share.max() <= 0.4


def test_noise_works_on_tables_and_leaves_whole_numbers():
    table = torch.zeros(64, 500)
    assert abs(Noise(0.5)(table, KEYS).std() - 0.5) < 0.02
    assert torch.equal(Noise(0.5)(torch.arange(64)[:, None], KEYS), torch.arange(64)[:, None])


def test_contrast_keeps_the_mean():
    assert torch.allclose(Contrast(0.5)(PICTURES, KEYS).mean((1, 2, 3)), PICTURES.mean((1, 2, 3)), atol=1e-5)


def test_a_crop_is_a_part_of_the_picture_enlarged():
    ramp = torch.linspace(0, 1, 40).expand(64, 1, 40, 40).contiguous()
    cut = Crop(0.5)(ramp, KEYS)
    span = cut[..., -1] - cut[..., 0]
    assert float(span.max()) <= 1
    assert 0.45 < float(span.min()) < 0.6
    assert torch.allclose(Crop(1.0)(ramp, KEYS), ramp, atol=1e-5)


def test_stretching_keeps_the_middle():
    cross = torch.zeros(64, 1, 21, 21)
    cross[..., 10, :] = cross[..., 10] = 1
    wide = Stretch(0.3)(cross, KEYS)
    assert torch.allclose(wide[..., 10, 10], torch.ones(64, 1), atol=1e-4)
    assert not torch.allclose(wide, cross, atol=1e-2)


def test_blanks_are_zeros_of_about_the_share():
    rows = torch.rand(64, 50) + 1
    blanked = Blank(0.1)(rows, KEYS)
    assert ((blanked == 0) | (blanked == rows)).all()
    assert 0.07 < float((blanked == 0).float().mean()) < 0.13
    codes = torch.ones(64, 50, dtype=torch.int64)
    assert torch.equal(Blank(0.5)(codes, KEYS), codes)


def test_one_stretch_of_time_is_blanked():
    series = torch.rand(64, 40, 3) + 1
    gone = (BlankTime(0.5)(series, KEYS) == 0).all(2)
    assert gone.sum(1).max() <= 20
    edges = (gone[:, 1:] != gone[:, :-1]).sum(1)
    assert edges.max() <= 2
    assert 0.15 < float(gone.float().mean()) < 0.3
