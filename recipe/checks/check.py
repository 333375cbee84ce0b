"""The contract of a check: evidence in by parameter, thresholds by keyword, a verdict out.

    @check(id="overfit-one-batch")
    def one_batch_is_memorised(one_batch: OneBatch, *, tolerance: float = 0.01) -> Verdict:
        '''A single small batch can be learnt to its lowest achievable loss.

        Why: …   Fix: …   Source: …
        '''

Parameters before `*` name the evidence and its type (a default of None makes it optional); keyword-only ones are
thresholds, each with its default. The stage is the module's name below recipe.checks. Everything else that is known
about a check (catalogue, docs, config keys, report rows) follows from the function.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from recipe.record.evidence import Evidence
from recipe.record.report import Level

SECTIONS = ("Why", "Fix", "Source")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. See `Finding` for the fields; advice defaults to the check's Fix."""

    verdict: Level
    message: str
    measured: Mapping[str, Any] = {}
    expected: Mapping[str, Any] = {}
    advice: str = ""
    cause: str = ""
    where: str = ""
    figures: tuple[str, ...] = ()


def passed(message: str, **fields: Any) -> Verdict:
    """All is well; the message says by which number."""
    return Verdict(verdict="pass", message=message, **fields)


def warned(message: str, **fields: Any) -> Verdict:
    """Worth a look; the gate stays open. Give `cause` and `advice` where they are known."""
    return Verdict(verdict="warn", message=message, **fields)


def failed(message: str, **fields: Any) -> Verdict:
    """Wrong; the gate is closed. Give `cause` and `advice` where they are known."""
    return Verdict(verdict="fail", message=message, **fields)


def skipped(reason: str) -> Verdict:
    """Cannot be judged here, and why."""
    return Verdict(verdict="skipped", message=reason)


class Needed(msgspec.Struct, frozen=True):
    """One piece of evidence a check reads."""

    name: str
    kind: type[Evidence]
    optional: bool


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check as the judge and the catalogue see it."""

    id: str
    stage: str
    title: str
    why: str
    fix: str
    source: str
    needs: tuple[Needed, ...]
    thresholds: dict[str, Any]
    judge: Callable[..., Verdict]


_CHECKS: dict[str, list[Check]] = {}


def check(*, id: str | None = None) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Makes a function a check. id: kebab-case and for ever; by default the function's name with dashes.

    Raises TypeError at import, naming file and line, when the function does not honour the contract.
    """

    def mark(function: Callable[..., Verdict]) -> Callable[..., Verdict]:
        made = _read(function, id or function.__name__.replace("_", "-"))
        module = _CHECKS.setdefault(function.__module__, [])
        module[:] = [c for c in module if c.id != made.id] + [made]
        return function

    return mark


def checks_in(module: str) -> list[Check]:
    """The checks of one imported module, in the order in which they stand there."""
    return list(_CHECKS.get(module, []))


def _read(function: Callable[..., Verdict], name: str) -> Check:
    title, sections = _docstring(function)
    hints = _hints(function)
    needs, thresholds = [], {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise _broken(function, f"threshold {parameter.name} has no default")
            thresholds[parameter.name] = parameter.default
        else:
            kind, optional = _evidence_type(hints.get(parameter.name))
            if kind is None:
                raise _broken(function, f"parameter {parameter.name} is not annotated with an evidence record")
            needs.append(Needed(parameter.name, kind, optional or parameter.default is None))
    return Check(
        id=name,
        stage=function.__module__.removeprefix("recipe.checks.").split(".")[0].replace("_", "-"),
        title=title,
        why=sections["Why"],
        fix=sections["Fix"],
        source=sections["Source"],
        needs=tuple(needs),
        thresholds=thresholds,
        judge=function,
    )


def _hints(function: Callable[..., Verdict]) -> dict[str, Any]:
    return typing.get_type_hints(function, vars(sys.modules[function.__module__]))


def _evidence_type(hint: Any) -> tuple[type[Evidence] | None, bool]:
    options = [o for o in typing.get_args(hint) if o is not type(None)] or [hint]
    kind = options[0]
    if isinstance(kind, type) and issubclass(kind, Evidence):
        return kind, len(typing.get_args(hint)) > 1
    return None, False


def _docstring(function: Callable[..., Verdict]) -> tuple[str, dict[str, str]]:
    text = inspect.getdoc(function) or ""
    title, _, rest = text.partition("\n")
    names = "|".join(SECTIONS)
    found = dict(re.findall(rf"^({names}): (.*?)(?=^(?:{names}): |\Z)", rest, re.DOTALL | re.MULTILINE))
    missing = [section for section in SECTIONS if section not in found]
    if not title or missing:
        raise _broken(function, f"its docstring lacks {', '.join(missing) or 'a title'}")
    return title.rstrip("."), {key: " ".join(value.split()) for key, value in found.items()}


def _broken(function: Callable[..., Any], reason: str) -> TypeError:
    code = function.__code__
    return TypeError(f"{code.co_filename}:{code.co_firstlineno}: check {function.__name__}: {reason}")
