"""Layers: what recipe.yaml, a user's file, the command line or a change sets on top of the shipped config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.config.files import GROUPS, ConfigFiles
from recipe.config.yaml_text import load_yaml
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

if TYPE_CHECKING:
    from recipe.record.trial import Change

ROOT = "config"


@dataclass(frozen=True)
class Setting:
    """One key and its value. mode: set | add (+key: must be new) | force (++key) | delete (~key)."""

    path: tuple[str, ...]
    value: Any
    mode: str = "set"

    @property
    def key(self) -> str:
        """The dotted key."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Layer:
    """Choices of groups, and settings of keys. name: what messages call it. users: not a stage's but the user's."""

    name: str
    choices: Mapping[str, str]
    settings: tuple[Setting, ...]
    users: bool = True
    afresh: bool = False
    """A change of group starts its node afresh, without what earlier layers set below it."""

    @property
    def chosen(self) -> dict[str, str]:
        """Its choices, with those it implies: `model._target_=…` without a choice of model means model=custom."""
        targets = {setting.path[0] for setting in self.settings if setting.path[1:] == ("_target_",)}
        implied = dict.fromkeys(targets & {"data", "model"}, "custom")
        return {**implied, **self.choices}


def layers_of_file(name: str, files: ConfigFiles) -> list[Layer]:
    """The layer of a user's --config-name, after those that its defaults list names. Raises Refusal without a file."""
    path = Path(name) if name.endswith(".yaml") and Path(name).is_file() else None
    for folder in files.users:
        path = path or next((p for p in (folder / f"{name.removesuffix('.yaml')}.yaml",) if p.is_file()), None)
    if path is None:
        known = [file.stem for folder in files.users for file in sorted(folder.glob("*.yaml"))]
        fix = did_you_mean(name, known, otherwise="configs:") or "put it into ./conf, or name its folder: --config-dir"
        raise Refusal("there is no such config", where=f"--config-name {name}", fix=fix)
    return list(_layers(path, files, ()))


def user_root(files: ConfigFiles) -> Path | None:
    """The user's own conf/config.yaml, which counts without being named."""
    return next((path for folder in files.users if (path := folder / f"{ROOT}.yaml").is_file()), None)


def layer_of_recipe(path: Path, files: ConfigFiles) -> Layer:
    """recipe.yaml: what the stages decided. It cannot vouch for code: trust is the user's to give."""
    (layer,) = _layers(path, files, (), users=False)
    if any(setting.path[0] == "trust" for setting in layer.settings):
        fix = "give trust=[…] on the command line"
        raise Refusal("a recipe cannot vouch for code", where=f"{path}: trust", fix=fix)
    return layer


def layer_of_change(change: Change) -> Layer:
    """A flat change: names of groups and dotted keys."""
    choices = {key: str(value) for key, value in change.items() if key in GROUPS and not isinstance(value, Mapping)}
    settings = [Setting(tuple(key.split(".")), value) for key, value in change.items() if key not in choices]
    return Layer("the change", choices, tuple(settings), users=False, afresh=True)


def layer_given(given: Mapping[str, Any], trust: Sequence[str], below: Sequence[Layer]) -> Layer:
    """What was set from Python; the modules that the user trusts already stay trusted."""
    layer = layer_of_change(dict(given))
    named = [setting.value for one in below for setting in one.settings if setting.path == ("trust",)]
    before = named[-1] if named else []
    known = dict.fromkeys([*(before if isinstance(before, list) else [before]), *trust])
    settings = (*layer.settings, *([Setting(("trust",), list(known))] if trust else ()))
    return replace(layer, name="Python", settings=settings, users=True, afresh=False)


def shown(path: Path) -> str:
    """A path as people read it: relative to where they are, if it is below that."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def flatten(value: Any, path: tuple[str, ...], mode: str = "set") -> Iterator[Setting]:
    """A nested value as settings of its leaves; an empty mapping is a leaf."""
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from flatten(child, (*path, str(key)), mode)
    elif path:
        yield Setting(path, value, mode)


def _layers(path: Path, files: ConfigFiles, seen: tuple[Path, ...], *, users: bool = True) -> Iterator[Layer]:
    name = shown(path)
    if path in seen:
        raise Refusal("its defaults list comes back to itself", where=name)
    content = load_yaml(path)
    defaults = content.pop("defaults", None) or []
    if not isinstance(defaults, list):
        raise Refusal("defaults is not a list", where=name, fix="such as `defaults: [{model: convnet}]`")
    choices: dict[str, str] = {}
    for entry in defaults:
        if isinstance(entry, str):
            below = _included(entry, path, files, name)
            if below is not None:
                yield from _layers(below, files, (*seen, path), users=users)
        else:
            choices.update(_choice(entry, files, name))
    for key in content:
        if not isinstance(key, str):
            raise Refusal(f"the key {key!r} is not text", where=name)
    yield Layer(name, choices, tuple(flatten(content, ())), users=users)


def _included(entry: str, path: Path, files: ConfigFiles, name: str) -> Path | None:
    """The file that a bare name in a defaults list stands for; the shipped root is below everything anyway."""
    entry = entry.lstrip("/")
    if entry == "_self_":
        return None
    beside = [*files.users, path.parent]
    found = next((p for folder in beside if (p := folder / f"{entry}.yaml").is_file() and p != path), None)
    if found is None and entry != ROOT:
        fix = "a group is chosen as `- group: option`"
        raise Refusal(f"its defaults list names {entry}, which is not there", where=name, fix=fix)
    return found


def _choice(entry: Any, files: ConfigFiles, name: str) -> dict[str, str]:
    if not isinstance(entry, dict) or len(entry) != 1:
        raise Refusal(f"{entry!r} in its defaults list is not `group: option`", where=name)
    key, option = next(iter(entry.items()))
    group = str(key).removeprefix("override ").removeprefix("optional ").strip().lstrip("/")
    if "@" in group:
        fix = f"write - {group.split('@')[0]}: {option}"
        raise Refusal(f"{group}: packages (@) are not for this file", where=name, fix=fix)
    if not files.is_group(group):
        raise Refusal(f"there is no group {group}", where=name, fix=did_you_mean(group, GROUPS, otherwise="groups:"))
    return {group: files.require_option(group, option, where=f"{name}: {group}={option}")}
