"""Pictures of odd quality, and numbers in columns that are no measurement."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.record.quality import OddValues, PictureQuality, TextRemnants
from recipe.render.blocks import Block, Table
from recipe.render.stories.sheets import sheet_of

LISTED = 40
KINDS = {"stand-in": "stands for nothing?", "capped": "capped?", "spike": "a spike"}


def blocks(shelf: Shelf) -> Iterator[Block]:
    """What there is of either."""
    found, pictures = shelf.found("picture_quality", PictureQuality), shelf.found("quality_pictures", Sheet)
    if found is not None and any(one.total for one in found.qualities):
        yield _qualities(found)
    if pictures is not None:
        yield sheet_of(pictures, "odd-pictures", "The oddest pictures, a row a kind", checks=["picture-quality"])
    remnants = shelf.found("text_remnants", TextRemnants)
    if remnants is not None and remnants.remnants:
        yield _remnants(remnants)
    values = shelf.found("odd_values", OddValues)
    if values is not None and values.values:
        yield _values(values)


def _qualities(found: PictureQuality) -> Table:
    odd = [one for one in found.qualities if one.total]
    total = max(1, sum(found.items.values()))
    return Table(
        title=f"{sum(one.total for one in odd):,} of {total:,} pictures are of odd quality",
        name="picture-quality",
        caption=" ".join(f"{one.kind.replace('-', ' ').capitalize()}: {one.what}." for one in odd),
        checks=["picture-quality"],
        columns=["kind", "pictures", "%", "such as"],
        rows=[
            [
                one.kind.replace("-", " "),
                one.total,
                100 * one.total / total,
                ", ".join(item.name for item in one.worst[:3]),
            ]
            for one in odd
        ],
    )


def _remnants(found: TextRemnants) -> Table:
    total, touched = sum(found.items.values()), sum(found.touched.values())
    return Table(
        title=f"{touched:,} of {total:,} texts hold what a page or a file left behind",
        name="text-remnants",
        caption="Each text counts once a kind. The commonest forms, as they stand.",
        checks=["text-remnants"],
        columns=["kind", "texts", "%", "forms", "such as"],
        rows=[
            [
                one.kind,
                one.total,
                100 * one.total / max(1, total),
                "  ".join(one.forms),
                ", ".join(item.name for item in one.first[:3]),
            ]
            for one in found.remnants
        ],
    )


def _values(found: OddValues) -> Table:
    return Table(
        title=f"{len({one.column for one in found.values}):,} columns have a value that very many rows share",
        name="odd-values",
        caption="Near it: the most rows that one of the next values has. Apart: distance to the next value.",
        checks=["values-are-measurements"],
        columns=["column", "value", "what", "rows", "%", "near it", "apart, quartile ranges", "such as"],
        rows=[
            [
                one.column,
                one.value,
                KINDS[one.kind],
                one.items,
                100 * one.share,
                one.usual,
                one.gap,
                ", ".join(item.name for item in one.rows[:2]),
            ]
            for one in found.values[:LISTED]
        ],
        tones=["plain" if one.kind == "spike" else "warn" for one in found.values[:LISTED]],
    )
