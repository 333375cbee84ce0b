"""Small plots in characters: curves in braille dots, bars in blocks, intervals on a line."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.cells import cell_len
from rich.text import Text

from recipe.render.blocks import Bars, Curve, Intervals, Series, Tone
from recipe.render.svg.scale import Scale, fit
from recipe.render.wording import number, one_line

COLOURS = ("bright_blue", "bright_yellow", "bright_cyan", "bright_magenta", "bright_green")
TONES: dict[Tone, str] = {"plain": "", "good": "green", "warn": "yellow", "bad": "red", "quiet": "dim"}
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_HEIGHT = 8
_LABEL = 24
_ROWS = 12


def curve_lines(curve: Curve, width: int) -> list[Text]:
    """The plot with its y range at the left, its x range below, and the names of its lines."""
    shown = [s for s in curve.series if not s.quiet] or list(curve.series)
    values = [v for s in shown for v in s.y if v is not None]
    log_y, log_x = curve.log_y and any(v > 0 for v in values), curve.log_x
    margin = 9
    columns = 2 * (width - margin - 2)
    y = fit(values, 4.0 * _HEIGHT - 1, 0.0, log=log_y, zero=curve.zero_y and not log_y, air=0.0)
    x = fit([v for s in shown for v in s.x], 0.0, columns - 1.0, log=log_x, air=0.0)
    dots = [[0] * (columns // 2) for _ in range(_HEIGHT)]
    ink = [[0] * (columns // 2) for _ in range(_HEIGHT)]
    for index, series in enumerate(shown):
        points = _points(series, x, y)
        for column, row in _walk(points) if series.style != "points" else [(round(a), round(b)) for a, b in points]:
            dots[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
            ink[row // 4][column // 2] = index
    labels = {0: number(y.high, 3), _HEIGHT - 1: number(y.low, 3)}
    lines = [Text(f"  {one_line(curve.y_label)}", style="dim")]
    for row in range(_HEIGHT):
        line = Text(f"{labels.get(row, ''):>{margin}} ", style="dim")
        for bits, index in zip(dots[row], ink[row], strict=True):
            line.append(chr(0x2800 + bits), style=COLOURS[index % len(COLOURS)])
        lines.append(line)
    ends = f"{number(x.low, 3)} … {number(x.high, 3)} {one_line(curve.x_label)}"
    if curve.x_names:
        ends = one_line(", ".join(curve.x_names), width - margin - 1)
    names = Text(" " * (margin + 1) + ends, style="dim")
    for index, series in enumerate(shown):
        if series.name and len(shown) > 1:
            names.append(f"   ━ {one_line(series.name, 20)}", style=f"not dim {COLOURS[index % len(COLOURS)]}")
    return [*lines, names]


def _points(series: Series, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Where the finite values lie (the positive ones, on a logarithmic axis)."""
    return [
        (x(a), y(b))
        for a, b in zip(series.x, series.y, strict=True)
        if a is not None and b is not None and (a > 0 or not x.log) and (b > 0 or not y.log)
    ]


def _walk(points: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """The dots on the straight lines between the points."""
    dots = [(round(x), round(y)) for x, y in points[:1]]
    for (ax, ay), (bx, by) in pairwise(points):
        steps = max(1, round(max(abs(bx - ax), abs(by - ay))))
        dots += [(round(ax + (bx - ax) * i / steps), round(ay + (by - ay) * i / steps)) for i in range(1, steps + 1)]
    return dots


def bars_lines(block: Bars, width: int) -> list[Text]:
    """A row a category and group; of many categories the first ones, of many rows the first group only."""
    room = width - _LABEL - 14
    top = max((abs(v) for bar in block.bars for v in bar.values if v is not None), default=0.0) or 1.0
    groups = block.bars if len(block.bars) * len(block.categories) <= _ROWS else block.bars[:1]
    lines = [Text(f"  {one_line(block.label)}: {', '.join(one_line(bar.name) for bar in groups)}", style="dim")]
    for i, category in enumerate(block.categories[:_ROWS]):
        for index, bar in enumerate(groups):
            value = bar.values[i]
            eighths = round(8 * room * max(0.0, value or 0.0) / top)
            line = Text(_padded(one_line(category if index == 0 else "", _LABEL - 1), _LABEL) + " ")
            line.append("█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip(), style=COLOURS[index % len(COLOURS)])
            line.append(f" {number(value, 3)}", style="dim")
            lines.append(line)
    if len(block.categories) > _ROWS:
        lines.append(Text(f"  and {len(block.categories) - _ROWS} more in the report", style="dim"))
    return lines


def intervals_lines(block: Intervals, width: int) -> list[Text]:
    """A row an idea: ├──●──┤ on a common scale, the reference as a thin line."""
    room = width - _LABEL - 18
    values = [v for r in block.rows if r.interval for v in (r.interval.low, r.interval.mean, r.interval.high)]
    scale = fit([*values, block.reference], 0.0, room - 1.0, log=block.log and all(v > 0 for v in values), air=0.0)
    lines = []
    for row in block.rows[:20]:
        drawn = [" "] * room
        if block.reference is not None:
            drawn[round(scale(block.reference))] = "│"
        if row.interval:
            _place(drawn, scale, row.interval.low, row.interval.mean, row.interval.high)
        line = Text(_padded(one_line(row.label, _LABEL - 1), _LABEL) + " ")
        line.append("".join(drawn), style=TONES[row.tone] or "bright_blue")
        line.append(" " + one_line(row.note, 16), style=TONES[row.tone] or "dim")
        lines.append(line)
    if len(block.rows) > 20:
        lines.append(Text(f"  and {len(block.rows) - 20} more in the report", style="dim"))
    ends = f"{number(scale.low, 3)} … {number(scale.high, 3)} {one_line(block.label)}"
    return [*lines, Text(" " * (_LABEL + 1) + ends, style="dim")]


def _place(drawn: list[str], scale: Scale, low: float, mean: float, high: float) -> None:
    start, end = round(scale(low)), round(scale(high))
    for column in range(start, end + 1):
        drawn[column] = "─"
    drawn[round(scale(mean))] = "●"


def _padded(words: str, width: int) -> str:
    """Right-aligned in `width` columns, also for wide characters."""
    return " " * max(0, width - cell_len(words)) + words
