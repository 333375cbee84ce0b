"""D8: splits are alike to a classifier, in layout, difficulty, order and time."""

from __future__ import annotations

import pytest

from recipe.record.drift import Apart, Difficulty, OrderEffects, PositionSplit, SplitLayout, SplitsApart, Undone
from recipe.record.interval import Interval
from recipe.testing import run_check


def about(mean, half=0.02):
    return Interval(mean, mean - half, mean + half, 1000)


def said(id, **evidence):
    found = run_check(id, **evidence)
    return found.verdict, found.cause


def apart(auc, varies=False, time=False, **more):
    one = Apart(split="val", items=1000, auc=about(auc), how="lines", drivers=(("brightness", 0.8),), **more)
    return said("splits-told-apart", splits_apart=SplitsApart(splits=(one,), varies=varies, time=time))


def test_splits_that_a_classifier_tells_apart_warn_and_fail():
    assert apart(0.51)[0] == "pass"
    assert apart(0.61)[0] == "pass"  # the interval must lie above
    assert apart(0.7) == ("warn", "splits-differ")
    assert apart(0.97) == ("fail", "splits-differ")


def test_augmented_and_later_items_may_differ():
    assert apart(0.97, varies=True)[0] == "skipped"
    assert apart(0.8, time=True)[0] == "pass"
    assert apart(0.97, time=True) == ("warn", "splits-differ")


@pytest.mark.parametrize(
    ("affine", "cause"), [((255.0, 0.0), "split-scaled-otherwise"), ((-1.0, 1.0), "split-inverted")]
)
def test_a_line_that_undoes_it_names_the_cause(affine, cause):
    assert apart(0.99, affine=affine, after=about(0.52)) == ("fail", cause)
    assert apart(0.99, affine=affine, after=about(0.9)) == ("fail", "splits-differ")


def layout(way, gain=0.5, held=-0.5, left=0.0, **more):
    one = Undone(split="val", way=way, gain=about(gain), held_out=about(held), before=1.0, left=left)
    return said("splits-laid-out-alike", split_layout=SplitLayout(tried=9, items={"val": 500}, found=(one,), **more))


def test_a_split_that_is_turned_is_named_by_what_undoes_it():
    assert layout("transposed") == ("fail", "split-turned")
    assert layout("with red and blue exchanged") == ("fail", "channels-swapped")
    assert layout("inverted") == ("fail", "split-inverted")
    assert layout("transposed", held=0.0)[0] == "pass"  # pictures that look the same turned
    assert layout("transposed", gain=0.01)[0] == "pass"
    assert layout("transposed", left=2.0)[0] == "pass"  # something else is the matter
    assert layout("transposed", columns={"val": (("a", "b"), ("b", "a"))}) == ("fail", "columns-moved")


def difficulty(difference, half=0.02):
    found = Difficulty(
        model="lines", fitted=500, rest=about(0.8), val=about(0.8 + difference),
        difference=about(difference, half), chance=0.1,
    )  # fmt: skip
    return said("val-difficulty", difficulty=found)


def test_val_may_be_neither_harder_nor_easier():
    assert difficulty(0.0)[0] == "pass"
    assert difficulty(-0.2) == ("warn", "val-harder")
    assert difficulty(0.2) == ("warn", "val-easier")
    assert difficulty(-0.04, half=0.01)[0] == "pass"
    assert difficulty(-0.2, half=0.13)[0] == "pass"


def test_a_sorted_file_cut_in_two_fails():
    def cut(sorted, below, shift):
        found = PositionSplit(sorted=sorted, expected=0.1, below=below, shift=shift, items=500)
        return said("split-by-position", position_split=found)

    assert cut(0.99, 1.0, 0.9) == ("fail", "split-by-position")
    assert cut(0.99, 0.5, 0.0)[0] == "pass"
    assert cut(0.12, 1.0, 0.9)[0] == "pass"


def order(nearer, lost, random=True):
    return OrderEffects(
        items=2000, nearer=nearer, critical=0.52, shuffled=about(0.8), blocks=about(0.8 - lost), lost=about(lost),
        random=random,
    )  # fmt: skip


def test_rows_that_give_their_neighbours_away_across_a_random_split_warn():
    name = "random-split-of-ordered-rows"
    assert said(name, order_effects=order(0.9, 0.3)) == ("warn", name)
    assert said(name, order_effects=order(0.9, 0.3, random=False))[0] == "pass"
    assert said(name, order_effects=order(0.9, 0.01))[0] == "pass"
    assert said(name, order_effects=order(0.51, 0.3))[0] == "pass"


def test_val_before_train_in_time_warns():
    def later(share):
        found = OrderEffects(items=500, nearer=0.5, critical=0.52, time="year", later={"val": share})
        return said("splits-respect-time", order_effects=found)

    assert later(1.0)[0] == "pass"
    assert later(0.4) == ("warn", "val-not-later")
    assert said("splits-respect-time", order_effects=order(0.5, 0.0))[0] == "skipped"
