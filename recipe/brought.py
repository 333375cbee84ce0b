"""Objects given from Python, under dotted names that a config can hold: `recipe.brought.Net_1f2e…` is the very class.

They live in this process alone: what would start another one for them stays here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_objects: ContextVar[Mapping[str, Any] | None] = ContextVar("objects", default=None)


@contextmanager
def holding(objects: Mapping[str, Any]) -> Iterator[None]:
    """While it lasts, the objects are found under `recipe.brought.<name>`."""
    token = _objects.set(objects)
    try:
        yield
    finally:
        _objects.reset(token)


def stays(config: Any) -> bool:
    """Whether a config names an object that another process does not have."""
    if isinstance(config, Mapping):
        target = config.get("_target_")
        return (isinstance(target, str) and target.startswith(f"{__name__}.")) or any(map(stays, config.values()))
    return isinstance(config, (list, tuple)) and any(map(stays, config))


def name_of(target: str) -> str:
    """The last part of a dotted name, of an object as its author called it."""
    name = target.rpartition(".")[2]
    return name.rpartition("_")[0] if target.startswith(f"{__name__}.") else name


def importable(thing: Any) -> str | None:
    """The dotted name under which any process can import a class or function; None for what has none."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)) or module in ("__main__", "builtins"):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}.{name}" if found is thing else None


def __getattr__(name: str) -> Any:
    objects = _objects.get() or {}
    if name not in objects:
        raise AttributeError(f"{name} was not given: call recipe with the same objects again")
    return objects[name]
