"""`${…}` in values: looked at before OmegaConf resolves them, so that none runs in circles or grows without end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from recipe.record.refusal import Refusal
from recipe.record.secret import MASK, hidden_value

MAX_SIZE = 100_000
MAX_NESTED = 8
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


def resolve(tree: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tree with its references resolved, once with all values and once fit to be shown.

    In the second, what came out of the environment, what is named like a secret and passwords of URLs are masked.
    """
    _guard(tree)
    plain = _resolved(tree)
    seen = _resolved(tree, masked=True) if "oc.env" in str(tree) else plain
    return plain, hidden_value(seen)


def _resolved(tree: Mapping[str, Any], *, masked: bool = False) -> dict[str, Any]:
    roots = _roots_needed(tree)
    if not roots:
        return _plain(tree)  # type: ignore[no-any-return]
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from omegaconf.resolvers import oc

    try:
        if masked:
            OmegaConf.register_new_resolver("oc.env", lambda *_: MASK, replace=True)
        # OmegaConf takes a tenth of a second for the whole tree, and a run changes its config hundreds of times.
        part = OmegaConf.create({key: node for key, node in tree.items() if key in roots})
        found: dict[str, Any] = OmegaConf.to_container(part, resolve=True)  # type: ignore[assignment]
        return {key: found[key] if key in roots else _plain(node) for key, node in tree.items()}
    except (OmegaConfBaseException, RecursionError) as error:
        key = str(getattr(error, "full_key", "") or "")
        text = str(getattr(error, "msg", None) or error).splitlines()[0]
        raise Refusal(f"cannot be resolved: {text}", where=key, fix="${a.key} stands for the value of a.key") from None
    finally:
        if masked:
            OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def _roots_needed(tree: Mapping[str, Any]) -> set[str]:
    """The nodes of the root that hold references, and those that they lead to; all where that is not plain to see."""
    needed, todo = set(), [key for key, node in tree.items() if any(_texts(node))]
    while todo:
        key = todo.pop()
        if key in needed:
            continue
        needed.add(key)
        for text in _texts(tree[key]):
            names = [name.strip() for name in _REFERENCE.findall(text)]
            if len(names) < text.count("${") or any(name.startswith((".", "oc.select")) for name in names):
                return set(tree)
            todo += [root for name in names if (root := re.split(r"[.\[]", name)[0]) in tree]
    return needed


def _texts(node: Any) -> Iterator[str]:
    """All that holds a reference."""
    if isinstance(node, str):
        if "${" in node:
            yield node
        return
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, (list, tuple)) else ()
    for child in children:
        yield from _texts(child)


def _guard(tree: Mapping[str, Any]) -> None:
    """How large everything would become; a circle and a blow-up are named before they happen."""
    sizes: dict[str, int] = {}
    nested = 0

    def size_of(node: Any, key: str, way: tuple[str, ...]) -> int:
        nonlocal nested
        if isinstance(node, Mapping):
            total = sum(size_of(child, f"{key}.{name}" if key else str(name), way) for name, child in node.items())
        elif isinstance(node, (list, tuple)):
            total = sum(size_of(child, f"{key}[{position}]", way) for position, child in enumerate(node))
        elif isinstance(node, str) and "${" in node:
            total = len(node)
            names = _REFERENCE.findall(node)
            nested += len(names) < node.count("${")
            if nested > MAX_NESTED:
                raise Refusal(f"more than {MAX_NESTED} references inside references", where=key)
            for name in names:
                total += size_at(name.strip(), key, way)
        else:
            total = len(node) if isinstance(node, str) else 1
        if total > MAX_SIZE:
            raise Refusal(f"its references expand to more than {MAX_SIZE:,} characters", where=key)
        return total

    def size_at(name: str, key: str, way: tuple[str, ...]) -> int:
        path = _path(name, key)
        if path is None:
            return len(name)
        if path in way:
            circle = " → ".join([*way[way.index(path) :], path])
            raise Refusal(f"its reference comes back to itself: {circle}", where=key)
        if path not in sizes:
            sizes[path] = size_of(_at(tree, path), path, (*way, path))
        return sizes[path]

    for name, child in tree.items():
        size_of(child, str(name), (str(name),) if isinstance(child, str) else ())


def _path(name: str, key: str) -> str | None:
    """The dotted path that a reference names; None for what looks outside the config, such as oc.env:HOME."""
    call, colon, arguments = name.partition(":")
    if colon and call in ("oc.env", "oc.decode"):
        return None
    if colon and call != "oc.select":
        fix = "there are ${key}, ${oc.env:NAME}, ${oc.select:key,default} and ${oc.decode:text}"
        raise Refusal(f"there is no reference of the kind {call}:", where=key, fix=fix)
    name = arguments.split(",")[0].strip() if colon else name
    dots = len(name) - len(name.lstrip("."))
    if not dots:
        return name
    parents = re.sub(r"\[\d+\]", "", key).split(".")
    return ".".join([*parents[: len(parents) - dots], *name.lstrip(".").split(".")])


def _at(tree: Any, path: str) -> Any:
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, (list, tuple)) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    return [_plain(value) for value in node] if isinstance(node, (list, tuple)) else node
