"""recipe.yaml, the recipe so far: a short config in which each line has its evidence as a comment."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from recipe.record.plain import to_plain
from recipe.record.report import Decision

HEAD = """\
# The recipe so far. Each line was put there by a stage, with its evidence above it; a later stage starts from here.
# Use it elsewhere as it is: recipe walk --config-dir <this folder> --config-name recipe
"""


def recipe_text(decided: Sequence[tuple[str, Decision]], groups: Sequence[str]) -> str:
    """The file's text. decided: (who decided, decision) in order, a later one replaces an earlier one of the same key.

    groups: names of config groups; a decision on one of them is a choice and stands in the defaults list.
    """
    latest = {decision.key: (by, decision) for by, decision in decided}
    choices = [item for key, item in latest.items() if key in groups]
    values = sorted((item for key, item in latest.items() if key not in groups), key=lambda item: _place(item[1].key))
    lines = [HEAD]
    if choices:
        lines.append("defaults:")
        for by, decision in choices:
            lines += [*_comment(by, decision, 1), f"  - {decision.key}: {_value(decision.value)}"]
    open_nodes: list[str] = []
    said: list[str] = []
    for by, decision in values:
        *nodes, leaf = decision.key.split(".")
        shared = next(
            (i for i, (a, b) in enumerate(zip(nodes, open_nodes, strict=False)) if a != b),
            min(len(nodes), len(open_nodes)),
        )
        lines += [f"{'  ' * depth}{node}:" for depth, node in enumerate(nodes) if depth >= shared]
        # Neighbours of one node that were decided together share the comment above the first of them.
        comment = _comment(by, decision, len(nodes))
        lines += [
            *(comment if comment != said or nodes != open_nodes else []),
            f"{'  ' * len(nodes)}{leaf}: {_value(decision.value)}",
        ]
        open_nodes, said = nodes, comment
    return "\n".join(lines) + "\n"


def _place(key: str) -> tuple[int, str]:
    """Plain keys first, so that no node is opened twice."""
    return (1 if "." in key else 0, key)


def _comment(by: str, decision: Decision, depth: int) -> list[str]:
    text = " ".join(f"{by}: {decision.because}".split())
    return [f"{'  ' * depth}# {line}" for line in textwrap.wrap(text, 100, break_long_words=False)]


def _value(value: Any) -> str:
    """JSON is YAML; strings that need no quotes have none."""
    if isinstance(value, str) and value.replace("_", "").replace("-", "").isalpha() and value not in _WORDS:
        return value
    return msgspec.json.encode(to_plain(value)).decode()


_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
