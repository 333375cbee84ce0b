"""The axes around a plot: grid, tick labels, axis names, marks, legend, and labels at the ends of lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from recipe.render.blocks import Mark
from recipe.render.svg.canvas import SIZE, WIDTH, fitted, line, rect, text, text_width
from recipe.render.svg.scale import Scale

Piece = tuple[str, float]
"""Drawn SVG and its height."""
Place = tuple[float, float]
"""A point in units of the figure."""


class Frame(msgspec.Struct, frozen=True):
    """Where a plot lies, and its two scales."""

    x: Scale
    y: Scale

    @property
    def left(self) -> float:
        """The plot's left edge."""
        return self.x.start

    @property
    def right(self) -> float:
        """The plot's right edge."""
        return self.x.end

    @property
    def top(self) -> float:
        """The plot's upper edge."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """The plot's lower edge."""
        return self.y.start


def tick_room(scale: Scale) -> float:
    """How much room the labels of a vertical axis need at its left."""
    return max((text_width(label) for _, label in scale.ticks()), default=0) + 7


def y_axis(frame: Frame, name: str, lifted: float = 0.0) -> str:
    """Grid lines, their labels, and the axis name above them, where it is read first; lifted: room for marks' names."""
    parts = [text(0.0, frame.top - 9 - lifted, fitted(name, WIDTH), "axis-name")] if name else []
    for value, label in frame.y.ticks():
        place = frame.y(value)
        parts.append(line(frame.left, place, frame.right, place, "grid"))
        parts.append(text(frame.left - 6, place + 3.6, label, "tick", "end"))
    return "".join(parts)


def x_axis(frame: Frame, name: str, *, grid: bool = False) -> str:
    """The base line, ticks with labels, and the axis name below. Takes 32 units below the plot."""
    parts = [line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")]
    end = -1e9
    for value, label in frame.x.ticks(6):
        place, half = frame.x(value), text_width(label) / 2
        if grid:
            parts.append(line(place, frame.top, place, frame.bottom, "grid"))
        if place - half > end + 6 and place + half < WIDTH + 4:
            parts.append(text(place, frame.bottom + 14, label, "tick", "middle"))
            end = place + half
    parts.append(text(frame.right, frame.bottom + 28, fitted(name, frame.right), "axis-name", "end"))
    return "".join(parts)


def named_axis(frame: Frame, names: Sequence[str]) -> Piece:
    """The base line, and upright lines at 0, 1, … with their names below, on as many rows as they need; its depth."""
    parts = [line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")]
    marks = [Mark(label=fitted(name, WIDTH / 3), x=float(k)) for k, name in enumerate(names)]
    rows = mark_rows(marks, frame.left, frame.x)
    for mark, start, row in rows:
        place, base = frame.x(mark.x or 0.0), frame.bottom + 14 + 13 * row
        parts.append(line(place, frame.top, place, base - 10, "axis"))
        parts.append(text(start, base, mark.label, "tick"))
    return "".join(parts), 8.0 + 13 * (1 + max((row for _, _, row in rows), default=0))


def mark_rows(marks: Sequence[Mark], left: float, place: Callable[[float], float]) -> list[tuple[Mark, float, int]]:
    """Where the names of vertical marks start, above the plot, and on which row, so that none hides another."""
    rows: list[float] = []
    placed = []
    for mark in sorted((m for m in marks if m.x is not None), key=lambda m: m.x or 0.0):
        width = text_width(mark.label)
        start = max(left - 8, min(place(mark.x or 0.0) - width / 2, WIDTH - width))
        row = next((i for i, end in enumerate(rows) if start > end + 8), len(rows))
        rows[row : row + 1] = [start + width]
        placed.append((mark, start, row))
    return placed


def draw_marks(frame: Frame, marks: Sequence[Mark], data: Sequence[Place] = ()) -> str:
    """Labelled straight lines: names of vertical ones above the plot, of horizontal ones where the least data lies."""
    parts = []
    for mark, start, row in mark_rows(marks, frame.left, frame.x):
        place = frame.x(mark.x or 0.0)
        parts.append(line(place, frame.top - 3 - 13 * row, place, frame.bottom, f"mark tone-{mark.tone}"))
        parts.append(text(start, frame.top - 6 - 13 * row, fitted(mark.label, WIDTH), f"mark-name tone-{mark.tone}"))
    for mark in marks:
        if mark.y is not None:
            place = frame.y(mark.y)
            parts.append(line(frame.left, place, frame.right, place, f"mark tone-{mark.tone}"))
            label = fitted(mark.label, frame.right - frame.left - 8)
            x, y = _freest(frame, place, text_width(label), data)
            parts.append(text(x, y, label, f"mark-name tone-{mark.tone}"))
    return "".join(parts)


def _freest(frame: Frame, place: float, width: float, data: Sequence[Place]) -> Place:
    """Start of a label above or below a horizontal line: of several places the one that covers the fewest data."""
    starts = [frame.left + 4 + share * (frame.right - frame.left - width - 8) for share in (0.0, 1.0, 0.5, 0.25, 0.75)]
    places = [(x, y) for y in (place - 4, place + 11) if frame.top + 6 < y < frame.bottom for x in starts]

    def covered(spot: Place) -> int:
        return sum(spot[0] - 4 <= x <= spot[0] + width + 4 and spot[1] - 10 <= y <= spot[1] + 3 for x, y in data)

    return min(places, key=covered, default=(starts[0], place - 4))


def legend(names: Sequence[str], classes: Sequence[str], top: float) -> Piece:
    """Coloured squares, or dashes for limits, with names, on as many rows as they need."""
    parts, x, y = [], 0.0, top + 9
    for name, class_ in zip(names, classes, strict=True):
        shown = fitted(name, WIDTH - 20)
        width = text_width(shown) + 28
        if x and x + width - 12 > WIDTH:
            x, y = 0.0, y + 16
        limit = class_.startswith("mark")
        parts.append(line(x, y - 4, x + 10, y - 4, class_) if limit else rect(x, y - 8, 9.0, 9.0, f"fill {class_}"))
        parts.append(text(x + 13, y, shown, "label"))
        x += width
    return "".join(parts), y + 10 - top if parts else 0.0


def end_labels(frame: Frame, ends: Sequence[tuple[str, str, float]]) -> str:
    """Names at the right of the plot, each at the height of its line's end, pushed apart where they would touch."""
    order = sorted(ends, key=lambda end: end[2])
    places = [place for _, _, place in order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + SIZE + 2)
    over = places[-1] - frame.bottom if places else 0
    for i in range(len(places) - 1, -1, -1):
        ceiling = places[i + 1] - SIZE - 2 if i + 1 < len(places) else frame.bottom if over > 0 else places[i]
        places[i] = min(places[i], ceiling)
    parts = []
    for (name, class_, _), place in zip(order, places, strict=True):
        parts.append(rect(frame.right + 6, place - 4, 7.0, 7.0, f"fill {class_}"))
        parts.append(text(frame.right + 17, place + 3.5, name, "label"))
    return "".join(parts)


def colours(count: int) -> list[str]:
    """Classes of the first `count` series: five colours, then the same ones dashed."""
    return [f"s{i % 5}" + (" dashed" if i >= 5 else "") for i in range(count)]
