"""A composed config: a plain dict that was checked, and how to make the next one from it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe.config.composition import compose_groups, default_choices, shipped_keys, strict_keys
from recipe.config.files import GROUPS, ConfigFiles, config_files
from recipe.config.grammar import layer_of_words
from recipe.config.interpolation import resolve
from recipe.config.layers import Layer, layer_given, layer_of_change, layer_of_recipe, layers_of_file, user_root
from recipe.config.tree import Tree, apply, at, bare_keys, check_arguments, check_keys, copied
from recipe.config.yaml_text import load_yaml
from recipe.limits import TIMES, check_values, seconds
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal
from recipe.record.secret import hidden, hidden_value, hidden_word, is_secret
from recipe.trust import check_targets

if TYPE_CHECKING:
    from recipe.record.trial import Change

# What says where and how a command runs is no part of the recipe that the user gives.
_NOT_RECIPE = ("run", "trust", "gate", "budget", "engine", "device", "checks", "track", "search.storage")


@dataclass(frozen=True)
class Composed:
    """plain: the resolved config. choices: group → option. masked: plain, without secrets, for reports and screens.

    overrides: the words of the command line. tree: the config before its references were resolved.
    """

    plain: dict[str, Any]
    choices: dict[str, str]
    masked: dict[str, Any]
    overrides: tuple[str, ...]
    files: ConfigFiles
    layers: tuple[Layer, ...]
    tree: Tree

    def changed(self, change: Change) -> Composed:
        """The same with a flat change on top; a group in it starts its node afresh. Raises Refusal."""
        layer = layer_of_change(change)
        if layer.chosen:
            for group, option in layer.chosen.items():
                self.files.require_option(group, option)
            return _from_layers(self.files, (*self.layers, layer), self.overrides)
        tree = copied(self.tree)
        check_arguments(apply(layer, tree, bare_keys(shipped_keys(self.files.shipped))), tree)
        return _finished(tree, replace(self, layers=(*self.layers, layer)))

    def on(self, recipe_file: Path | None) -> Composed:
        """The same words and files on top of another recipe so far, or of none."""
        layers = tuple(layer for layer in self.layers if layer.users)
        if recipe_file is not None:
            layers = (layer_of_recipe(recipe_file, self.files), *layers)
        return _from_layers(self.files, layers, self.overrides)

    def is_given(self, key: str) -> bool:
        """Whether the user fixed this key, a key below it or the node it is in, on the command line or in a file.

        The choice of a group fixes the group, not the keys of its node.
        """
        given = self.recipe_given
        below = any(one.startswith(f"{key}.") for one in given)
        above = any(key.startswith(f"{one}.") for one in given if one not in GROUPS)
        return key in given or below or above

    @property
    def recipe_given(self) -> dict[str, Any]:
        """What the user gave that belongs to the recipe: groups, then dotted keys, values as they were given.

        No secrets: who goes on from the recipe gives them again.
        """
        users = [layer for layer in self.layers if layer.users]
        chosen = {group for layer in users for group in layer.chosen}
        given: dict[str, Any] = {g: self.choices[g] for g in GROUPS if g in chosen and g not in _NOT_RECIPE}
        for setting in (setting for layer in users for setting in layer.settings):
            # A key with dots of its own (in search.space) is given with the whole node it stands in.
            whole = next((i for i, part in enumerate(setting.path) if i and "." in part), len(setting.path))
            path = tuple(".".join(setting.path[:whole]).split("."))
            node = at(self.tree, path[:-1])
            there = isinstance(node, Mapping) and path[-1] in node
            if there and not _is_elsewhere(path) and _may_be_shown(path, value := copied(node[path[-1]])):
                given[".".join(path)] = value
        return given


def compose(
    overrides: Sequence[str] = (),
    *,
    config_dir: Path | None = None,
    config_name: str | None = None,
    recipe_file: Path | None = None,
    given: Mapping[str, Any] | None = None,
    trust: Sequence[str] = (),
) -> Composed:
    """Shipped defaults < recipe_file < the user's file < overrides < given, checked in all ways that need no import.

    The user's file is `config_name`, or else conf/config.yaml if there is one. given: groups and dotted keys that were
    set from Python; trust: modules of objects that were given there. Raises Refusal.
    """
    files = config_files(config_dir)
    layers = [] if recipe_file is None else [layer_of_recipe(recipe_file, files)]
    root = config_name or user_root(files)
    if root is not None:
        layers += layers_of_file(str(root), files)
    layers.append(layer_of_words(overrides, files))
    if given or trust:
        layers.append(layer_given(given or {}, trust, layers))
        for group, option in layers[-1].choices.items():
            files.require_option(group, option)
    return _from_layers(files, tuple(layers), tuple(map(hidden_word, overrides)))


def _from_layers(files: ConfigFiles, layers: tuple[Layer, ...], overrides: tuple[str, ...]) -> Composed:
    chosen = {group: option for layer in layers for group, option in layer.chosen.items()}
    shipped, choices = compose_groups(files, chosen)
    tree: Tree = copied(shipped)
    new, added = _own_arguments(files, choices, tree), set()
    for layer in _still_meant(layers, default_choices(files.shipped)):
        new += apply(layer, tree, bare_keys(shipped_keys(files.shipped)))
        added |= {setting.path for setting in layer.settings if setting.mode in ("add", "force")}
    check_arguments(new, tree)
    check_keys(tree, strict_keys(files.shipped), added)
    return _finished(tree, Composed({}, choices, {}, overrides, files, layers, {}))


def _own_arguments(files: ConfigFiles, choices: Mapping[str, str], tree: Tree) -> list[tuple[str, ...]]:
    """The keys of nodes that come from files of the user's own: arguments that nobody has looked at yet."""
    shared = (
        {group: load_yaml(files.shipped / "config.yaml").get(group) or {} for group in GROUPS} if files.users else {}
    )
    return [
        (group, key)
        for group in shared
        if (file := files.find(f"{group}/{choices[group]}")) and files.shipped not in file.parents
        for key in tree.get(group) or {}
        if key not in shared[group]
    ]


