"""SVG text: elements whose attributes and texts are escaped here and nowhere else; widths of words without a font."""

from __future__ import annotations

import html
import unicodedata

from recipe.render.wording import one_line, visible

WIDTH = 380.0  # of every figure, in user units: about a phone's width, so that 11-unit text stays readable there
SIZE = 11.0


def tag(name: str, content: str = "", **attributes: object) -> str:
    """An element. content is SVG already; attributes are escaped; class_ is class, underscores are dashes."""
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items())
    return f"<{name}{words}>{content}</{name}>" if content else f"<{name}{words}/>"


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "start", **attributes: object) -> str:
    """A line of text with its baseline at y."""
    place = {"text-anchor": anchor} if anchor != "start" else {}
    named = {"class_": class_} if class_ else {}
    return tag("text", html.escape(one_line(words)) or " ", x=x, y=y, **named, **place, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, class_: str, words: str = "", **attributes: object) -> str:
    """A rectangle at least half a unit thick, with slightly round corners where there is room; words: its hint."""
    size = {"width": max(0.5, width), "height": max(0.5, height)}
    rounded = {"rx": 1.5} if min(width, height) > 4 else {}
    return tag("rect", hint(words) if words else "", x=x, y=y, **size, **rounded, class_=class_, **attributes)


def path(points: list[tuple[float, float]], class_: str, *, closed: bool = False) -> str:
    """Straight segments through the points."""
    if not points:
        return ""
    steps = "L".join(f"{coordinate(x)} {coordinate(y)}" for x, y in points)
    return tag("path", d=f"M{steps}{'Z' if closed else ''}", class_=class_)


def hint(words: str) -> str:
    """What a pointer resting on the element shows, and what a screen reader says."""
    return tag("title", html.escape(one_line(words)) or " ")


def coordinate(value: float) -> str:
    """One decimal: a tenth of a unit is below what anybody sees."""
    return f"{value:.1f}".removesuffix(".0")


def text_width(words: str, size: float = SIZE) -> float:
    """About how wide a line of sans-serif text is, a little on the generous side."""
    return size * sum(_width(c) for c in words)


def fitted(words: str, room: float, size: float = SIZE) -> str:
    """The words, cut with an ellipsis where they would be wider than `room`."""
    words = one_line(words)
    if text_width(words, size) <= room:
        return words
    while words and text_width(words + "…", size) > room:
        words = words[:-1]
    return words.rstrip() + "…"


def wrapped(words: str, room: float, size: float) -> list[str]:
    """The words on as many lines as they need."""
    lines = [""]
    for word in one_line(words).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitted(each, room, size) for each in lines]


def _width(c: str) -> float:
    if unicodedata.east_asian_width(c) in "WF":
        return 1.0
    if c in "iljtfrI.,:;'|!()[] ·":
        return 0.38
    return 0.9 if c in "mwMW%@" else 0.72 if c.isupper() else 0.62


def _attribute(value: object) -> str:
    return coordinate(value) if isinstance(value, float) else html.escape(visible(str(value)), quote=True)
