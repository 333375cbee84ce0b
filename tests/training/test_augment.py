import pytest
import torch

from recipe.record.refusal import Refusal
from recipe.training.augment import Brightness, Contrast, Erase, Flip, Noise, Rotate, Shift
from recipe.training.counter import item_keys

PICTURES = torch.rand(64, 3, 8, 10, generator=torch.Generator().manual_seed(0)) + 1
KEYS = item_keys(0, 0, torch.arange(64))
ALL = [Shift(2), Flip(), Rotate(15, 0.1), Brightness(), Contrast(), Erase(0.3, 0.7), Noise(0.1)]


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
