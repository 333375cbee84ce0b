"""Heat maps and interval rows as SVG."""

from __future__ import annotations

import math

from recipe.render.blocks import Heatmap, Intervals, Mark, Number
from recipe.render.svg.canvas import SIZE, WIDTH, fitted, hint, line, rect, tag, text, text_width
from recipe.render.svg.frame import Frame, Piece, draw_marks, x_axis
from recipe.render.svg.scale import Scale, fit
from recipe.render.wording import number

_NUMBERED = 14  # up to so many columns a cell has room for its number
_NAMED = 40
_LINE = 10.0  # closer together names would lie over each other


def draw_heatmap(block: Heatmap) -> Piece:
    """Cells darker with their number; in a confusion matrix the diagonal is quiet and mistakes have the colour."""
    room = min(112.0, max((text_width(name) for name in block.rows), default=0.0))
    left = room + 6
    side = min((WIDTH - left) / max(1, len(block.columns)), 44.0)
    names, head = _column_names(block, left, side)
    axes = [text(WIDTH, 10.0, fitted(f"{block.column_label} →", WIDTH - left), "axis-name", "end")] * bool(
        block.column_label
    )
    axes += [text(0.0, 10.0, fitted(f"{block.row_label} ↓", left + 60), "axis-name")] * bool(block.row_label)
    top = head + (16.0 if block.column_label else 2.0)
    parts = [*axes, tag("g", names, transform=f"translate(0 {top - 4:.1f})")]
    strongest = {diagonal: _strongest(block, diagonal) for diagonal in (True, False)}
    every = max(-(-len(block.rows) // _NAMED), math.ceil(_LINE / side))
    for i, (name, row) in enumerate(zip(block.rows, block.values, strict=True)):
        if i % every == 0:
            parts.append(text(left - 6, top + side * (i + 0.5) + 3.6, fitted(name, room), "tick", "end"))
        for j, value in enumerate(row):
            place = (left + side * j, top + side * i, side)
            parts.append(_cell(block, i, j, value, place, strongest[block.confusion and i == j]))
    return "".join(parts), top + side * len(block.rows) + 6


def _column_names(block: Heatmap, left: float, side: float) -> Piece:
    """Names over their columns, upright where they are too wide."""
    every = max(1, -(-len(block.columns) // _NAMED), math.ceil(_LINE / side))
    widest = max((text_width(name) for name in block.columns), default=0.0)
    places = [(left + side * (j + 0.5), name) for j, name in enumerate(block.columns) if j % every == 0]
    if widest <= side * every - 1:
        return "".join(text(x, 0.0, name, "tick", "middle") for x, name in places), 14.0
    turned = [
        text(0.0, 0.0, fitted(name, 80), "tick", transform=f"translate({x + 3.6:.1f} 0) rotate(-90)")
        for x, name in places
    ]
    return "".join(turned), min(80.0, widest) + 4


def _strongest(block: Heatmap, diagonal: bool) -> float:
    """The largest size among the cells that share a colour."""
    cells = ((i, j, v) for i, row in enumerate(block.values) for j, v in enumerate(row) if v is not None)
    chosen = [abs(v) for i, j, v in cells if (block.confusion and i == j) == diagonal]
    return max(chosen, default=0.0) or 1.0


def _cell(block: Heatmap, i: int, j: int, value: Number, place: tuple[float, float, float], strongest: float) -> str:
    x, y, side = place
    room = side - (1.0 if side > 8 else 0.0)
    share = 0.0 if value is None else abs(value) / strongest
    shown = 0.0 if share == 0 else 0.10 + 0.85 * share
    right = block.confusion and i == j
    colour = "hue-quiet" if right else "hue-low" if block.diverging and (value or 0) < 0 else "hue"
    row, column = block.row_label or "row", block.column_label or "column"
    words = f"{row} {block.rows[i]}, {column} {block.columns[j]}: {number(value)}"
    drawn = rect(x, y, room, room, "empty") + rect(x, y, room, room, colour, words, fill_opacity=f"{shown:.2f}")
    if value is None or len(block.columns) > _NUMBERED or (value == 0 and block.confusion):
        return drawn
    label = number(value, 2)
    size = min(SIZE, SIZE * (side - 3) / max(1.0, text_width(label)))
    shade = "on-dark" if shown > 0.55 and not right else "on-light"
    return drawn + text(x + room / 2, y + room / 2 + size * 0.34, label, shade, "middle", font_size=f"{size:.1f}")


def draw_intervals(block: Intervals) -> Piece:
    """A row each: name, a dot on its interval, and at the right what came of it."""
    values = [v for r in block.rows if r.interval for v in (r.interval.low, r.interval.mean, r.interval.high)]
    names = min(150.0, max((text_width(row.label) for row in block.rows), default=0.0))
    notes = min(74.0, max((text_width(row.note) for row in block.rows), default=0.0))
    log = block.log and all(v > 0 for v in values)
    x = fit([*values, block.reference], names + 10, WIDTH - notes - 12, log=log)
    step, top = 22.0, 18.0 if block.reference is not None and block.reference_label else 4.0
    bottom = top + step * max(1, len(block.rows))
    frame = Frame(x, Scale(0.0, 1.0, bottom, top))
    parts = [x_axis(frame, block.label, grid=True)]
    if block.reference is not None:
        parts.append(draw_marks(frame, [Mark(label=block.reference_label, x=block.reference)]))
    for i, row in enumerate(block.rows):
        y = top + step * (i + 0.5)
        tone = f"tone-{row.tone}" if row.tone != "plain" else "s0"
        parts.append(text(names, y + 3.6, fitted(row.label, names), "label", "end"))
        if row.interval:
            mean, low, high = row.interval.mean, row.interval.low, row.interval.high
            words = hint(f"{row.label}: {number(mean)} [{number(low)}, {number(high)}], n = {row.interval.n}")
            parts.append(line(x(low), y, x(high), y, f"whisker {tone}") if high > low else "")
            parts.append(tag("circle", words, cx=x(mean), cy=y, r=3.6, class_=f"dot {tone}"))
        else:
            parts.append(text(x.start + 4, y + 3.6, "no result", "tick"))
        if row.note:
            parts.append(text(WIDTH, y + 3.6, fitted(row.note, notes), f"mark-name tone-{row.tone}", "end"))
    return "".join(parts), bottom + 34
