"""Pictures in a terminal: two pixels a character, in colour or in shades of ink."""

from __future__ import annotations

from collections.abc import Sequence

INK = " .:-=+*#%@"
Pixel = Sequence[int]


def half_blocks(picture: Sequence[Sequence[Pixel]]) -> list[str]:
    """Lines of a picture (H, W, 3) in 24-bit colour: the upper pixel as foreground, the lower as background."""
    lines = []
    for top in range(0, len(picture), 2):
        upper = picture[top]
        lower = picture[top + 1] if top + 1 < len(picture) else [(0, 0, 0)] * len(upper)
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]}m\x1b[48;2;{b[0]};{b[1]};{b[2]}m▀"
            for a, b in zip(upper, lower, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return lines


def inked(picture: Sequence[Sequence[Pixel]]) -> list[str]:
    """The same without colour: bright pixels as dense characters, every second row."""
    return ["".join(INK[min(9, sum(pixel) * 10 // 766)] for pixel in row) for row in picture[::2]]


def times_for(height: int, width: int, rows: int, columns: int) -> int:
    """By how much to enlarge a picture so that it fills the screen and still fits."""
    return max(1, min(2 * rows // max(1, height), columns // max(1, width)))
