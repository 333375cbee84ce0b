"""A figure in words, for those who cannot see it: alternative texts, and the pictures' place in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.render.blocks import Bars, Curve, Heatmap, Histogram, Intervals, Panels, Pictures, Series
from recipe.render.settle import AnyBlock
from recipe.render.wording import cell, interval, number, one_line

_MOST = 12


def describe(block: AnyBlock) -> str:
    """One or two sentences with the figure's main numbers; empty for blocks that are text already."""
    match block:
        case Curve():
            lines = "; ".join(_series(block, s) for s in block.series if s.name or not s.quiet)
            return one_line(f"{block.y_label} against {block.x_label}. {lines}.", 600)
        case Bars():
            groups = "; ".join(f"{bar.name}: {_values(block.categories, bar.values)}" for bar in block.bars)
            return one_line(f"{block.label} by {block.category_label or 'category'}. {groups}.", 600)
        case Histogram():
            ends = f"{number(block.edges[0])} to {number(block.edges[-1])}" if block.edges else "nothing"
            return one_line(f"How {block.x_label} is distributed, from {ends}: {', '.join(block.groups)}.", 600)
        case Panels():
            named = ", ".join(dict.fromkeys(panel.title for panel in block.panels))
            return one_line(f"{len(block.panels)} small histograms, {' and '.join(block.heads)}: {named}.", 600)
        case Heatmap():
            size = f"{len(block.rows)} by {len(block.columns)}"
            return one_line(f"A table of {size}: {block.row_label} by {block.column_label}.", 600)
        case Intervals():
            rows = [f"{r.label}: {interval(r.interval) if r.interval else 'no result'} {r.note}" for r in block.rows]
            return one_line(f"{block.label}. {'; '.join(rows[:_MOST])}.", 900)
        case Pictures():
            return one_line(f"A sheet of pictures, {block.down} rows of {block.across}.")
        case _:
            return ""


def _series(curve: Curve, series: Series) -> str:
    known = [(x, y) for x, y in zip(series.x, series.y, strict=True) if x is not None and y is not None]
    if not known:
        return f"{series.name}: no values"
    (first_x, first), (last_x, last) = known[0], known[-1]
    return f"{series.name}: {number(first)} at {cell(curve.at(first_x))}, {number(last)} at {cell(curve.at(last_x))}"


def _values(names: Sequence[str], values: Sequence[float | None]) -> str:
    shown = ", ".join(f"{name} {cell(value)}" for name, value in list(zip(names, values, strict=True))[:_MOST])
    return shown + (", …" if len(names) > _MOST else "")
