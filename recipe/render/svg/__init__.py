"""Blocks as SVG: within the page, where the page's style colours them, or as files that stand alone."""

from __future__ import annotations

import html
from pathlib import Path

from recipe.render.blocks import Bars, Curve, Heatmap, Histogram, Intervals, Panels
from recipe.render.describe import describe
from recipe.render.settle import AnyBlock
from recipe.render.svg.bars import draw_bars
from recipe.render.svg.canvas import WIDTH, tag, text, wrapped
from recipe.render.svg.curve import draw_curve, draw_histogram
from recipe.render.svg.frame import Piece
from recipe.render.svg.matrix import draw_heatmap, draw_intervals
from recipe.render.svg.panels import draw_panels
from recipe.render.wording import one_line

TEMPLATES = Path(__file__).parent.parent / "templates"
_MARGIN = 14.0


def inline(block: AnyBlock) -> str | None:
    """The figure for a page that has the styles and shows the title itself; None for blocks that are no figure."""
    drawn = _draw(block)
    if drawn is None:
        return None
    body, height = drawn
    box = f"0 0 {WIDTH:.0f} {height:.0f}"
    return tag("svg", _names(block) + body, class_="figure", viewBox=box, role="img")


def standalone(block: AnyBlock) -> str | None:
    """The figure as a file: title, style and colours for light and dark within it."""
    drawn = _draw(block)
    if drawn is None:
        return None
    body, height = drawn
    title = [text(0.0, 14.0 + 17 * i, words, "title") for i, words in enumerate(wrapped(block.title, WIDTH, 13.5))]
    down = 17.0 * len(title) + 10
    inside = tag("g", "".join(title), transform=f"translate({_MARGIN:.0f} {_MARGIN:.0f})")
    inside += tag("g", body, transform=f"translate({_MARGIN:.0f} {_MARGIN + down:.0f})")
    width, height = WIDTH + 2 * _MARGIN, height + down + 2 * _MARGIN
    style = tag("style", "".join((TEMPLATES / name).read_text() for name in ("colours.css", "figure.css")))
    ground = tag("rect", width=width, height=height, class_="ground")
    return (
        tag(
            "svg",
            _names(block) + style + ground + inside,
            xmlns="http://www.w3.org/2000/svg",
            class_="figure",
            viewBox=f"0 0 {width:.0f} {height:.0f}",
            width=f"{1.5 * width:.0f}",
            height=f"{1.5 * height:.0f}",
            role="img",
        )
        + "\n"
    )


def is_figure(block: AnyBlock) -> bool:
    """Whether the block is one that this room draws."""
    return isinstance(block, (Curve, Bars, Histogram, Panels, Heatmap, Intervals))


def _draw(block: AnyBlock) -> Piece | None:
    match block:
        case Curve():
            return draw_curve(block)
        case Bars():
            return draw_bars(block)
        case Histogram():
            return draw_histogram(block)
        case Panels():
            return draw_panels(block)
        case Heatmap():
            return draw_heatmap(block)
        case Intervals():
            return draw_intervals(block)
        case _:
            return None


def _names(block: AnyBlock) -> str:
    """What a screen reader says of the figure."""
    return tag("title", html.escape(one_line(block.title)) or " ") + tag("desc", html.escape(describe(block)) or " ")
