"""What transforms do to items, measured on the gallery's and on ones that break each rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recipe.config import compose
from recipe.gallery.exhibit import host_words
from recipe.ingredients import Ingredients
from recipe.probes.augmented import measure_augmented
from recipe.probes.just_before import show_just_before
from recipe.probes.transforms import measure_sampling, measure_transforms
from recipe.record.evidence import CannotMeasure, Shelf

AUGMENT = "regularizers.augment=[{_target_: recipe.training.augment.%s}]"
OWN = "data.train_transform=[{_target_: recipe.gallery.transforms.%s}]"


def ingredients(*words: str, host: str = "picture") -> Ingredients:
    return Ingredients(compose([*host_words(host), *words]))


def test_without_transforms_there_is_nothing_to_measure():
    with pytest.raises(CannotMeasure):
        measure_transforms(ingredients(), 0)
    with pytest.raises(CannotMeasure):
        measure_augmented(ingredients(), 0)


@pytest.mark.parametrize("words", [AUGMENT % "Noise", OWN % "Noise", OWN % "SmallShift"])
def test_healthy_augmentation_is_fresh_repeatable_and_leaves_the_data(words):
    found = measure_transforms(ingredients(words), 0)
    assert found.changed > 0.5
    assert found.by_epoch > 0.5
    assert found.by_item > 0.05
    assert (found.again, found.stored_changed, found.reseeded) == (True, False, ())


def test_a_generator_made_anew_is_heard_and_draws_the_same():
    found = measure_transforms(ingredients(OWN % "SameNoise"), 0)
    assert (found.by_epoch, found.by_item, found.reseeded) == (0.0, 0.0, ("numpy.random.default_rng",))


def test_what_works_in_place_is_seen_in_the_stored_data(monkeypatch):
    import recipe.gallery.transforms as transforms

    monkeypatch.setattr(transforms.SmallShift, "__call__", lambda self, x: x.mul_(0.5))
    assert measure_transforms(ingredients(OWN % "SmallShift"), 0).stored_changed


def test_a_generator_of_its_own_does_not_follow_the_seed(monkeypatch):
    import recipe.gallery.transforms as transforms

    own = np.random.default_rng(1)
    monkeypatch.setattr(transforms.SmallShift, "__call__", lambda self, x: x + float(own.normal()))
    assert not measure_transforms(ingredients(OWN % "SmallShift"), 0).again


def test_half_turns_make_nines_of_sixes_and_small_shifts_do_not():
    turned, shifted = (measure_augmented(ingredients(OWN % name), 0) for name in ("HalfTurn", "SmallShift"))
    assert (turned.lost[0].label, turned.lost[0].like) == ("class 6", "class 9")
    assert turned.lost[0].share.low > 0.05
    assert all(one.share.low < 0.02 for one in shifted.lost)


def test_a_sampler_is_followed_over_epochs():
    same = measure_sampling(ingredients("train.sampler._target_=recipe.gallery.losses.SameBatch"), 0)
    assert same.seen == (32, 32, 32)
    plain = measure_sampling(ingredients(), 0)
    assert plain.seen[0] == plain.items


def test_just_before_shows_train_augmented_train_and_val(tmp_path):
    found = show_just_before(ingredients(OWN % "Noise"), 0, Shelf(tmp_path))
    assert [one.what for one in found.reaches] == ["train", "val", "train, augmented"]
    assert found.sheet.count == 30
    rows = show_just_before(ingredients(host="table"), 0, Shelf(tmp_path)).rows
    assert len(rows) == 8


def test_items_of_whole_numbers_have_no_distances():
    words = ["data._target_=recipe.gallery.data.cast_to_whole", "data.preprocess=none", AUGMENT % "Noise"]
    with pytest.raises(CannotMeasure, match="whole numbers"):
        measure_augmented(ingredients(*words), 0)


def test_random_numbers_outside_go_on_as_before():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    measure_sampling(ingredients(), 0)
    assert torch.equal(torch.rand(1), expected)


def test_data_with_classes_of_which_the_task_asks_nothing_have_no_labels_to_lose():
    words = ["data=digits", "task=autoencoder", "model=conv_autoencoder", AUGMENT % "Noise"]
    with pytest.raises(CannotMeasure, match="one class an item"):
        measure_augmented(Ingredients(compose(words)), 0)
