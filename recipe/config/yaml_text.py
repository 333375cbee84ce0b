"""YAML files of users, read with care: counted before they are built, and every error with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from recipe.record.refusal import Refusal

MAX_BYTES = 1_000_000
MAX_NODES = 10_000
MAX_DEPTH = 40
_FLOAT = re.compile(
    r"""^(?:[-+]?[0-9]+(?:_[0-9]+)*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+)
    |\.[0-9]+(?:_[0-9]+)*(?:[eE][-+][0-9]+)?
    |[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$""",
    re.VERBOSE,
)


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; an empty file is an empty mapping. Raises Refusal naming file and line."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refusal(f"larger than {MAX_BYTES:,} bytes, which no config is", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(f"not UTF-8 text (byte {error.start})", where=str(path), fix="save it as UTF-8") from None
    except OSError as error:
        raise Refusal(f"cannot be read ({error.strerror})", where=str(path)) from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str, *, most: int = MAX_NODES) -> dict[str, Any]:
    """The mapping that `text` is; `name` stands for it in messages. most: values it may have, aliases expanded."""
    try:
        _count(text, name, most)
        value = yaml.load(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark else name
        raise Refusal(f"not valid YAML: {error.problem or error.context}", where=place) from None
    except yaml.YAMLError as error:
        raise Refusal(f"not valid YAML: {str(error).splitlines()[0]}", where=name) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal("not a mapping of keys to values", where=name, fix="write it as lines of `key: value`")
    return value


def _count(text: str, name: str, most: int) -> None:
    """Refuses what would grow when it is built: an alias stands for all that its anchor holds, in each place again."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]

    def add(amount: int, event: Any) -> None:
        anchor, count = open_nodes[-1]
        if count + amount > most:
            what, place = f"expands to more than {most:,} values", f"{name}:{event.start_mark.line + 1}"
            raise Refusal(what, where=place, fix="write it without aliases (*name)")
        open_nodes[-1] = (anchor, count + amount)

    for event in _events(text):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == waiting for waiting, _ in open_nodes):
                place = f"{name}:{event.start_mark.line + 1}"
                raise Refusal(f"the alias *{anchor} stands inside what it stands for", where=place)
            add(sizes.get(str(anchor), 0), event)
        elif isinstance(event, yaml.ScalarEvent):
            add(1, event)
            if anchor:
                sizes[anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((anchor, 1))
            if len(open_nodes) > MAX_DEPTH:
                raise Refusal(f"nested deeper than {MAX_DEPTH} levels", where=f"{name}:{event.start_mark.line + 1}")
        elif isinstance(event, yaml.CollectionEndEvent):
            closed, size = open_nodes.pop()
            if closed:
                sizes[closed] = size
            add(size, event)


def _events(text: str) -> Iterator[Any]:
    events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CLoader", yaml.Loader))
    return events


@cache
def _loader() -> Any:
    """YAML as OmegaConf reads it (1e-3 is a number, dates are text), on libyaml where it is there; no key twice."""
    parent = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(parent):  # type: ignore[misc, valid-type]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if key.tag == "tag:yaml.org,2002:str" and key.value in seen:
                    problem = f"the key {key.value} stands there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(key.value)
            return super().construct_mapping(node, deep=deep)

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))
    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for letter, resolvers in Loader.yaml_implicit_resolvers.items()
    }
    return Loader
