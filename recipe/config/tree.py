"""Settings into the plain tree of a config, strictly: what is not there is refused with the nearest that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from recipe import dotted
from recipe.config.files import GROUPS
from recipe.config.grammar import COMMAND_LINE
from recipe.config.layers import Layer, Setting
from recipe.nearest import nearest
from recipe.record.refusal import Refusal
from recipe.trust import is_keyword

Tree = dict[str, Any]
Path = tuple[str, ...]
# What we read from a node ourselves, beside the arguments of what it names.
OURS = {("optimizer", "groups"), ("schedule", "interval")}


def apply(layer: Layer, tree: Tree, theirs: frozenset[Path] = frozenset()) -> list[Path]:
    """Puts a layer's settings into `tree`; returns the paths that are new arguments of a node with a `_target_`.

    theirs: what is shipped without keys below it: there any key is the user's to name.
    """
    # Targets first: a node that names another one starts afresh, whatever the order of the words.
    ordered = sorted(layer.settings, key=lambda setting: setting.path[-1] != "_target_")
    return [path for setting in ordered if (path := _put(setting, tree, layer, theirs))]


def bare_keys(shipped: Tree) -> frozenset[Path]:
    """Paths that are shipped as a value or an empty node; not those of the groups, which their options fill."""
    found = {(*path, key) for path, node in _nodes(shipped) for key, value in node.items() if not _has_keys(value)}
    return frozenset(path for path in found if path[0] not in GROUPS or len(path) > 1)


def check_arguments(new: list[Path], tree: Tree) -> None:
    """Refuses new arguments that the node's target does not take, as far as its source text tells."""
    for path in new:
        node = at(tree, path[:-1])
        target = node.get("_target_") if isinstance(node, Mapping) else None
        if not isinstance(target, str) or path[-1] not in node or is_keyword(path[-1]) or path in OURS:
            continue
        taken = dotted.parameters(target)
        if taken is not None and not taken.open and path[-1] not in taken.names:
            known = [name for name in (*node, *taken.names) if name != path[-1]]
            raise _unknown(path, tree, known, "", f"no such key, and {target} takes no such argument")


def check_keys(tree: Tree, shipped: Tree, added: set[Path]) -> None:
    """Refuses keys of strict nodes that came from a user's own file of a group, where no setting was looked at."""
    for path, node in _nodes(shipped):
        found = at(tree, path)
        if not isinstance(found, Mapping):
            inside = ", ".join(list(node)[:8])
            raise Refusal(f"is a group of keys ({inside}), not one value", where=".".join(path))
        if _is_open(found):
            continue
        for key in found:
            if key not in node and (*path, key) not in added:
                raise _unknown((*path, str(key)), tree, list(node), "")


def at(tree: Any, path: Path) -> Any:
    """The value under a path, or None."""
    for part in path:
        if isinstance(tree, Mapping):
            tree = tree.get(part)
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            return None
    return tree


def keys(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """All dotted keys, nodes before their leaves."""
    for name, value in tree.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from keys(value, f"{prefix}{name}.")


def copied(tree: Any) -> Any:
    """Mappings and lists anew, leaves as they are."""
    if isinstance(tree, Mapping):
        return {key: copied(value) for key, value in tree.items()}
    return [copied(value) for value in tree] if isinstance(tree, (list, tuple)) else tree


def _put(setting: Setting, tree: Tree, layer: Layer, theirs: frozenset[Path]) -> Path | None:
    """One setting; its path if that is a new argument of a node with a `_target_`."""
    first, *rest = setting.path
    # In a file a key may be written with its dots: `optimizer.lr: 1e-3`.
    path = (first, *rest) if first in tree else (*first.split("."), *rest)
    new_is_fine = setting.mode in ("add", "force")
    node: Any = tree
    free = False  # below what is null or empty as shipped, and inside arguments, any key is the user's to name
    for depth, part in enumerate(path[:-1], 1):
        if isinstance(node, list):
            node = node[_position(node, part, path, layer)]
            continue
        if part not in node and not (free or _is_open(node) or new_is_fine):
            raise _unknown(path[:depth], tree, list(node), layer.name)
        free = free or _is_open(node) or path[:depth] in theirs
        child = node.get(part)
        if not isinstance(child, (dict, list)) or child == {}:
            child, free = {}, True
            node[part] = child
        node = child
    last = path[-1]
    if isinstance(node, list):
        node[_position(node, last, path, layer)] = copied(setting.value)
        return None
    there = last in node
    if setting.mode == "delete":
        _take_away(node, path, tree, layer)
        return None
    if setting.mode == "add" and there and node[last] not in (None, {}, []):
        raise Refusal("is there already", where=_place(path, layer.name), fix=f"leave the + out: {'.'.join(path)}=…")
    if not there and not (free or _is_open(node) or new_is_fine):
        raise _unknown(path, tree, list(node), layer.name)
    whole = last == "_target_" and not (len(path) == 2 and path[0] in GROUPS)
    if whole and node.get(last) not in (None, setting.value):
        node.clear()
    if setting.value != {} or not isinstance(node.get(last), dict):
        node[last] = copied(setting.value)
    return path if not there and _is_open(node) and not new_is_fine else None


def _take_away(node: Tree, path: Path, tree: Tree, layer: Layer) -> None:
    """`~key`: an argument is left to its callee's default; a key of our own is null, which means off."""
    if path[-1] not in node:
        raise _unknown(path, tree, list(node), layer.name)
    if _is_open(node):
        del node[path[-1]]
    else:
        node[path[-1]] = None


def _position(node: list[Any], part: str, path: Path, layer: Layer) -> int:
    if not part.isdigit() or int(part) >= len(node):
        what, place = f"{part} is no position in a list of {len(node)}", _place(path, layer.name)
        raise Refusal(what, where=place, fix="give the whole list: key=[…]")
    return int(part)


def _has_keys(value: Any) -> bool:
    return isinstance(value, (Mapping, list)) and len(value) > 0


def _is_open(node: Any) -> bool:
    """Nodes that name code take the code's own arguments."""
    return isinstance(node, Mapping) and "_target_" in node


def _nodes(shipped: Tree, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    yield path, shipped
    for name, value in shipped.items():
        if isinstance(value, Mapping) and value:
            yield from _nodes(dict(value), (*path, name))


def _place(path: Path, layer: str) -> str:
    return ".".join(path) if layer in ("", COMMAND_LINE) else f"{layer}: {'.'.join(path)}"


def _unknown(path: Path, tree: Tree, siblings: list[str], layer: str, what: str = "no such key") -> Refusal:
    """With the nearest siblings, and with keys elsewhere that end alike: lr is optimizer.lr."""
    prefix = "".join(f"{part}." for part in path[:-1])
    everywhere = [key for key in keys(tree) if key != ".".join(path)]
    found = [prefix + name for name in nearest(path[-1], siblings)]
    found += [key for key in everywhere if key.rpartition(".")[2] == path[-1]]
    if not found:
        found = nearest(path[-1], {key.rpartition(".")[2] for key in everywhere}, 1)
        found = [key for key in everywhere if found and key.rpartition(".")[2] == found[0]]
    near = " or ".join(list(dict.fromkeys(found))[:3])
    fix = f"did you mean {near}?" if near else f"keys there: {', '.join(siblings[:12])}"
    return Refusal(what, where=_place(path, layer), fix=fix)