def _still_meant(layers: Sequence[Layer], defaults: Mapping[str, str]) -> list[Layer]:
    """The layers without what they set for an option that a later one replaced.

    A layer that names its option means its settings for that one. One that names none means whichever it is; only a
    change (of a stage's trial) does away with that too.
    """
    now = dict(defaults)
    gone: list[set[str]] = [set() for _ in layers]
    for position, layer in enumerate(layers):
        for group, option in layer.chosen.items():
            if group in GROUPS and now.get(group) != option:
                for earlier in range(position):
                    if layer.afresh or group in layers[earlier].chosen:
                        gone[earlier].add(group)
            now[group] = option
    return [
        replace(layer, settings=tuple(s for s in layer.settings if s.path[0] not in groups)) if groups else layer
        for layer, groups in zip(layers, gone, strict=True)
    ]


def _finished(tree: Tree, like: Composed) -> Composed:
    """Names, times and spellings filled in, references resolved, everything checked."""
    _fill(tree, like.choices)
    plain, masked = resolve(tree)
    _require_filled(plain)
    for group in ("data", "model", "optimizer", "schedule"):
        if not isinstance(plain[group], dict) or "_target_" not in plain[group]:
            raise Refusal("names no code", where=group, fix=f"{group}._target_=package.module.Name")
    check_values(plain, strict_keys(like.files.shipped))
    check_targets(plain, plain["trust"])
    return replace(like, plain=plain, masked=masked, tree=tree)


def _fill(tree: Tree, choices: Mapping[str, str]) -> None:
    data = tree["data"]
    if isinstance(data, dict) and not data.get("name"):
        data["name"] = _data_name(data, choices["data"])
    # YAML reads on and off as true and false.
    if isinstance(tree["gate"], bool):
        tree["gate"] = "on" if tree["gate"] else "off"
    if isinstance(tree["trust"], str):
        tree["trust"] = [tree["trust"]]
    if isinstance(tree["checks"], dict):
        tree["checks"] = {str(check).replace("_", "-"): settings for check, settings in tree["checks"].items()}
    for key in TIMES:
        *above, last = key.split(".")
        node = at(tree, tuple(above))
        if isinstance(node, dict) and last in node:
            node[last] = seconds(key, node[last])


def _data_name(node: Mapping[str, Any], option: str) -> str:
    """What the data are called: by the file or folder they come from, by the user's module, or by the option."""
    for key in ("path", "root"):
        place = node.get(key)
        if isinstance(place, str) and place.strip("./?") and "${" not in place:
            named = Path(hidden(place))
            return _slug(named.stem if key == "path" else named.name) or option
    target = str(node.get("_target_", ""))
    return option if option != "custom" else _slug(target.split(".")[0]) or option


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:80]


def _require_filled(node: Any, key: str = "") -> None:
    if isinstance(node, Mapping):
        for name, child in node.items():
            _require_filled(child, f"{key}.{name}" if key else str(name))
    elif node == "???":
        raise Refusal("has to be given", where=key, fix=f"{key}=…")


def _is_elsewhere(path: tuple[str, ...]) -> bool:
    return any(".".join(path[:depth]) in _NOT_RECIPE for depth in range(1, len(path) + 1))


def _may_be_shown(path: tuple[str, ...], value: Any) -> bool:
    return not any(map(is_secret, path)) and bool(hidden_value(value) == value)


def check_settings(settings: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuses `checks.…` that no check reads. known: check id → its thresholds with their defaults."""
    for check, given in settings.items():
        where = f"checks.{check}"
        if check not in known:
            raise Refusal("there is no such check", where=where, fix=did_you_mean(check, known, otherwise="checks:"))
        if not isinstance(given, Mapping):
            fix = f"{where}.skip='why', or one of its thresholds: {', '.join(known[check]) or 'none'}"
            raise Refusal("is a check, not one value", where=where, fix=fix)
        for key, value in given.items():
            _check_setting(f"{where}.{key}", key, value, known[check])


def _check_setting(where: str, key: str, value: Any, thresholds: Mapping[str, Any]) -> None:
    if key == "skip":
        if not isinstance(value, str) or not value.strip():
            raise Refusal("a check is skipped for a reason, which is printed", where=where, fix=f"{where}='…why…'")
        return
    if key not in thresholds:
        fix = did_you_mean(key, [*thresholds, "skip"], otherwise="it has")
        raise Refusal("the check has no such threshold", where=where, fix=fix)
    default = thresholds[key]
    number = isinstance(default, (int, float)) and not isinstance(default, bool)
    kinds = (int, float) if number else (type(default),)
    if default is not None and (not isinstance(value, kinds) or isinstance(value, bool) != isinstance(default, bool)):
        raise Refusal(f"must be of the kind of its default {default!r}, not {value!r}", where=where)
