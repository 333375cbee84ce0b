from __future__ import annotations

import pytest

from recipe.record.data import Balance, LabelCounts, LabelOrder, Spike, TargetCounts, TargetSpread, ValSize
from recipe.testing import run_check


def counts(split, *values, shift=0.0, p=1.0, once=None):
    return LabelCounts(split=split, items=sum(values), counts=values, shift=shift, p=p, once=once)


def balance(train, val=None, classes="abcdefghij", **more):
    splits = (counts("train", *train), counts("val", *(val or train)))
    return Balance(classes=tuple(classes[: len(train)]), splits=splits, **more)


def said(id, **evidence):
    found = run_check(id, **evidence)
    return found.verdict, found.cause


EVEN = balance([100] * 10)


@pytest.mark.parametrize("id", ["class-balance", "class-coverage", "class-names-agree", "label-shift"])
def test_even_classes_pass(id):
    assert said(id, balance=EVEN)[0] == "pass"


def test_one_class_in_a_hundred_is_imbalance():
    record = balance([140] * 9 + [1])
    assert said("class-balance", balance=record) == ("warn", "class-imbalance")
    assert run_check("class-balance", balance=record).where == "j"


def test_one_class_that_dwarfs_nine_others_is_imbalance():
    record = balance([178] + [2] * 9)
    assert record.smallest > 0.1  # of an even share: no class is the rare one
    assert said("class-balance", balance=record) == ("warn", "class-imbalance")


@pytest.mark.parametrize("train", [[900, 100], [140] * 9 + [14], [140, 100, 60, 40, 14]])
def test_one_in_ten_is_not(train):
    assert said("class-balance", balance=balance(train))[0] == "pass"


def test_measures_of_imbalance_follow_their_definitions():
    record = balance([90, 10])
    assert record.smallest == pytest.approx(0.2)
    assert record.ratio == pytest.approx(9)
    assert record.evenness == pytest.approx(0.384, abs=1e-3)
    assert EVEN.evenness == pytest.approx(1)


def test_a_class_that_train_lacks_fails():
    record = balance([100, 0, 100], [20, 20, 20])
    assert said("class-coverage", balance=record) == ("fail", "class-absent-from-train")
    assert "'b'" in run_check("class-coverage", balance=record).message


def test_a_common_class_that_val_lacks_warns_and_a_rare_one_does_not():
    assert said("class-coverage", balance=balance([100, 100], [40, 0])) == ("warn", "class-absent-from-val")
    assert said("class-coverage", balance=balance([197, 3], [40, 0]))[0] == "pass"


def test_a_class_without_any_example_warns():
    assert said("class-coverage", balance=balance([50, 0, 50], [5, 0, 5])) == ("warn", "class-without-examples")


def test_two_spellings_warn():
    record = balance([5, 5], renamed={"a.": "a"})
    assert said("class-names-agree", balance=record) == ("warn", "class-names-differ")


def test_label_shift_needs_size_and_evidence():
    def shifted(shift, p, once=None):
        splits = (counts("train", 50, 50), counts("val", 10, 30, shift=shift, p=p, once=once))
        return Balance(classes=("a", "b"), splits=splits)

    assert said("label-shift", balance=shifted(0.25, 1e-6)) == ("warn", "label-shift")
    assert said("label-shift", balance=shifted(0.25, 0.05))[0] == "pass"
    assert said("label-shift", balance=shifted(0.05, 1e-6))[0] == "pass"
    assert said("label-shift", balance=shifted(0.25, 1e-6, once=0.02))[0] == "pass"
    assert said("label-shift", balance=shifted(0.25, 1e-6, once=0.24)) == ("warn", "label-shift")


def spread(shift=0.0, p=1.0, spikes=()):
    def one(split, s, q):
        return TargetCounts(split=split, items=10, counts=(5, 5), mean=0.5, std=0.3, quantiles=(0.0,) * 7, shift=s, p=q)

    return TargetSpread(
        edges=(0, 0.5, 1), splits=(one("train", 0, 1), one("val", shift, p)), different=900, spikes=spikes
    )


def test_numbers_shift_too():
    assert said("label-shift", target_spread=spread())[0] == "pass"
    assert said("label-shift", target_spread=spread(0.4, 1e-9)) == ("warn", "label-shift")
    assert said("label-shift")[0] == "skipped"


def test_capped_targets_warn():
    top = Spike(value=500001.0, items=965, share=0.047, place="highest")
    assert said("target-spikes", target_spread=spread(spikes=(top,))) == ("warn", "target-capped")
    inner = Spike(value=5.0, items=965, share=0.047, place="")
    assert said("target-spikes", target_spread=spread(spikes=(inner,)))[0] == "pass"


def order(same, shuffled):
    return LabelOrder(same=same, expected=0.1, items=1000, shuffled=shuffled)


def test_sorted_rows_warn_only_when_they_are_not_shuffled():
    assert said("label-order", label_order=order(0.99, False)) == ("warn", "sorted-and-not-shuffled")
    assert said("label-order", label_order=order(0.99, True))[0] == "pass"
    assert said("label-order", label_order=order(0.12, False))[0] == "pass"


def test_a_small_validation_split_warns():
    assert said("val-size", val_size=ValSize(items=20, half=0.13, classes=2)) == ("warn", "val-too-small")
    assert said("val-size", val_size=ValSize(items=270, half=0.036, classes=2))[0] == "pass"
    assert said("val-size", val_size=ValSize(items=20, half=0.13)) == ("warn", "val-too-small")
    assert said("val-size", val_size=ValSize(items=270, half=0.036))[0] == "pass"
