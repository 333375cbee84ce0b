"""Spaces: what the user declared under search.space, or a default around the recipe so far."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from recipe.record.axis import Axis
from recipe.record.refusal import Refusal
from recipe.record.trial import Change

KINDS = ("log", "linear", "integer", "choices")


def read_space(space: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Axis, ...]:
    """`{optimizer.lr: {log: [1e-4, 1e-2]}, train.batch_size: {choices: [32, 64]}}` as axes; a bare list is choices.

    Raises Refusal naming the key when a range is not one.
    """
    return tuple(_read_axis(key, node, at_key(config, key)) for key, node in _flat(space, config))


def default_space(config: Mapping[str, Any], free: Callable[[str], bool]) -> tuple[Axis, ...]:
    """Ranges around the recipe so far; `free(key)` says that the user has not fixed a key.

    The rate first (Bengio 2012: the one to tune if only one): a decade down and more up, as the recipe starts from a
    safe one. Weight decay and dropout where the recipe has them, half and double batch, a narrower and a wider net.
    """
    found: list[Axis | None] = [
        _around(config, "optimizer.lr", 10, 30),
        _around(config, "regularizers.weight_decay", 30, 30),
        _dropout(config),
        _multiples(config, "train.batch_size", (0.5, 1, 2)),
        _multiples(config, "model.width", (0.5, 1, 1.5)) or _multiples(config, "model.channels", (0.5, 1, 1.5)),
    ]
    return tuple(axis for axis in found if axis and free(axis.key))


def widen(axis: Axis, end: str) -> Axis:
    """The range and a decade, or as much again, beyond one end; shares such as dropout stay below 1."""
    wider = axis.wider(end)
    if axis.key.startswith("regularizers.") and axis.scale == "linear":
        wider = msgspec.structs.replace(wider, high=min(wider.high, max(axis.high, 0.95)))
    return wider


def size(axes: Iterable[Axis]) -> float:
    """How many points the space has; infinite when an axis is continuous."""
    total = 1.0
    for axis in axes:
        total *= {"choice": len(axis.choices), "integer": axis.high - axis.low + 1}.get(axis.scale, math.inf)
    return total


def describe(change: Change) -> str:
    """A change as people read it: "lr 0.0012, batch_size 32"."""
    shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in change.items()}
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in shown.items()) or "the recipe so far"


def round_to(value: float, digits: int) -> float:
    """Significant digits: what people can read and copy."""
    return float(f"{value:.{digits}g}")


def at_key(config: Mapping[str, Any], key: str) -> Any:
    """The value under a dotted key, or None."""
    node: Any = config
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _flat(space: Mapping[str, Any], config: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    # `search.space.optimizer.lr=…` gives nested keys: dotted and nested spellings are the same space.
    for name, node in space.items():
        key = f"{prefix}{name}"
        known = at_key(config, key)
        inner = isinstance(known, Mapping) if known is not None else not set(node or ()) & set(KINDS)
        if isinstance(node, Mapping) and inner:
            yield from _flat(node, config, f"{key}.")
        else:
            yield key, node


def _read_axis(key: str, node: Any, reference: Any) -> Axis:
    where = f"search.space.{key}"
    if isinstance(node, (list, tuple)):
        node = {"choices": node}
    if not isinstance(node, Mapping) or len(node) != 1:
        raise Refusal(f"{node!r} is no range", where=where, fix="such as {log: [1e-4, 1e-2]} or {choices: [32, 64]}")
    kind, values = next(iter(node.items()))
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, 1, 0.3) or ["choices"]
        raise Refusal(f"there is no kind of range {kind!r}", where=where, fix=f"one of {', '.join(KINDS)}; {near[0]}?")
    if not isinstance(values, (list, tuple)) or not values:
        raise Refusal(f"{values!r} is not a list", where=where, fix=f"such as {{{kind}: [1, 2]}}")
    if kind == "choices":
        return Axis(key=key, scale="choice", choices=tuple(dict.fromkeys(values)), reference=reference, declared=True)
    return _range(key, kind, values, reference, where)


def _range(key: str, scale: Any, values: Any, reference: Any, where: str) -> Axis:
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)]
    if len(values) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise Refusal(f"{list(values)} are not a low and a high end", where=where, fix="two numbers, the smaller first")
    if scale == "log" and numbers[0] <= 0:
        raise Refusal(f"a log scale cannot start at {numbers[0]}", where=where, fix="start above 0, or use linear")
    if scale == "integer" and any(v != int(v) for v in numbers):
        raise Refusal(f"{list(values)} are not whole numbers", where=where, fix="use linear for real numbers")
    return Axis(key=key, scale=scale, low=numbers[0], high=numbers[1], reference=reference, declared=True)


def _around(config: Mapping[str, Any], key: str, down: float, up: float) -> Axis | None:
    value = at_key(config, key)
    if not _positive(value):
        return None
    return Axis(key=key, scale="log", low=round_to(value / down, 3), high=round_to(value * up, 3), reference=value)


def _dropout(config: Mapping[str, Any]) -> Axis | None:
    for key in ("regularizers.dropout", "model.dropout"):
        value = at_key(config, key)
        if _positive(value):
            return Axis(key=key, scale="linear", low=0.0, high=max(0.6, min(0.95, 2 * value)), reference=value)
    return None


def _multiples(config: Mapping[str, Any], key: str, factors: tuple[float, ...]) -> Axis | None:
    value = at_key(config, key)
    if not _positive(value) or int(value) != value or value < 8:
        return None
    choices = tuple(dict.fromkeys(max(1, int(value * factor)) for factor in factors))
    return Axis(key=key, scale="choice", choices=choices, reference=value)


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
