"""The numbers behind a figure or a table as CSV; text that a spreadsheet would take for a formula is quoted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import pairwise

from recipe.record.interval import Interval
from recipe.render.blocks import Bars, Cell, Curve, Heatmap, Histogram, Intervals, Panels, Table
from recipe.render.settle import AnyBlock
from recipe.render.wording import one_line

Line = Sequence[Cell]


def to_csv(block: AnyBlock) -> str | None:
    """One header line, then one line a value; None for blocks that hold no numbers."""
    match block:
        case Curve():
            lines = _curve(block)
        case Bars():
            lines = _bars(block)
        case Histogram():
            lines = _histogram(block)
        case Panels():
            lines = _panels(block)
        case Heatmap():
            lines = _heatmap(block)
        case Intervals():
            lines = _intervals(block)
        case Table():
            lines = iter([block.columns, *block.rows])
        case _:
            return None
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([harmless(value) for value in line] for line in lines)
    return text.getvalue()


def harmless(value: Cell) -> str:
    """Numbers in full; text on one line, with a quote before what would start a formula."""
    if value is None:
        return ""
    if isinstance(value, Interval):
        return f"{value.mean!r} [{value.low!r}; {value.high!r}]"
    if isinstance(value, (bool, int, float)):
        return repr(value)
    line = one_line(value)
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line


def _ends(values: Sequence[float | None], i: int) -> float | None:
    return values[i] if values else None


def _curve(block: Curve) -> Iterator[Line]:
    yield ["series", block.x_label, block.y_label, "low", "high"]
    for s in block.series:
        for i, (x, y) in enumerate(zip(s.x, s.y, strict=True)):
            yield [s.name, block.at(x), y, _ends(s.low, i), _ends(s.high, i)]


def _bars(block: Bars) -> Iterator[Line]:
    yield [block.category_label or "category", "group", block.label, "low", "high"]
    for i, category in enumerate(block.categories):
        for bar in block.bars:
            yield [category, bar.name, bar.values[i], _ends(bar.low, i), _ends(bar.high, i)]


def _histogram(block: Histogram) -> Iterator[Line]:
    yield ["group", f"{block.x_label} from", "to", block.y_label]
    for name, counts in block.groups.items():
        for (low, high), count in zip(pairwise(block.edges), counts, strict=True):
            yield [name, low, high, count]


def _panels(block: Panels) -> Iterator[Line]:
    yield ["panel", "which", "from", "to", "count"]
    for i, panel in enumerate(block.panels):
        which = block.heads[i % block.across] if block.heads else ""
        for (low, high), count in zip(pairwise(panel.edges), panel.counts, strict=True):
            yield [panel.title, which, low, high, count]


def _heatmap(block: Heatmap) -> Iterator[Line]:
    yield [block.row_label or "row", block.column_label or "column", "value"]
    for name, row in zip(block.rows, block.values, strict=True):
        for column, value in zip(block.columns, row, strict=True):
            yield [name, column, value]


def _intervals(block: Intervals) -> Iterator[Line]:
    yield ["row", "mean", "low", "high", "n", "note"]
    for row in block.rows:
        ends = (row.interval.mean, row.interval.low, row.interval.high, row.interval.n) if row.interval else (None,) * 4
        yield [row.label, *ends, row.note]
