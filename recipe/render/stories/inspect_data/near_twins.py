"""What is nearly there twice."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.record.near_duplicates import NearDuplicates
from recipe.render.blocks import Block, Table
from recipe.render.stories.sheets import sheet_of

CHECKS = ("near-duplicates-across-splits", "near-duplicates", "near-twin-labels")
LISTED = 20


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The pairs, side by side where they are pictures."""
    found = shelf.found("near_duplicates", NearDuplicates)
    if found is None or not found.pairs + found.mirrored:
        return
    kinds = (
        ("in two splits", found.across_twins),
        ("two labels", found.conflict_twins),
        ("mirrored", found.mirrored_twins),
        ("within", found.within_twins),
    )
    rows = [
        [kind, *(f"{item.split}: {item.name} ({item.label})" for item in twins.items), twins.items[0].note]
        for kind, some in kinds
        for twins in some[:LISTED]
    ]
    yield Table(
        title=f"{found.pairs:,} pairs are nearly the same, {found.mirrored:,} are mirror images",
        name="near-duplicates",
        caption=f"By {found.by}; the most alike of each kind.",
        checks=CHECKS,
        columns=["kind", "one", "the other", ""],
        rows=rows,
    )
    sheet = shelf.found("near_twins", Sheet)
    if sheet is not None:
        yield sheet_of(sheet, "near-twins", "Near twins, side by side", checks=CHECKS)
