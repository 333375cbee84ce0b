"""The part of inspect-data's page on near twins: shares in percent, texts as they begin, a table's rows by name."""

from __future__ import annotations

from recipe.intervals import wilson
from recipe.record.data import Item, Twins
from recipe.record.evidence import Shelf
from recipe.record.near_duplicates import NearAcross, NearDuplicates, NearSplit, OneColumn, RepeatedRows
from recipe.render.stories.inspect_data import near_twins

TWINS = Twins(
    items=(
        Item(split="train", name="row 3", label="0", note="likeness 0.912"),
        Item(split="val", name="row 9", label="1", note="likeness 0.912"),
    )
)


def shelf_of(folder, texts):
    shelf = Shelf(folder)
    splits = [NearSplit(split=name, items=50, within=0, disagree=1, fresh=49, half=0.1) for name in ("train", "val")]
    shelf.put(
        "near_duplicates",
        NearDuplicates(
            kind="text",
            how="looks",
            splits=tuple(splits),
            pairs=1,
            across=(NearAcross(split="val", other="train", items=1, share=wilson(1, 50), same=0),),
            across_twins=(TWINS,),
            texts=texts,
        ),
    )
    return shelf


def test_texts_are_shown_and_shares_are_percent(tmp_path):
    counts, pairs = near_twins.blocks(shelf_of(tmp_path, {"train: row 3": "Good.", "val: row 9": "good!"}))
    assert counts.columns[-1] == "% with one in train"
    assert round(counts.rows[1][-1].mean, 6) == 2
    assert pairs.rows == [["in two splits", "0 / 1", "0.912", "train", "row 3: Good.", "val", "row 9: good!"]]


def test_rows_are_named_and_those_of_a_column_counted(tmp_path):
    shelf = shelf_of(tmp_path, {})
    one = OneColumn(columns=("id",), rows=6, numbers=True, twins=(TWINS,))
    shelf.put("repeated_rows", RepeatedRows(rows=100, whole=2, inputs=3, torn=1, alone=(one,)))
    _, pairs, rows = near_twins.blocks(shelf)
    assert pairs.rows[0][4] == "row 3"
    assert rows.rows[-1] == ["id", 6, "row 9 ~ row 3"]


def test_nothing_found_is_nothing_shown(tmp_path):
    assert list(near_twins.blocks(Shelf(tmp_path))) == []
