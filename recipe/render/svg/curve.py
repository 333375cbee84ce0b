"""Curves and histograms as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from recipe.render.blocks import Curve, Histogram, Mark, Series
from recipe.render.svg.canvas import WIDTH, hint, line, path, tag, text_width
from recipe.render.svg.frame import (
    Frame,
    Piece,
    Place,
    colours,
    draw_marks,
    end_labels,
    legend,
    mark_rows,
    named_axis,
    tick_room,
    x_axis,
    y_axis,
)
from recipe.render.svg.scale import Scale, fit
from recipe.render.wording import cell, number

_HEIGHT = 176.0
_POINTS = 60  # above so many, points are not drawn one by one on a line


def draw_curve(curve: Curve) -> Piece:
    """Lines, bands and points over a grid; names at the ends of the lines, or above where they are too long."""
    classes = _classes(curve.series)
    named = [(s, c) for s, c in zip(curve.series, classes, strict=True) if s.name and any(v is not None for v in s.y)]
    alone = len(named) == 1 and len(curve.series) == 1
    widest = max((text_width(s.name) for s, _ in named), default=0)
    beside = not alone and 1 < len(named) <= 6 and widest <= 84
    head, space = ("", 0.0) if beside or alone else legend([s.name for s, _ in named], [c for _, c in named], 0.0)
    right = WIDTH - (widest + 20 if beside else 8)
    frame, lifted = _frame(curve, right, space + 22)
    behind_first = sorted(zip(curve.series, classes, strict=True), key=lambda pair: not pair[0].quiet)
    data = [place for s in curve.series for run in _runs(s, frame) for place in _dense(run)]
    below, depth = named_axis(frame, curve.x_names) if curve.x_names else (x_axis(frame, curve.x_label), 34.0)
    parts = [head, y_axis(frame, curve.y_label, lifted), below]
    parts += [_series(s, c, frame, curve) for s, c in behind_first]
    parts += [draw_marks(frame, curve.marks, data)]
    parts += [end_labels(frame, [(s.name, c, _last(s, frame)) for s, c in named])] if beside else []
    return "".join(parts), frame.bottom + depth


def draw_histogram(block: Histogram) -> Piece:
    """Steps between the edges, filled; several groups lie over each other."""
    names, classes = list(block.groups), colours(len(block.groups))
    head, space = legend(names, classes, 0.0) if len(names) > 1 else ("", 0.0)
    counts = [c for group in block.groups.values() for c in group]
    log = block.log_y and any(c > 0 for c in counts)
    edges = [*block.edges, *(m.x for m in block.marks if m.x is not None)]
    room = tick_room(fit(counts, _HEIGHT, 0.0, log=log, zero=not log))
    x = fit(edges, room, WIDTH - 8, air=0.0)
    top = space + 22 + _lift(block.marks, x)
    frame = Frame(x, fit(counts, top + _HEIGHT, top, log=log, zero=not log))
    parts = [head, y_axis(frame, block.y_label, _lift(block.marks, x))]
    for group, class_ in zip(block.groups.values(), classes, strict=True):
        outline = [(frame.x(block.edges[0]), frame.bottom)] if group else []
        for (low, high), count in zip(pairwise(block.edges), group, strict=True):
            height = frame.y(count) if count > 0 or not log else frame.bottom
            outline += [(frame.x(low), height), (frame.x(high), height)]
        outline += [(frame.x(block.edges[-1]), frame.bottom)] if group else []
        parts.append(path(outline, f"area stroke {class_}", closed=True))
    return "".join([*parts, x_axis(frame, block.x_label), draw_marks(frame, block.marks)]), frame.bottom + 34


def _classes(series: Sequence[Series]) -> list[str]:
    """Colours in order for what is plain; tones and quiet ones have their own."""
    palette = iter(colours(len(series)))
    return ["quiet" if s.quiet else f"tone-{s.tone}" if s.tone != "plain" else next(palette) for s in series]


def _frame(curve: Curve, right: float, top: float) -> tuple[Frame, float]:
    """The frame, and by how much it lies lower to leave room for the names of vertical marks."""
    # A band may lie far outside its line; it widens the axis, but an infinite one was taken out before.
    heights = [v for s in curve.series for v in (*s.y, *s.low, *s.high)] + [m.y for m in curve.marks]
    widths = [v for s in curve.series for v in s.x] + [m.x for m in curve.marks]
    y = fit(heights, top + _HEIGHT, top, log=_log(curve.log_y, heights), zero=curve.zero_y and not curve.log_y)
    y = _fixed(y, curve.y_range)
    x = _fixed(fit(widths, tick_room(y), right, log=_log(curve.log_x, widths), air=0.02), curve.x_range)
    lifted = _lift(curve.marks, x)
    return Frame(x, msgspec.structs.replace(y, start=y.start + lifted, end=y.end + lifted)), lifted


def _lift(marks: Sequence[Mark], x: Scale) -> float:
    rows = [row for _, _, row in mark_rows(marks, x.start, x)]
    return 13.0 * (max(rows) + 1) if rows else 0.0


def _log(wanted: bool, values: Sequence[float | None]) -> bool:
    """A logarithmic axis needs something above zero."""
    return wanted and any(v is not None and v > 0 for v in values)


def _fixed(scale: Scale, limits: tuple[float, float] | None) -> Scale:
    if limits is None or limits[0] >= limits[1] or (scale.log and limits[0] <= 0):
        return scale
    return Scale(limits[0], limits[1], scale.start, scale.end, scale.log)


def _series(series: Series, class_: str, frame: Frame, curve: Curve) -> str:
    parts = [_band(series, class_, frame)] if series.low and series.high and series.style != "points" else []
    runs = _runs(series, frame)
    if series.style != "points":
        shape = f"line {class_}" + (" dashed" if series.dashed else "")
        parts += [path(_stairs(run) if series.style == "step" else _thinned(run), shape) for run in runs]
    finite = sum(len(run) for run in runs)
    if series.style == "points" or (series.style == "both" and finite <= _POINTS) or finite == 1:
        parts += _dots(series, class_, frame, curve)
    return "".join(parts)


def _runs(series: Series, frame: Frame) -> list[list[Place]]:
    """Unbroken stretches; what is not finite, or not above zero on a log axis, is a gap."""
    runs: list[list[Place]] = [[]]
    for x, y in zip(series.x, series.y, strict=True):
        if x is None or y is None or (frame.y.log and y <= 0) or (frame.x.log and x <= 0):
            runs.append([])
        else:
            runs[-1].append((frame.x(x), frame.y(y)))
    return [run for run in runs if run]


def _thinned(run: list[Place]) -> list[Place]:
    """First, lowest, highest and last point of each half unit: thousands of steps look the same and weigh little."""
    if len(run) <= 4 * WIDTH:
        return run
    kept: list[Place] = []
    columns: dict[int, list[Place]] = {}
    for point in run:
        columns.setdefault(int(point[0] * 2), []).append(point)
    for column in columns.values():
        lowest, highest = min(column, key=lambda p: p[1]), max(column, key=lambda p: p[1])
        kept += [p for i, p in enumerate(column) if i in (0, len(column) - 1) or p is lowest or p is highest]
    return kept


def _dense(run: list[Place]) -> list[Place]:
    """Points along the line, close enough that no label lies between two of them unnoticed."""
    if len(run) > 200:
        return run
    steps = [i / 12 for i in range(12)]
    return [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(run) for t in steps] + run[-1:]


def _stairs(run: list[Place]) -> list[Place]:
    return [run[0], *(corner for a, b in pairwise(run) for corner in ((b[0], a[1]), b))]


def _band(series: Series, class_: str, frame: Frame) -> str:
    both = [
        (frame.x(x), frame.y(low), frame.y(high))
        for x, low, high in zip(series.x, series.low, series.high, strict=True)
        if x is not None and low is not None and high is not None
    ]
    around = [(x, high) for x, _, high in both] + [(x, low) for x, low, _ in reversed(both)]
    return path(around, f"band {class_}", closed=True)


def _dots(series: Series, class_: str, frame: Frame, curve: Curve) -> list[str]:
    parts = []
    ends = zip(series.low, series.high, strict=True) if series.low and series.high and series.style == "points" else ()
    bars = list(ends) or [(None, None)] * len(series.x)
    for x, y, (low, high) in zip(series.x, series.y, bars, strict=True):
        if x is None or y is None or (frame.y.log and y <= 0) or (frame.x.log and x <= 0):
            continue
        if low is not None and high is not None:
            parts.append(line(frame.x(x), frame.y(low), frame.x(x), frame.y(high), f"whisker {class_}"))
        words = f"{series.name + ': ' if series.name else ''}{number(y)} at {curve.x_label} {cell(curve.at(x))}"
        parts.append(tag("circle", hint(words), cx=frame.x(x), cy=frame.y(y), r=2.6, class_=f"dot {class_}"))
    return parts


def _last(series: Series, frame: Frame) -> float:
    runs = _runs(series, frame)
    return runs[-1][-1][1] if runs else frame.bottom
