"""Which `_target_` may be named in a config: what is shipped or listed here, and what the user vouched for.

Checked on every `_target_` of a composed config before anything is imported. A name counts by where it is bound, not
by how it is spelt: `torch.nn.functional.torch.hub.load` is torch.hub's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from recipe import dotted
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

ALLOWED = (
    "torch.nn",
    "torch.optim",
    "torch.utils.data",
    "torchvision.models",
    "torchvision.ops",
    "torchvision.transforms",
    "timm.create_model",
    "timm.layers",
    "timm.loss",
    "timm.models",
    "timm.optim",
    "timm.scheduler",
    "torchmetrics",
    "sklearn.metrics",
    "recipe.data",
    "recipe.losses",
    "recipe.models",
    "recipe.search",
    "recipe.tasks",
    "recipe.training",
)
# Inside the allowed packages: what reads or writes files, goes to the network, or calls what it is given.
_NOT_THESE = re.compile(
    r"torch\.utils\.data\.(?!(\w+\.)?(\w*Sampler|TensorDataset|ConcatDataset|StackDataset|Subset)$)"
    r"|torch\.nn\.(parallel|backends|cpp|utils\.(?!parametrizations|parametrize|rnn))"
    r"|timm\.models\.(.*\.)?(load|resume|save|push|download|adapt|register|clean)_?\w*$|timm\.models\.(_?hub|_?helpers|_?builder)"
    r"|torchvision\.models\.(.*\.)?(register_model|_utils)"
    r"|recipe\.data\.download\.|recipe\.(data|training)\.(.*\.)?(write|save|remove|download)\w*$"
)
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_KEYWORDS = {"_target_", "_args_", "_partial_", "_convert_", "_recursive_"}


def check_targets(config: Mapping[str, Any], trust: Sequence[str]) -> list[str]:
    """All targets of a config, in order. Raises Refusal for the first that may not be named, or that is not there."""
    prefixes = trusted_names(trust)
    targets = list(targets_in(config))
    for key, target in targets:
        check_target(key, target, prefixes)
    return [target for _, target in targets]


def targets_in(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key of the node, its target) of every `_target_`, however deep."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield key, node["_target_"]
        for name, child in node.items():
            yield from targets_in(child, f"{key}.{name}" if key else str(name))
    elif isinstance(node, (list, tuple)):
        for position, child in enumerate(node):
            yield from targets_in(child, f"{key}[{position}]")


def trusted_names(trust: Sequence[str]) -> tuple[str, ...]:
    """The names in `trust`. Raises Refusal for what is not the name of a package or module."""
    for name in trust:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal(f"{name!r} is not the name of a package", where="trust", fix="such as trust=[my_project]")
    return tuple(trust)


def check_target(key: str, target: Any, trust: Sequence[str]) -> None:
    """Raises Refusal unless `target` may be named and, as far as its source text tells, exists."""
    where = f"{key}._target_"
    if not isinstance(target, str) or not _NAME.fullmatch(target) or "." not in target:
        raise Refusal(f"{target!r} is not of the form package.module.Name", where=where)
    _check(where, target, tuple(trust), tuple(sys.path))


@lru_cache(maxsize=512)
def _check(where: str, target: str, trust: tuple[str, ...], _path: tuple[str, ...]) -> None:
    if _under(target, trust):
        _require_there(where, target)
        return
    if not _under(target, ALLOWED):
        raise _untrusted(where, target)
    first = target.split(".")[0]
    if dotted.module_file(first) is None:
        raise Refusal(f"{target} needs {first}, which is not installed", where=where, fix=f"pip install {first}")
    found = dotted.find(target)
    if found is None:
        _require_there(where, target)
        raise Refusal(f"there is no {target}", where=where)
    # Names are judged as they are spelt and by where they are bound: neither may lead out.
    spelt, bound = target, f"{found.module}.{found.name}"
    private = any(part.startswith("_") for part in target.split("."))
    foreign = found.kind == "module" or not _under(bound, (*ALLOWED, *trust, *_homes(target)))
    attribute = len(found.rest) > 1 or (found.rest and found.kind != "class")
    if private or foreign or attribute or _NOT_THESE.match(spelt) or _NOT_THESE.match(bound):
        raise _untrusted(where, target)


def _homes(target: str) -> tuple[str, ...]:
    """Where packages keep what they offer under a shorter name: timm.create_model is bound in timm.models."""
    return ("timm.models",) if target.startswith("timm.") else ()


def _under(name: str, prefixes: Sequence[str]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _untrusted(where: str, target: str) -> Refusal:
    # Of a package that is allowed in parts, the smallest part is offered; of others, the package.
    parts = target.split(".")
    first = parts[0] if not any(a.startswith(parts[0] + ".") for a in ALLOWED) else ".".join(parts[:-1])
    return Refusal(
        f"{target} is not among the code that a config may name (parts of torch, torchvision, timm and recipe)",
        where=where,
        fix=f"if you mean it and trust it, add trust=[{first}] to the command, or to your conf/config.yaml",
    )


def _require_there(where: str, target: str) -> None:
    """Refuses a name that its module's text does not have, and a module that is not there."""
    parts = target.split(".")
    first = dotted.module_file(parts[0])
    here = next((place for place in (Path(f"{parts[0]}.py"), Path(parts[0])) if place.exists()), None)
    if here is not None and first is not None and Path.cwd() not in first.parents:
        fix = "give yours another name"
        raise Refusal(f"{here} is hidden by the installed {first}, which has the same name", where=where, fix=fix)
    if dotted.find(target) is not None:
        return
    cut = next((n for n in range(len(parts) - 1, 0, -1) if dotted.module_file(".".join(parts[:n]))), 0)
    module = ".".join(parts[:cut])
    if cut == 0:
        if parts[0] in sys.builtin_module_names or parts[0] in sys.stdlib_module_names:
            return
        raise Refusal(
            f"there is no module {parts[0]}, neither in this folder nor installed",
            where=f"{where}={target}",
            fix=did_you_mean(parts[0], sorted(file.stem for file in Path().glob("*.py")), otherwise="modules here:"),
        )
    text = dotted.text_of(module)
    if "__getattr__" in text or "globals()" in text or not text:
        return
    names = dotted.names_in(module)
    fix = did_you_mean(parts[cut], names, otherwise=f"{module} has")
    raise Refusal(f"{module} has no {parts[cut]}", where=f"{where}={target}", fix=fix)


def is_keyword(key: str) -> bool:
    """Whether a key of a node belongs to the node, not to what it names."""
    return key in _KEYWORDS
