"""What a dotted name stands for, read from source text: nothing is imported, so nothing of a user's is run."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_HOPS = 8


@dataclass(frozen=True)
class Found:
    """A name bound in a module: by a class, a function, an assignment, or the import of a module."""

    module: str
    file: Path
    name: str
    kind: str
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameters:
    """What a class or function can be called with. open: takes any keyword."""

    names: tuple[str, ...]
    open: bool


def module_file(dotted: str) -> Path | None:
    """The source file of a module or package, or None. Only the first part is looked up on sys.path."""
    first, *rest = dotted.split(".")
    root = _root(first, tuple(sys.path))
    if root is None:
        return None
    place = root.parent if root.name == "__init__.py" else root.with_suffix("")
    for part in rest:
        place = place / part
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file
    return root if not rest else None


def find(target: str) -> Found | None:
    """Where the object of a dotted path is bound; None when there is no such module, or no such name in it."""
    parts = target.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        if (file := module_file(module)) is not None:
            found = _bound(module, file, parts[cut], _HOPS)
            if found is None:
                return None
            return Found(found.module, found.file, found.name, found.kind, tuple(parts[cut + 1 :]))
    return None


def names_in(module: str) -> list[str]:
    """Public classes and functions that a module defines, for suggestions."""
    file = module_file(module)
    tree = _tree(file) if file else None
    if tree is None:
        return []
    definitions = (ast.ClassDef, ast.FunctionDef)
    return [node.name for node in tree.body if isinstance(node, definitions) and not node.name.startswith("_")]


def text_of(module: str) -> str:
    """A module's source text; empty when there is none."""
    file = module_file(module)
    return _text(file) if file else ""


def parameters(target: str) -> Parameters | None:
    """The keywords a target takes; None where its text does not tell."""
    found = find(target)
    if found is None or found.rest or found.kind not in ("class", "function"):
        return None
    return _parameters_of(found, _HOPS)


@lru_cache(maxsize=256)
def _root(name: str, path: tuple[str, ...]) -> Path | None:  # noqa: ARG001
    # Finding a name without dots imports nothing. `path` is there for the cache: sys.path grows by the user's folder.
    try:
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    # A folder without __init__.py is a package too.
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]) / "__init__.py" if places else None


def _bound(module: str, file: Path, name: str, hops: int) -> Found | None:
    text = _text(file)
    if hops == 0 or not re.search(rf"\b{re.escape(name)}\b|import\s+\*", text):
        return None
    if match := re.search(rf"^(class|def|async def)\s+{re.escape(name)}\b", text, re.MULTILINE):
        return Found(module, file, name, "class" if match[1] == "class" else "function")
    stars = []
    for node in _statements(_tree(file)):
        if isinstance(node, ast.ImportFrom):
            source = _absolute(module, file, node)
            for alias in node.names:
                if alias.name == "*":
                    stars.append(source)
                elif (alias.asname or alias.name) == name:
                    return _imported(source, alias.name, hops)
        elif isinstance(node, ast.Import):
            if any((alias.asname or alias.name.split(".")[0]) == name for alias in node.names):
                return Found(module, file, name, "module")
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return Found(module, file, name, "class" if isinstance(node, ast.ClassDef) else "function")
        elif any(isinstance(target, ast.Name) and target.id == name for target in _assigned(node)):
            return Found(module, file, name, "assigned")
    for source in stars:
        if (place := module_file(source)) and (found := _bound(source, place, name, hops - 1)):
            return found
    return None


def _imported(source: str, name: str, hops: int) -> Found | None:
    inner = module_file(f"{source}.{name}")
    place = module_file(source)
    found = _bound(source, place, name, hops - 1) if place else None
    if found is None and inner is not None:
        return Found(source, inner, name, "module")
    # From a compiled module: where it is bound is all that the text tells.
    return found or (Found(source, Path(source), name, "assigned") if place is None else None)


def _parameters_of(found: Found, hops: int) -> Parameters | None:
    tree = _tree(found.file)
    node = next((n for n in _statements(tree) if getattr(n, "name", "") == found.name), None)
    if isinstance(node, ast.FunctionDef):
        return None if node.decorator_list else _arguments(node, method=False)
    if not isinstance(node, ast.ClassDef) or node.decorator_list or hops == 0:
        return None
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in ("__init__", "__new__"):
            return _arguments(statement, method=True)
    if len(node.bases) == 1 and isinstance(node.bases[0], ast.Name):
        base = _bound(found.module, found.file, node.bases[0].id, _HOPS)
        return _parameters_of(base, hops - 1) if base and base.kind == "class" else None
    return None


def _arguments(node: ast.FunctionDef, *, method: bool) -> Parameters:
    names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
    return Parameters(tuple(names[1:] if method else names), node.args.kwarg is not None)


def _statements(tree: ast.Module | None) -> Iterator[ast.stmt]:
    """Statements of a module's top, and of the `if` and `try` that stand there."""
    waiting: list[ast.stmt] = list(tree.body) if tree else []
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            waiting = [*node.body, *node.orelse, *getattr(node, "finalbody", []), *waiting]


def _assigned(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def _absolute(module: str, file: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    package = package[: len(package) - (node.level - 1)]
    return ".".join([*package, *([node.module] if node.module else [])])


@lru_cache(maxsize=256)
def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _tree(file: Path) -> ast.Module | None:
    try:
        return ast.parse(_text(file))
    except (SyntaxError, ValueError, RecursionError):
        return None
