"""Records to strict JSON and back: non-finite numbers travel as the strings "nan", "inf" and "-inf"."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """Records, mappings and sequences as JSON types; non-finite floats become strings."""
    return _finite(msgspec.to_builtins(value, str_keys=True))


def from_plain(value: object, kind: type[T]) -> T:
    """The inverse of `to_plain`. Raises msgspec.ValidationError when the value does not fit `kind`."""
    return msgspec.convert(value, kind, strict=False)


def to_json(value: object) -> bytes:
    """Indented strict JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(to_plain(value)), indent=2) + b"\n"


def from_json(text: bytes, kind: type[T]) -> T:
    """Reads what `to_json` wrote."""
    return from_plain(msgspec.json.decode(text), kind)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {_finite(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    # A file name that is no UTF-8 comes as lone surrogates, which no JSON can hold: they become escapes.
    return (
        value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) and not value.isascii() else value
    )
