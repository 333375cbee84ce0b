"""What the commands do, from a notebook, a script or a test: with objects in hand instead of names in a config."""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipe import brought, run
from recipe.commands.configs import require_known_checks
from recipe.config import GROUPS, Composed, compose
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal
from recipe.record.report import Report
from recipe.told import Told, Walked

Override = str | Mapping[str, Any]
NODES = ("model", "loss", "step", "optimizer")
"""Nodes for which a class or function may be given."""
TOLD_APART = 8
"""Letters of the hash of an object's source that stand in its name."""


def inspect_data(*overrides: Override, **objects: Any) -> Told:
    """Become one with the data; `recipe inspect-data`. Arguments as for `walk`."""
    return _stage("inspect-data", overrides, objects)


def baseline(*overrides: Override, **objects: Any) -> Told:
    """A skeleton to trust, and dumb baselines; `recipe baseline`. Arguments as for `walk`."""
    return _stage("baseline", overrides, objects)


def overfit(*overrides: Override, **objects: Any) -> Told:
    """A model large enough to fit the training set; `recipe overfit`. Arguments as for `walk`."""
    return _stage("overfit", overrides, objects)


def regularize(*overrides: Override, **objects: Any) -> Told:
    """Give up training loss for validation loss; `recipe regularize`. Arguments as for `walk`."""
    return _stage("regularize", overrides, objects)


def tune(*overrides: Override, **objects: Any) -> Told:
    """The loop over a wide space; `recipe tune`. Arguments as for `walk`."""
    return _stage("tune", overrides, objects)


def ensemble(*overrides: Override, **objects: Any) -> Told:
    """Squeeze out the juice; opens the sealed test split; `recipe ensemble`. Arguments as for `walk`."""
    return _stage("ensemble", overrides, objects)


def walk(*overrides: Override, **objects: Any) -> Walked:
    """All six stages in order, as far as the gates are open; `recipe walk`.

    overrides: words as on the command line ("optimizer.lr=1e-3"), or mappings {key: value}.
    data: a DataFrame (with target="COLUMN"), a pair (X, y), a Dataset, a mapping of splits, or a function; or the name
    of a shipped config. model, loss, step, optimizer: a class or function, or such a name. metrics: functions of
    (outputs, targets). quiet: no progress on stderr.

    Returns the reports, which a notebook shows as a page. Raises Refusal, as the command would end with exit code 2.
    """
    with _composed(overrides, objects) as (composed, quiet):
        folder = Path(composed.plain["run"]["dir"])
        return Walked(tuple(Told(one, folder) for one in run.do_walk(composed, quiet=quiet, show=False)), folder)


def _stage(name: str, overrides: Sequence[Override], objects: Mapping[str, Any]) -> Told:
    with _composed(overrides, objects) as (composed, quiet):
        report: Report = run.do_stage(name, composed, quiet=quiet, show=False)
        return Told(report, Path(composed.plain["run"]["dir"]))


@dataclass(frozen=True)
class Given:
    """What was given as objects: as settings of a config, and under the names by which those settings call it."""

    settings: dict[str, Any]
    words: tuple[str, ...]
    objects: dict[str, Any]
    trust: tuple[str, ...]


@contextmanager
def _composed(overrides: Sequence[Override], objects: Mapping[str, Any]) -> Iterator[tuple[Composed, bool]]:
    try:
        given = given_as(objects)
        words = [*given.words, *(one for one in overrides if isinstance(one, str))]
        settings = {key: value for one in overrides if not isinstance(one, str) for key, value in one.items()}
        with brought.holding(given.objects):
            composed = compose(words, given=given.settings | settings, trust=given.trust)
            require_known_checks(composed)
            yield composed, bool(objects.get("quiet"))
    except Refusal as refusal:
        # Of an exception Python prints no more than its text.
        for label, line in (("where", refusal.where), ("do", refusal.fix)):
            if line:
                refusal.add_note(f"{label}: {line}")
        raise


def given_as(objects: Mapping[str, Any]) -> Given:
    """Objects → settings. What any process can import is named by where it is, everything else by its content."""
    known = ("data", "target", *NODES, "metrics", "quiet")
    if unknown := sorted(set(objects) - set(known)):
        near = did_you_mean(unknown[0], known, otherwise="there are")
        raise TypeError(f"there is no argument {unknown[0]!r}; {near}")
    settings: dict[str, Any] = {}
    words, held, trust = [], {}, []

    def name(thing: Any, called: str, stamp: bytes | None = None) -> str:
        path = brought.importable(thing)
        if path is not None and stamp is None:
            trust.append(path.split(".")[0])
            return path
        key = _name(thing, called, stamp)
        made = inspect.isclass(thing) or inspect.isroutine(thing) or stamp is not None
        held[key] = thing if made else functools.partial(_it, thing)
        trust.append(brought.__name__)
        return f"{brought.__name__}.{key}"

    for key in NODES:
        thing = objects.get(key)
        if isinstance(thing, str) and key in GROUPS:
            words.append(f"{key}={thing}")
        elif thing is not None:
            _require_factory(key, thing)
            settings[f"{key}._target_"] = name(thing, key)
    metrics = objects.get("metrics") or ()
    if metrics:
        settings["metrics"] = [{"_target_": name(one, "metric")} for one in _listed(metrics)]
    data = objects.get("data")
    if isinstance(data, str):
        words.append(f"data={data}")
    elif data is not None:
        from recipe.data.at_hand import source_of, stamp_of

        plain = objects.get("target") is None and inspect.isroutine(data)
        source = data if plain else source_of(data, objects.get("target"))
        settings["data._target_"] = name(source, "data", None if plain else stamp_of(data))
        settings["data.name"] = getattr(data, "__module__", "mine").split(".")[0].strip("_") if plain else "mine"
    return Given(settings, tuple(words), held, tuple(dict.fromkeys(trust)))


def _require_factory(key: str, thing: Any) -> None:
    import torch

    if key == "model" and isinstance(thing, torch.nn.Module):
        raise Refusal(
            f"a {type(thing).__name__} that is made already has one set of weights, and every seed needs its own",
            where="model",
            fix=f"give the class, or a function: model=lambda: {type(thing).__name__}(…)",
        )
    if not callable(thing):
        raise Refusal(f"a {type(thing).__name__} cannot be called", where=key, fix="give a class or a function")


def _name(thing: Any, called: str, stamp: bytes | None) -> str:
    """An identifier that changes when the object does, as far as its source or its content tells."""
    base = re.sub(r"\W+", "_", getattr(thing, "__name__", "") or called).strip("_") or called
    return f"{base}_{(stamp or _source(thing)).hex()[:TOLD_APART]}"


def _source(thing: Any) -> bytes:
    told = repr(thing).encode() if not callable(thing) else b""
    try:
        told += inspect.getsource(thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)).encode()
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        told += code.co_code + repr(code.co_consts).encode() if code else repr(type(thing)).encode()
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        told += repr(thing).partition(" at 0x")[0].encode()
    return hashlib.blake2b(told, digest_size=8).digest()


def _it(thing: Any) -> Any:
    return thing


def _listed(value: Any) -> list[Callable[..., Any]]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
