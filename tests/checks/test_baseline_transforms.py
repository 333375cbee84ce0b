from __future__ import annotations

from typing import Any

from recipe.record.interval import Interval
from recipe.record.transforms import Augmented, JustBefore, LostClass, Reaches, Sampling, Transforms
from recipe.testing import run_check


def transforms(**fields: Any) -> Transforms:
    given = {
        "train": ("Noise",),
        "val": (),
        "items": 64,
        "changed": 1.0,
        "by_epoch": 1.0,
        "by_item": 1.0,
        "again": True,
    }
    return Transforms(**{**given, **fields})


def told(name: str, **evidence: Any) -> tuple[str, str]:
    found = run_check(name, **evidence)
    return found.verdict, found.cause


class TestAugmentation:
    def test_fresh_draws_pass(self):
        assert told("augmentation-varies", transforms=transforms()) == ("pass", "")

    def test_a_generator_made_anew_for_each_item_repeats(self):
        record = transforms(by_epoch=0.0, by_item=0.0, reseeded=("numpy.random.default_rng",))
        assert told("augmentation-varies", transforms=record) == ("fail", "augmentation-repeats")

    def test_one_draw_for_all_items_of_an_epoch_repeats(self):
        record = transforms(by_item=0.0, reseeded=("numpy.random.seed",))
        assert told("augmentation-varies", transforms=record) == ("fail", "augmentation-repeats")

    def test_a_fixed_change_is_preprocessing_that_val_lacks(self):
        record = transforms(by_epoch=0.0, by_item=0.0)
        assert told("augmentation-varies", transforms=record) == ("warn", "train-only-preprocessing")

    def test_what_changes_nothing_passes(self):
        assert told("augmentation-varies", transforms=transforms(changed=0.0, by_epoch=0.0))[0] == "pass"

    def test_it_follows_the_seed_and_leaves_the_stored_items(self):
        record = transforms(again=False, stored_changed=True)
        assert told("augmentation-is-repeatable", transforms=record) == ("warn", "augmentation-ignores-seed")
        assert told("stored-data-unchanged", transforms=record) == ("fail", "transform-in-place")
        assert told("stored-data-unchanged", transforms=transforms())[0] == "pass"


def augmented(after: float, lost: tuple[LostClass, ...] = ()) -> Augmented:
    plain, left = (Interval(v, v - 0.02, v + 0.02, 300) for v in (0.98, after))
    return Augmented(probe="nearest neighbours", items=300, chance=0.1, plain=plain, augmented=left, lost=lost)


def lost(mean: float, low: float, plain: float = 0.0) -> LostClass:
    return LostClass(label="6", like="9", share=Interval(mean, low, 2 * mean, 115), plain=plain, items=115)


class TestAugmented:
    def test_sixes_that_look_like_nines(self):
        record = augmented(0.96, (lost(0.11, 0.08),))
        assert told("labels-survive-augmentation", augmented=record) == ("fail", "augmentation-changes-labels")

    def test_a_few_astray_and_classes_that_look_alike_anyway_pass(self):
        for one in (lost(0.01, 0.002), lost(0.11, 0.08, plain=0.1)):
            assert told("labels-survive-augmentation", augmented=augmented(0.96, (one,)))[0] == "pass"

    def test_drowned_in_noise(self):
        assert told("augmentation-leaves-enough", augmented=augmented(0.24)) == ("warn", "augmentation-too-strong")
        assert told("augmentation-leaves-enough", augmented=augmented(0.83))[0] == "pass"


def sampling(seen: tuple[int, ...], sampler: str = "mine.Sampler") -> Sampling:
    return Sampling(sampler=sampler, items=1000, drawn=1000, seen=seen, most_often=3, shuffled=True)


class TestSampler:
    def test_the_same_few_again_and_again(self):
        assert told("sampler-visits-all", sampling=sampling((32, 32, 32))) == ("fail", "sampler-leaves-out-items")

    def test_with_replacement_is_fine_and_slow_growth_a_warning(self):
        assert told("sampler-visits-all", sampling=sampling((632, 865, 950)))[0] == "pass"
        assert told("sampler-visits-all", sampling=sampling((100, 200, 300)))[0] == "warn"


def reaches(what: str, **fields: Any) -> Reaches:
    given = {"leaf": "input", "shape": (10, 1, 8, 8), "dtype": "float32", "low": -1.0, "high": 1.0, "mean": 0.0,
             "std": 0.5, "layout": "contiguous"}  # fmt: skip
    return Reaches(what=what, **{**given, **fields})


class TestJustBefore:
    def test_alike(self):
        record = JustBefore(reaches=(reaches("train"), reaches("val", std=0.6)))
        assert told("same-way-to-the-net", just_before=record)[0] == "pass"

    def test_scale_and_dtype(self):
        scaled = JustBefore(reaches=(reaches("train"), reaches("val", std=8.0, high=16.0)))
        typed = JustBefore(reaches=(reaches("train"), reaches("val", dtype="float64")))
        assert told("same-way-to-the-net", just_before=scaled) == ("fail", "splits-scaled-differently")
        assert told("same-way-to-the-net", just_before=typed) == ("fail", "dtype-differs")
