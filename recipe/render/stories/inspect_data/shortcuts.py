"""What alone tells the target: attributes, order and corners; regions over the mean picture; one column or a few."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.record.evidence import Shelf
from recipe.record.shortcuts import Clue, Combinations, Marks, Shortcuts
from recipe.render.blocks import Block, Cell, Intervals, Pictures, Row, Table, Tone, missing

LISTED = 20
BESIDE = {"order": "no input", "id": "no input", "group": "no input", "given": "given beside", "corners": "region"}


def blocks(shelf: Shelf) -> Iterator[Block]:
    """What tells most comes first."""
    shortcuts = shelf.found("shortcuts", Shortcuts)
    if shortcuts is None:
        yield missing("What alone tells the target was not asked", shelf.get("shortcuts", Shortcuts))
    elif shortcuts.clues:
        yield _clues(shortcuts)
    marks = shelf.found("marks", Marks)
    if marks is not None and marks.marks:
        yield from _regions(marks)
    combinations = shelf.found("combinations", Combinations)
    if combinations is not None and combinations.found:
        yield _combinations(combinations)


def _clues(shortcuts: Shortcuts) -> Intervals:
    ranked = sorted(shortcuts.clues, key=lambda c: -c.best.mean)[:LISTED]
    rows = [Row(label="everything together", interval=shortcuts.everything, tone="good")]
    rows += [Row(label=_called(c), interval=c.best, note=BESIDE.get(c.kind, ""), tone=_tone(c)) for c in ranked]
    return Intervals(
        title=_title(ranked),
        name="clues",
        caption="Share of a blind guess's squared error that a guess from this alone removes, of the class it tells "
        f"best, on items it was not learnt from ({shortcuts.items:,} of train). With shuffled targets none of them "
        f"exceeds {shortcuts.critical:.3f} in {shortcuts.shuffles} shuffles.",
        checks=["shortcut-attributes", "shortcut-regions"],
        label="share of the error removed",
        reference=0.0,
        reference_label="nothing",
        rows=rows,
    )


def _title(ranked: list[Clue]) -> str:
    """What tells most, of what is an input where anything is."""
    first = next((c for c in ranked if BESIDE.get(c.kind) != "no input"), ranked[0])
    if first.best.low <= 0:
        return f"{first.name} alone tells nothing of the target"
    what = f"class {first.label}" if first.label else "the target"
    return f"{first.best.mean:.0%} of {what} is told by {first.name} alone"


def _called(clue: Clue) -> str:
    return f"{clue.name} ({clue.label})" if clue.label else clue.name


def _tone(clue: Clue) -> Tone:
    return "quiet" if BESIDE.get(clue.kind) == "no input" else "plain"


def _regions(marks: Marks) -> Iterator[Block]:
    if marks.side:
        yield Pictures(
            title=f"The most telling of {marks.windows:,} small regions adds {marks.marks[0].adds.mean:.2f}",
            name="regions",
            caption="Right: how much of a class's squared error a window removes beyond what the pixels around it do, "
            "over the mean picture. What classes look like is told by many windows; a mark stands out alone.",
            checks=["shortcut-regions"],
            sheet=marks.side,
            across=2,
            down=1,
            captions=marks.captions,
        )
    rows: list[list[Cell]] = [
        [
            f"rows {m.top}–{m.top + m.height - 1}, columns {m.left}–{m.left + m.width - 1}",
            m.label,
            m.adds,
            m.elsewhere,
            None if m.carried is None else 100 * m.carried,
            m.whole,
            ", ".join(item.name for item in m.items[:3]),
        ]
        for m in marks.marks
    ]
    yield Table(
        title="The regions that add most to what lies around them",
        name="region-table",
        caption="Chosen on one half of a sample, measured on the other. Elsewhere: what one in twenty other windows of "
        "the size adds. Singled out: share of the class that the region tells all but purely.",
        checks=["shortcut-regions"],
        columns=["region", "class", "adds", "elsewhere", "singled out, %", "whole picture", "such as"],
        rows=rows,
    )


def _combinations(found: Combinations) -> Table:
    rows: list[list[Cell]] = []
    for c in found.found:
        parts = ", ".join(f"{part:.2f}" for part in c.parts)
        rows.append([" and ".join(c.columns), c.label or "all", c.gain, parts, c.others])
    best = max(found.found, key=lambda c: c.gain.mean)
    return Table(
        title=f"{' and '.join(best.columns)} tell {best.gain.mean:.0%} of the target, all {found.columns} columns "
        f"{found.everything.mean:.0%}",
        name="combinations",
        caption=f"The most telling of {found.tried:,} columns, pairs and threes, chosen on one half of {found.items:,} "
        "rows and measured on the other: share of a blind guess's squared error removed.",
        checks=["telling-columns", "telling-combinations"],
        columns=["columns", "of", "together", "each alone", "all others"],
        rows=rows,
    )
