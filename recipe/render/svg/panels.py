"""Many small histograms as one SVG."""

from __future__ import annotations

from itertools import pairwise

from recipe.render.blocks import Panel, Panels
from recipe.render.svg.canvas import WIDTH, fitted, line, path, text, text_width
from recipe.render.svg.frame import Piece
from recipe.render.svg.scale import Scale, fit

_HEIGHT, _GAP = 34.0, 18.0
_ROW = 15.0 + _HEIGHT + 22.0  # title, plot, tick labels and air


def draw_panels(block: Panels) -> Piece:
    """Row by row; a title over each, numbers below."""
    width = (WIDTH - _GAP * (block.across - 1)) / block.across
    parts = [
        text(k * (width + _GAP), 10.0, fitted(head, width), "axis-name")
        for k, head in enumerate(block.heads[: block.across])
    ]
    top = 18.0 if block.heads else 0.0
    for i, panel in enumerate(block.panels):
        row, column = divmod(i, block.across)
        parts.append(_panel(panel, column * (width + _GAP), top + _ROW * row, width))
    return "".join(parts), top + _ROW * -(-len(block.panels) // block.across)


def _panel(panel: Panel, left: float, top: float, width: float) -> str:
    note = fitted(panel.note, 0.6 * width)
    room = width - text_width(note) - 8
    head = [text(left, top + 10, fitted(panel.title, room), "label")]
    head += [text(left + width, top + 10, note, "tick", "end")] if note else []
    bottom = top + 15 + _HEIGHT
    x = fit(panel.edges, left, left + width, air=0.0)
    log = panel.log_y and any(c > 0 for c in panel.counts)
    y = fit(panel.counts, bottom, top + 15, log=log, zero=not log)
    outline = [(left, bottom)]
    for (low, high), count in zip(pairwise(panel.edges), panel.counts, strict=True):
        height = y(count) if count > 0 or not log else bottom
        outline += [(x(low), height), (x(high), height)]
    outline.append((left + width, bottom))
    drawn = [path(outline, "area stroke s0", closed=True)] if panel.counts else []
    return "".join([*head, *drawn, line(left, bottom, left + width, bottom, "axis"), *_ticks(x, bottom, left, width)])


def _ticks(x: Scale, bottom: float, left: float, width: float) -> list[str]:
    """Round numbers, as many as there is room for."""
    parts, end = [], left - 6.0
    for value, label in x.ticks(4):
        half = text_width(label) / 2
        place = min(max(x(value), left + half), left + width - half)
        if place - half > end + 6:
            parts += [line(x(value), bottom, x(value), bottom + 3, "axis")]
            parts += [text(place, bottom + 14, label, "tick", "middle")]
            end = place + half
    return parts
