"""Numbers, times and untrusted text as people read them, the same in every output format."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from recipe.record.interval import Interval

_JOINERS = "\u200c\u200d"  # needed inside emoji and several scripts, and harmless


def visible(text: str) -> str:
    """Control, bidi, invisible and unpaired surrogate characters as escapes: nothing may move or hide other text."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if _hidden(c) else c for c in text)


def one_line(text: object, limit: int | None = None) -> str:
    """Any value on one line, visible, with runs of white space as one space; cut at `limit` characters."""
    line = visible(" ".join(str(text).split()))
    return line if limit is None or len(line) <= limit else line[: max(1, limit - 1)].rstrip() + "…"


def _hidden(c: str) -> bool:
    return unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in _JOINERS


def _escape(c: str) -> str:
    return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" if ord(c) < 65536 else f"\\U{ord(c):08x}"


def number(value: float | int | None, digits: int = 4) -> str:
    """Four significant digits, no noise: 1,797 · 0.0213 · 3.2e-5 · 150."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if 10**digits <= abs(value) < 1e9:
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"
    if 1e-3 <= abs(value) < 1e9:
        return f"{value:.{digits}g}"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def interval(value: Interval, *, signed: bool = False) -> str:
    """0.981 [0.972, 0.989]: as many decimals as the interval's width bears out; no brackets around nothing."""
    width = value.high - value.low
    if not (math.isfinite(value.mean) and math.isfinite(width)) or width <= 0:
        return ("+" if signed and value.mean > 0 else "") + number(value.mean)
    places = min(8, max(0, 1 - math.floor(math.log10(width))))
    if abs(value.mean) >= 1e6 or places == 8:
        return f"{number(value.mean)} [{number(value.low)}, {number(value.high)}]"
    sign = "+" if signed else ""
    return f"{value.mean:{sign},.{places}f} [{value.low:{sign},.{places}f}, {value.high:{sign},.{places}f}]"


def cell(value: Any) -> str:
    """Any value of a table, a measurement or a config, as text (not yet escaped for any format)."""
    if isinstance(value, Interval):
        return interval(value)
    if value is None or isinstance(value, (bool, int, float)):
        return number(value)
    if isinstance(value, Mapping):
        if all(isinstance(value.get(end), (int, float)) for end in ("mean", "low", "high")):
            return interval(Interval(value["mean"], value["low"], value["high"]))
        return ", ".join(f"{key} {cell(item)}" for key, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        shown = ", ".join(cell(item) for item in value[:12])
        return shown + (f", … ({len(value)} in all)" if len(value) > 12 else "") or "none"
    return str(value)


def change(value: Mapping[str, Any]) -> str:
    """A change as one types it: regularizers.dropout=0.25 train.epochs=30."""
    return " ".join(f"{key}={cell(item)}" for key, item in value.items())


def duration(seconds: float) -> str:
    """0.4 s · 12 s · 2 min 13 s · 1 h 05 min."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def numeric(value: Any) -> bool:
    """Whether a value belongs in a column that is aligned right."""
    return isinstance(value, (int, float, Interval)) and not isinstance(value, bool)


def slug(words: str, limit: int = 60) -> str:
    """Lower-case letters, digits and dashes: safe as a file name and as an HTML id."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:limit].strip("-")
