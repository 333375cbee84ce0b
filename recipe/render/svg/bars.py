"""Bars as SVG: upright for a few short names, lying for long ones, upright with thinned names for very many."""

from __future__ import annotations

from collections.abc import Sequence

from recipe.render.blocks import Bar, Bars
from recipe.render.svg.canvas import WIDTH, fitted, line, rect, text, text_width
from recipe.render.svg.frame import Frame, Piece, colours, legend, tick_room, x_axis, y_axis
from recipe.render.svg.scale import Scale, fit
from recipe.render.wording import number

_HEIGHT = 168.0
_LYING = 40  # more rows than this are no longer read one by one


def draw_bars(block: Bars) -> Piece:
    """Grouped bars from zero, with error bars where there are any."""
    palette = colours(len(block.bars))
    classes = [c if bar.tone == "plain" else f"tone-{bar.tone}" for bar, c in zip(block.bars, palette, strict=True)]
    # Limits are named above the plot: a label on top of bars could not be read.
    limits = [mark for mark in block.marks if mark.y is not None]
    keys = [(bar.name, class_) for bar, class_ in zip(block.bars, classes, strict=True)] if len(block.bars) > 1 else []
    keys += [(f"{mark.label} {number(mark.y)}", f"mark tone-{mark.tone}") for mark in limits]
    head, space = legend([name for name, _ in keys], [class_ for _, class_ in keys], 0.0)
    slot = (WIDTH - 40) / max(1, len(block.categories))
    narrow = any(text_width(name) > slot - 2 for name in block.categories)
    draw = _lying if narrow and len(block.categories) <= _LYING else _upright
    body, height = draw(block, classes, space)
    return head + body, height


def _upright(block: Bars, classes: list[str], space: float) -> Piece:
    top = space + 22
    y = fit(_heights(block), top + _HEIGHT, top, zero=True, air=0.08)
    frame = Frame(Scale(0.0, float(max(1, len(block.categories))), tick_room(y), WIDTH - 4), y)
    slot = (frame.right - frame.left) / max(1, len(block.categories))
    width = slot * 0.76 / max(1, len(block.bars))
    parts = [y_axis(frame, block.label), line(frame.left, y(0.0), frame.right, y(0.0), "axis")]
    for index, (bar, class_) in enumerate(zip(block.bars, classes, strict=True)):
        for i, value in enumerate(bar.values):
            if value is None:
                continue
            start = frame.left + slot * (i + 0.12) + width * index
            above, below = sorted((y(value), y(0.0)))
            room = width - (1 if width > 4 else 0)
            parts.append(rect(start, above, room, below - above, f"fill {class_}", _words(block, bar, i)))
            ends = _ends(bar, i)
            if ends:
                middle = start + width / 2
                parts.append(line(middle, y(ends[0]), middle, y(ends[1]), "whisker ink"))
                above = min(above, y(ends[1]))
            if len(block.bars) == 1 and text_width(number(value, 3)) < slot - 2:
                parts.append(text(start + width / 2, above - 3, number(value, 3), "tick small", "middle"))
    parts.append(_names(block.categories, frame, slot))
    limits = [(y(m.y), m.tone) for m in block.marks if m.y is not None]
    parts += [line(frame.left, place, frame.right, place, f"mark tone-{tone}") for place, tone in limits]
    if not block.category_label:
        return "".join(parts), frame.bottom + 20
    parts.append(text(frame.right, frame.bottom + 28, fitted(block.category_label, 300), "axis-name", "end"))
    return "".join(parts), frame.bottom + 34


def _names(words: Sequence[str], frame: Frame, slot: float) -> str:
    """As many of the category names as have room."""
    widest = min(60.0, max((text_width(word) for word in words), default=0.0))
    every = max(1, -int(-(widest + 4) // slot))
    return "".join(
        text(frame.left + slot * (i + 0.5), frame.bottom + 14, fitted(word, every * slot), "tick", "middle")
        for i, word in enumerate(words)
        if i % every == 0
    )


def _lying(block: Bars, classes: list[str], space: float) -> Piece:
    widest = min(140.0, max((text_width(name) for name in block.categories), default=0.0))
    thick = 13.0 if len(block.bars) == 1 else 11.0
    row = thick * max(1, len(block.bars)) + 7
    top = space + 4
    y = Scale(0.0, float(max(1, len(block.categories))), top, top + row * max(1, len(block.categories)))
    x = fit(_heights(block), widest + 8, WIDTH - 46, zero=True)
    frame = Frame(x, Scale(0.0, 1.0, y.end, y.start))
    parts = [x_axis(frame, block.label, grid=True), line(x(0.0), y.start, x(0.0), y.end, "axis")]
    for i, name in enumerate(block.categories):
        middle = y.start + row * (i + 0.5)
        parts.append(text(widest, middle + 3.6, fitted(name, widest), "label", "end"))
        for index, (bar, class_) in enumerate(zip(block.bars, classes, strict=True)):
            value = bar.values[i]
            if value is None:
                continue
            upper = middle + (index - len(block.bars) / 2) * thick
            left, right = sorted((x(value), x(0.0)))
            parts.append(rect(left, upper + 0.5, right - left, thick - 1, f"fill {class_}", _words(block, bar, i)))
            ends = _ends(bar, i)
            if ends:
                parts.append(line(x(ends[0]), upper + thick / 2, x(ends[1]), upper + thick / 2, "whisker ink"))
                right = max(right, x(ends[1]))
            parts.append(text(right + 4, upper + thick / 2 + 3.4, number(value, 3), "tick small"))
    limits = [(x(m.y), m.tone) for m in block.marks if m.y is not None]
    parts += [line(place, y.start, place, y.end, f"mark tone-{tone}") for place, tone in limits]
    return "".join(parts), y.end + 34


def _heights(block: Bars) -> list[float | None]:
    ends = [v for bar in block.bars for v in (*bar.low, *bar.high)]
    return [v for bar in block.bars for v in bar.values] + ends + [m.y for m in block.marks]


def _ends(bar: Bar, i: int) -> tuple[float, float] | None:
    if not (bar.low and bar.high):
        return None
    low, high = bar.low[i], bar.high[i]
    return (low, high) if low is not None and high is not None and high > low else None


def _words(block: Bars, bar: Bar, i: int) -> str:
    ends = _ends(bar, i)
    spread = f" [{number(ends[0])}, {number(ends[1])}]" if ends else ""
    return f"{block.categories[i]}, {bar.name}: {number(bar.values[i])}{spread}"
