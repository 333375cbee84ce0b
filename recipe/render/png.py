"""Just enough of PNG to place a sheet's cells: its size in pixels, read from the header."""

from __future__ import annotations

import base64

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None when the bytes are no PNG."""
    if len(data) < 33 or data[:8] != _SIGNATURE or data[12:16] != b"IHDR":
        return None
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    return (width, height) if width and height else None


def data_uri(data: bytes) -> str:
    """The picture itself as an address."""
    return "data:image/png;base64," + base64.b64encode(data).decode()
