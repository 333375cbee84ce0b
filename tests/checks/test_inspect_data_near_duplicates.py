"""Near duplicates and repeated rows: who speaks, with which cause, and who does not."""

from __future__ import annotations

import pytest

from recipe.intervals import wilson
from recipe.record.data import Item, Twins
from recipe.record.near_duplicates import NearAcross, NearDuplicates, NearSplit, OneColumn, RepeatedRows
from recipe.testing import run_check

TWINS = (Twins(items=(Item(split="train", name="a", label="cat"), Item(split="val", name="b", label="dog"))),)


def near(kind="image", across=0, mirrored=0, within=0, disagree=0, n=1000, apart=0.9):
    splits = [
        NearSplit(split=name, items=n, within=within, disagree=disagree, fresh=n - across, half=0.02)
        for name in ("train", "val")
    ]
    leaks = [
        NearAcross(split="val", other="train", items=items, share=wilson(items, n), same=items)
        for items in (across, mirrored)
    ]
    return NearDuplicates(
        kind=kind,
        how="looks",
        splits=tuple(splits),
        pairs=across + within,
        across=(leaks[0],),
        mirrored_across=(leaks[1],),
        apart=apart,
        across_twins=TWINS if across else (),
        conflict_twins=TWINS if disagree else (),
    )


def said(id, **record):
    found = run_check(id, near_duplicates=near(**record))
    return found.verdict, found.cause


CROSS = "near-duplicates-across-splits"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, ("pass", "")),
        ({"across": 9}, ("pass", "")),
        ({"across": 2, "n": 40}, ("pass", "")),
        ({"across": 33}, ("warn", CROSS)),
        ({"across": 300}, ("fail", CROSS)),
        ({"across": 33, "kind": "table"}, ("pass", "")),
        ({"across": 60, "kind": "table"}, ("warn", CROSS)),
        ({"across": 33, "kind": "text"}, ("warn", CROSS)),
    ],
)
def test_a_few_near_twins_across_splits_are_let_pass_some_warn_and_many_fail(record, expected):
    assert said(CROSS, **record) == expected


def test_what_near_twins_can_add_to_a_number_is_told():
    found = run_check(CROSS, near_duplicates=near(across=33))
    assert "a (cat) ~ b (dog)" in found.message
    assert "up to 3.3 points" in found.message
    assert "967 are new" in found.message
    assert "groups" in found.advice


def test_near_twins_within_train_are_weight_and_within_val_fewer_examples():
    assert said("near-duplicates", within=50) == ("pass", "")
    assert said("near-duplicates", within=150) == ("warn", "near-duplicates")


def test_all_items_alike_fail():
    assert said("near-duplicates", apart=0.02) == ("fail", "items-nearly-the-same")
    assert said("near-duplicates", apart=None) == ("pass", "")


def test_mirror_images_across_splits_are_told_apart():
    assert said("mirrored-copies", across=300) == ("pass", "")
    assert said("mirrored-copies", mirrored=40) == ("warn", "mirrored-copies")
    assert said("mirrored-copies", mirrored=300) == ("fail", "mirrored-copies")
    assert said("mirrored-copies", kind="table")[0] == "skipped"


def test_labels_of_near_twins():
    assert said("near-twin-labels", disagree=1) == ("pass", "")
    assert said("near-twin-labels", disagree=4) == ("warn", "near-twin-labels")
    assert said("near-twin-labels", disagree=50) == ("fail", "near-twin-labels")
    assert said("near-twin-labels", disagree=10, kind="table") == ("pass", "")


def rows(share, numbers=True):
    one = OneColumn(columns=("id",), rows=60, numbers=numbers, across={"val": share}, twins=TWINS)
    return run_check("repeated-rows", repeated_rows=RepeatedRows(rows=1000, whole=10, inputs=12, torn=4, alone=(one,)))


def test_rows_that_only_an_id_tells_apart_warn_where_many_are_in_two_splits():
    found = rows(0.2)
    assert (found.verdict, found.cause, found.where) == ("warn", "rows-repeat-but-for-an-id", "id")
    assert "data.drop=[id]" in found.advice
    assert rows(0.03).verdict == "pass"
    assert rows(0.2, numbers=False).verdict == "pass"
    assert "12 without their target" in rows(0.0).message
