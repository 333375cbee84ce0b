"""What is there twice, and what that caps."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.data import Ceiling, Duplicates, Twins
from recipe.record.evidence import Shelf
from recipe.record.features import Sheet
from recipe.render.blocks import Block, Table
from recipe.render.stories.sheets import sheet_of
from recipe.render.wording import number

LISTED = 20


def blocks(shelf: Shelf) -> Iterator[Block]:
    """The twins, as a table and side by side."""
    found = shelf.found("duplicates", Duplicates)
    if found is None:
        return
    kinds = (
        ("in two splits", found.across_twins),
        ("two labels", found.conflict_twins),
        ("within", found.within_twins),
    )
    rows = [[what, *_twin_cells(twins)] for what, some in kinds for twins in some[:LISTED]]
    if not rows:
        return
    across, conflicts = sum(one.items for one in found.across), sum(found.conflicting.values())
    ceiling = shelf.found("ceiling", Ceiling)
    capped = ceiling is not None and ceiling.accuracy is not None and ceiling.accuracy < 1
    cap = f" No model can exceed a train accuracy of {number(ceiling.accuracy, 6)}." if ceiling and capped else ""
    checks = ["cross-split-duplicates", "conflicting-labels"]
    yield Table(
        title=f"{across:,} items are in two splits, {conflicts:,} have an equal with another label",
        name="duplicates",
        caption=f"Items whose decoded content is exactly the same; the first of each kind.{cap if conflicts else ''}",
        checks=checks,
        columns=["kind", "first", "the same as", "labels"],
        rows=rows,
    )
    twins = shelf.found("twins", Sheet)
    if twins is not None:
        yield sheet_of(twins, "twins", "Twins, side by side", checks=checks)


def _twin_cells(twins: Twins) -> list[str]:
    first, *others = twins.items
    labels = dict.fromkeys(item.label for item in twins.items if item.label)
    return [f"{first.split}: {first.name}", "; ".join(f"{o.split}: {o.name}" for o in others), " / ".join(labels)]
