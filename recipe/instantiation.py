"""A `_target_` node → the object it names. The only file that instantiates; what may be named was checked before."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from recipe import brought
from recipe.record.refusal import Refusal, UserCodeError


def locate(target: str, where: str) -> Any:
    """The object behind a dotted path. It was checked against the allowlist when the config was composed."""
    from hydra.utils import get_object

    try:
        return get_object(target)
    except Exception as error:
        cause = error.__cause__ or error.__context__ or error
        theirs = UserCodeError.of(cause, target)
        if theirs is not None:
            raise theirs from error
        reason = str(cause if isinstance(cause, ImportError) else error).split("\n")[0]
        raise Refusal(
            f"cannot be found ({reason})", where=f"{where}._target_={target}", fix=_import_hint(target)
        ) from error


def instantiate(
    node: Any, *arguments: Any, where: str = "", optional: Mapping[str, Any] | None = None, **named: Any
) -> Any:
    """Builds a `_target_` node. optional: arguments that are passed if the target's signature has them.

    A loss or metric given as a plain function is returned as it is: it is called later, not now.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise Refusal("has no _target_", where=where, fix=f"{where}._target_=package.module.Name")
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate as hydra_instantiate

    target = locate(node["_target_"], where)
    known = signature_of(target)
    if inspect.isfunction(target) and where in ("loss", "metrics") and not set(node) - {"_target_"}:
        return target
    named |= {key: value for key, value in (optional or {}).items() if key in known and key not in node}
    try:
        # Hydra builds what is nested and binds the plain values; live objects never pass through its config nodes,
        # which would copy tensors.
        bound = hydra_instantiate({**node, "_partial_": True}, _convert_="all")
        return partial(bound, *arguments, **named) if node.get("_partial_") else bound(*arguments, **named)
    except Refusal:
        raise
    except Exception as error:
        cause = (error.__cause__ or error) if isinstance(error, InstantiationException) else error
        if isinstance(cause, Refusal):
            raise cause from None
        theirs = UserCodeError.of(cause, node["_target_"])
        if theirs is not None:
            raise theirs from error
        if not isinstance(cause, (TypeError, ValueError, InstantiationException)):
            raise
        raise Refusal(
            str(cause).split("\n")[0], where=f"{where} ({node['_target_']})", fix=_arguments_hint(known)
        ) from error


def build(node: Any, **arguments: Any) -> Any:
    """`instantiate` for the rooms below, which know their nodes by the target alone."""
    return instantiate(node, where=str(node.get("_target_", "")) if isinstance(node, Mapping) else "", **arguments)


def signature_of(target: Any) -> Mapping[str, inspect.Parameter]:
    """Its parameters by name; none where Python cannot tell."""
    try:
        return inspect.signature(target).parameters
    except (TypeError, ValueError):
        return {}


def _import_hint(target: str) -> str:
    if target.startswith(f"{brought.__name__}."):
        return "the recipe so far has it from a call in Python: give the same object again, or name another one"
    return (
        f"check the spelling; {target.split('.')[0]!r} must be installed, or be a module in the folder you type this in"
    )


def _arguments_hint(known: Mapping[str, inspect.Parameter]) -> str:
    return f"its arguments: {', '.join(known)}" if known else ""
