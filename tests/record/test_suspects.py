from __future__ import annotations

from recipe.record.data import Duplicates, Item, Reading, Twins
from recipe.record.evidence import Shelf
from recipe.record.features import Fence, Outliers
from recipe.record.plain import to_plain
from recipe.record.suspects import suspects_in, suspects_on


def item(name, note="", **more):
    return Item(split="train", name=name, note=note, label="cat", position=3, **more)


def fences(*items):
    return Outliers(
        fences=tuple(Fence(attribute=one.note, first=0, third=1, below=0, above=1, farthest=(one,)) for one in items),
        items={"train": 9},
        farthest=(item("far"),),
    )


def test_every_field_that_names_items_is_found_with_its_path(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("outliers", fences(item("a", "dark")))
    shelf.put("reading", Reading(kind="image", splits=(), blank=(item("b"),)))
    found = {(one.evidence, one.field): [i.name for s in one.sets for i in s] for one in suspects_on(shelf)}
    assert found == {
        ("outliers", "farthest"): ["far"],
        ("outliers", "fences.farthest"): ["a"],
        ("reading", "blank"): ["b"],
    }


def test_an_item_named_twice_by_a_field_is_listed_once_with_both_notes():
    found = suspects_in("outliers", to_plain(fences(item("a", "dark"), item("a", "small"))))[0]
    assert [s[0].note for s in found.sets] == ["dark; small"]


def test_twins_stay_together():
    record = Duplicates(
        kind="image", items={}, repeated={}, extra={}, across=(), conflicting={},
        within_twins=(Twins(items=(item("a"), item("b"), item("c"))),),
    )  # fmt: skip
    (found,) = suspects_in("duplicates", to_plain(record))
    assert found.pairs
    assert [[i.name for i in s] for s in found.sets] == [["a", "b", "c"]]


def test_other_records_with_a_list_of_items_are_no_twins():
    named = [to_plain(item(name)) for name in "ab"]
    (found,) = suspects_in("shortcuts", {"marks": [{"cell": 3, "items": named}]})
    assert (found.field, found.pairs, len(found.sets)) == ("marks.items", False, 2)


def test_items_marked_fine_are_left_out_and_counted():
    record = Duplicates(
        kind="image", items={}, repeated={}, extra={}, across=(), conflicting={},
        across_twins=(Twins(items=(item("a", fine=True), item("b"))),),
        within_twins=(Twins(items=(item("c", fine=True), item("d", fine=True))),),
    )  # fmt: skip
    across, within = suspects_in("duplicates", to_plain(record))
    assert (len(across.sets), across.fine) == (1, 0)
    assert (len(within.sets), within.fine) == (0, 1)
