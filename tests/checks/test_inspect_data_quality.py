"""Pictures of odd quality, values that are no measurement, values apart from the rest."""

from __future__ import annotations

import pytest

from recipe.record.data import Item
from recipe.record.features import Fence, Outliers
from recipe.record.quality import OddValue, OddValues, PictureQuality, Quality
from recipe.testing import run_check

ITEM = Item(split="train", name="cat/7.png", note="dark: 0.1")


def said(id, **evidence):
    found = run_check(id, **evidence)
    return found.verdict, found.cause


def quality(kind="dark", n=0, severe=0, total=10_000):
    one = Quality(kind=kind, what="", items={"train": n, "val": 0}, severe=severe, worst=(ITEM,) if n else ())
    return PictureQuality(items={"train": total, "val": 100}, qualities=(one,))


@pytest.mark.parametrize("n", [0, 2, 5])
def test_a_few_dark_pictures_of_many_pass(n):
    assert said("picture-quality", picture_quality=quality(n=n))[0] == "pass"


@pytest.mark.parametrize("kind", ["dark", "light", "blurry", "low-information", "odd-size", "odd-aspect-ratio"])
def test_one_in_a_hundred_warns_by_its_kind(kind):
    assert said("picture-quality", picture_quality=quality(kind, 100)) == ("warn", kind)


def test_a_handful_of_black_pictures_warns_too_and_is_named():
    found = run_check("picture-quality", picture_quality=quality(n=4, severe=4))
    assert (found.verdict, found.cause, found.where) == ("warn", "dark", "cat/7.png")


def test_grey_pictures_warn_from_two_in_a_hundred_on_unless_most_are():
    grey = "grey-among-colour"
    assert said("picture-quality", picture_quality=quality(grey, 110))[0] == "pass"
    assert said("picture-quality", picture_quality=quality(grey, 400)) == ("warn", grey)
    assert said("picture-quality", picture_quality=quality(grey, 6000))[0] == "pass"


def odd(kind, value=-999.0):
    one = OddValue(
        column="age", value=value, kind=kind, place="lowest", items=40, share=0.04, usual=1, gap=3.0, rows=(ITEM,)
    )
    return OddValues(columns=3, values=(one,))


def test_stand_ins_and_caps_warn_and_spikes_do_not():
    assert said("values-are-measurements", odd_values=odd("stand-in")) == ("warn", "stand-in-values")
    assert said("values-are-measurements", odd_values=odd("capped", 52.0)) == ("warn", "column-capped")
    assert said("values-are-measurements", odd_values=odd("spike"))[0] == "pass"
    assert "'age' is -999 in 40 rows" in run_check("values-are-measurements", odd_values=odd("stand-in")).message


def fence(apart=0):
    rows = (Item(split="train", name="t.csv row 3", note="age 290"),)
    return Fence(attribute="age", first=20, third=40, below=1, above=9, low=0, high=88, apart=apart, farthest=rows)


def test_a_value_apart_from_the_rest_warns_and_long_tails_do_not():
    assert said("attribute-outliers", outliers=Outliers(fences=(fence(),), items={"train": 100}))[0] == "pass"
    found = run_check("attribute-outliers", outliers=Outliers(fences=(fence(1),), items={"train": 100}))
    assert (found.verdict, found.cause, found.where) == ("warn", "value-apart", "t.csv row 3")
    assert "age 290 in t.csv row 3, where the rest lies between 0 and 88" in found.message
    assert said("attribute-outliers", outliers=Outliers(fences=(), items={"train": 3}))[0] == "skipped"
