"""Blocks made ready to be drawn: checked, named, without not-a-number; and to JSON and back for the run's page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from recipe.render.blocks import Bars, Block, Curve, Facts, Heatmap, Histogram, Intervals, Note, Panels, Pictures, Table
from recipe.render.wording import slug

AnyBlock = Note | Facts | Table | Curve | Bars | Histogram | Panels | Heatmap | Intervals | Pictures


def settle(blocks: Sequence[Block]) -> list[AnyBlock]:
    """The blocks with unique names; one that contradicts itself becomes a note that says how."""
    taken: set[str] = set()
    settled = []
    for block in blocks:
        try:
            ready = msgspec.convert(_finite(msgspec.to_builtins(block)), AnyBlock)
            _require_agreement(ready)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            ready = Note(title=f"{block.title}: not drawn", text=f"{type(block).__name__}: {error}", tone="bad")
        settled.append(msgspec.structs.replace(ready, name=_name(ready, taken)))
    return settled


def to_json(blocks: Sequence[AnyBlock]) -> bytes:
    """Settled blocks as strict JSON."""
    return msgspec.json.encode(blocks)


def from_json(text: bytes) -> list[AnyBlock]:
    """The inverse of `to_json`. Raises msgspec.ValidationError when the file is none of ours."""
    return msgspec.json.decode(text, type=list[AnyBlock])


def _name(block: AnyBlock, taken: set[str]) -> str:
    plain = slug(block.name or block.title) or "figure"
    name, count = plain, 1
    while name in taken:
        count += 1
        name = f"{plain}-{count}"
    taken.add(name)
    return name


def _finite(value: Any, words: bool = False) -> Any:
    """Gaps for what is not finite; in tables and facts, where it is the message, the word instead.

    An interval without finite ends is one without ends; without a finite mean it is its word, or a gap.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value) if words else None
    if isinstance(value, dict):
        if value.keys() == {"mean", "low", "high", "n"}:
            if not math.isfinite(value["mean"]):
                return _finite(value["mean"], words)
            if not (math.isfinite(value["low"]) and math.isfinite(value["high"])):
                return value | {"low": value["mean"], "high": value["mean"]}
        said = {"rows", "value"} | (value.keys() - {"interval"} if words else set())
        return {_finite(key): _finite(item, key in said) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, words) for item in value]
    # Lone surrogates, as in file names that are no UTF-8, cannot be written: they become escapes.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _require_agreement(block: AnyBlock) -> None:
    """Raises ValueError when parts that belong together are not equally long."""
    match block:
        case Table():
            _same("columns", len(block.columns), {f"row {i}": len(row) for i, row in enumerate(block.rows)})
        case Curve():
            for series in block.series:
                ends = {end: len(values) for end in ("low", "high") if (values := getattr(series, end))}
                _same(f"x of {series.name!r}", len(series.x), {"y": len(series.y)} | ends)
        case Bars():
            for bar in block.bars:
                ends = {end: len(values) for end in ("low", "high") if (values := getattr(bar, end))}
                _same("categories", len(block.categories), {bar.name: len(bar.values)} | ends)
        case Histogram():
            _same("bins", len(block.edges) - 1, {name: len(counts) for name, counts in block.groups.items()})
        case Panels():
            if block.across < 1:
                raise ValueError(f"{block.across} panels in a row")
            for panel in block.panels:
                _same("bins", len(panel.edges) - 1, {panel.title: len(panel.counts)})
        case Heatmap():
            _same("rows", len(block.rows), {"values": len(block.values)})
            _same("columns", len(block.columns), {f"row {i}": len(row) for i, row in enumerate(block.values)})
        case Pictures():
            if block.across < 1 or block.down < 1:
                raise ValueError(f"a sheet of {block.down} rows of {block.across}")
        case _:
            pass


def _same(what: str, length: int, others: dict[str, int]) -> None:
    for name, other in others.items():
        if other != length:
            raise ValueError(f"{length} {what}, but {name} has {other}")
