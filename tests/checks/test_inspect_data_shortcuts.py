"""D6: attributes, regions, one column or a few that tell the target."""

from __future__ import annotations

from recipe.record.interval import Interval
from recipe.record.shortcuts import Clue, Combination, Combinations, Mark, Marks, Shortcuts
from recipe.testing import run_check


def about(mean, half=0.02):
    return Interval(mean, mean - half, mean + half, 1000)


def clue(best, kind="content", name="brightness", **more):
    return Clue(name=name, kind=kind, gain=about(best / 2), best=about(best), label="3", **more)


def shortcuts(*clues):
    return Shortcuts(items=1000, everything=about(0.7), critical=0.01, shuffles=40, clues=clues)


def said(id, **evidence):
    found = run_check(id, **evidence)
    return found.verdict, found.cause


def attributes(*clues):
    return said("shortcut-attributes", shortcuts=shortcuts(*clues))


def test_an_attribute_is_a_shortcut_where_it_tells_more_than_pictures_without_it():
    assert attributes(clue(0.9, rest=about(0.4))) == ("warn", "attribute-predicts")
    assert attributes(clue(0.9, rest=about(0.85)))[0] == "pass"
    assert attributes(clue(0.4, rest=about(0.1)))[0] == "pass"


def test_file_size_is_a_shortcut_by_what_the_picture_does_not_explain():
    assert attributes(clue(0.9, "given", "file size", beyond=about(0.5))) == ("warn", "attribute-predicts")
    assert attributes(clue(0.9, "given", "file size", beyond=about(0.1)))[0] == "pass"


def test_row_order_is_told_and_is_no_input():
    found = run_check("shortcut-attributes", shortcuts=shortcuts(clue(1.0, "order", "row order")))
    assert (found.verdict, "row order tells 50%, but is no input" in found.message) == ("pass", True)
    assert "there is no attribute to ask" in run_check("shortcut-attributes", shortcuts=shortcuts()).message


def test_what_tells_nothing_is_not_said_to_tell_less_than_nothing():
    found = run_check("shortcut-attributes", shortcuts=shortcuts(clue(-0.01)))
    assert "brightness alone tells next to nothing" in found.message


def mark(adds, carried=0.8, elsewhere=0.02, screen=0.5):
    place = {"top": 0, "left": 4, "height": 3, "width": 3, "label": "3"}
    return Mark(**place, adds=about(adds), screen=screen, elsewhere=elsewhere, carried=carried)


def regions(*marks, edge=None):
    found = Marks(shape=(28, 28), items=2000, windows=300, marks=marks)
    return said("shortcut-regions", marks=found, shortcuts=shortcuts(*([edge] if edge else [])))


def test_a_region_that_adds_much_fails_and_one_that_adds_some_warns():
    assert regions(mark(0.9)) == ("fail", "region-predicts")
    assert regions(mark(0.3)) == ("warn", "region-predicts")
    assert regions(mark(0.1))[0] == "pass"
    assert regions(mark(0.3, carried=0.02))[0] == "pass"  # told by shades of many, not by a mark on some
    assert regions(mark(0.3, elsewhere=0.3, screen=0.3))[0] == "pass"  # as much as any window


def test_corners_that_tell_as_much_as_the_whole_picture_warn():
    assert regions(edge=clue(0.9, "corners", rest=about(0.9))) == ("warn", "corners-predict")
    assert regions(edge=clue(0.9, "corners", rest=about(0.99)))[0] == "pass"
    assert said("shortcut-regions")[0] == "skipped"


def combined(*found, columns=10):
    return Combinations(columns=columns, items=2000, everything=about(0.6), tried=100, found=found)


def test_a_column_that_is_all_but_the_target_warns_unless_the_others_tell_as_much():
    leak = Combination(columns=("fee",), gain=about(0.95), others=about(0.3))
    assert said("telling-columns", combinations=combined(leak)) == ("warn", "target-leak")
    assert run_check("telling-columns", combinations=combined(leak)).advice == "data.drop=[fee]"
    rival = Combination(columns=("fee",), gain=about(0.95), others=about(0.9))
    assert said("telling-columns", combinations=combined(rival))[0] == "pass"
    strong = Combination(columns=("fee",), gain=about(0.7), others=about(0.2))
    assert said("telling-columns", combinations=combined(strong))[0] == "pass"
    assert said("telling-columns", combinations=combined())[0] == "pass"


def few(gain, parts, others, columns=10):
    found = Combination(columns=("a", "b"), gain=about(gain), parts=parts, others=about(others))
    return said("telling-combinations", combinations=combined(found, columns=columns))


def test_two_columns_that_decide_together_warn():
    assert few(0.95, (0.3, 0.2), 0.1) == ("warn", "columns-decide")
    assert few(0.6, (0.05, 0.02), 0.1) == ("warn", "columns-decide")  # one or the other, not both
    assert few(0.95, (0.9, 0.1), 0.1)[0] == "pass"  # that is the one column
    assert few(0.95, (0.3, 0.2), 0.8)[0] == "pass"
    assert few(0.95, (0.3, 0.2), 0.1, columns=3)[0] == "pass"
