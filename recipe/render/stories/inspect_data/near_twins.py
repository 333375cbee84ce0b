"""What is nearly the same: counts, pairs side by side, rows that differ in one column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recipe.record.data import Twins
from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.record.interval import Interval
from recipe.record.near_duplicates import NearDuplicates, RepeatedRows
from recipe.render.blocks import Block, Cell, Table
from recipe.render.stories.sheets import sheet_of

LISTED = 8
CHECKS = ["near-duplicates-across-splits", "near-duplicates", "near-twin-labels", "mirrored-copies"]


def blocks(shelf: Shelf) -> Iterator[Block]:
    """Counts by split; the pairs; rows of a table."""
    found = shelf.found("near_duplicates", NearDuplicates)
    if found is not None and (found.pairs or found.mirrored_pairs):
        yield _counts(found)
        sheet = shelf.found("near_twins", Sheet)
        if sheet is not None:
            caption = (
                "In two splits first, then under two labels, mirrored, within a split; the most alike of each cluster."
            )
            yield sheet_of(sheet, "near-twins", "Near twins, side by side", caption, CHECKS)
        else:
            yield _pairs(found)
    rows = shelf.found("repeated_rows", RepeatedRows)
    if rows is not None and (rows.inputs or rows.alone):
        yield _rows(rows)


def _counts(found: NearDuplicates) -> Table:
    turned = ["mirrored"] if found.kind == "image" else []
    columns = ["split", "items", "near twin within", "new", "other label", *turned]
    others = [one.split for one in found.splits[:-1]]
    shares = {(one.split, one.other): _percent(one.share) for one in found.across if one.items}
    rows: list[list[Cell]] = []
    for one in found.splits:
        cells: list[Cell] = [
            one.split,
            one.items,
            one.within,
            one.fresh,
            one.disagree,
            *([one.mirrored] if turned else []),
        ]
        rows.append([*cells, *(shares.get((one.split, other)) for other in others)])
    left_out = f" {found.left_out:,} items of train were left out." if found.left_out else ""
    return Table(
        title=f"{found.pairs:,} near pairs in {found.clusters:,} clusters, of which {found.spanning:,} span splits",
        name="near-duplicates",
        caption=f"By {found.how}. New: clusters none of which is in an earlier split. The largest cluster has "
        f"{found.largest:,} items. Shares with 95 % intervals.{left_out}",
        checks=CHECKS,
        columns=[*columns, *(f"% with one in {other}" for other in others)],
        rows=rows,
    )


def _percent(share: Interval) -> Interval:
    return Interval(100 * share.mean, 100 * share.low, 100 * share.high, share.n)


def _pairs(found: NearDuplicates) -> Table:
    kinds = (
        ("in two splits", found.across_twins),
        ("two labels", found.conflict_twins),
        ("mirrored", found.mirrored_twins),
        ("within", found.within_twins),
    )
    rows: list[list[Cell]] = [[what, *_cells(twins, found.texts)] for what, some in kinds for twins in some[:LISTED]]
    return Table(
        title="Near twins, the most alike of each cluster",
        name="near-twins",
        checks=CHECKS,
        columns=["kind", "labels", "alike", "in", "first", "in", "second"],
        rows=rows,
    )


def _cells(twins: Twins, texts: Mapping[str, str]) -> list[Cell]:
    labels = dict.fromkeys(item.label for item in twins.items if item.label)
    named: list[Cell] = []
    for item in twins.items:
        text = texts.get(f"{item.split}: {item.name}")
        named += [item.split, f"{item.name}: {text}" if text else item.name]
    return [" / ".join(labels), twins.items[0].note.removeprefix("likeness "), *named]


def _rows(found: RepeatedRows) -> Table:
    rows: list[list[Cell]] = [
        ["nothing", found.whole, ""],
        ["the target, or nothing", found.inputs, ""],
    ]
    rows += [
        [
            ", ".join(one.columns),
            one.rows,
            f"{one.twins[0].items[1].name} ~ {one.twins[0].items[0].name}" if one.twins else "",
        ]
        for one in found.alone
    ]
    return Table(
        title=f"{found.whole:,} of {found.rows:,} rows are there before, {found.inputs:,} when the target is left out",
        name="repeated-rows",
        caption="Rows that differ from an earlier one only in what stands in the first column, over all splits.",
        checks=["repeated-rows", "cross-split-duplicates", "conflicting-labels"],
        columns=["differs in", "rows", "such as"],
        rows=rows,
    )
