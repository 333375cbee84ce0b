"""`recipe ls`, `cat`, `cp`, `validate` and --cfg: no training, no import of users' code."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from recipe.commands.command import Arguments
from recipe.commands.screen import say, say_columns, styled
from recipe.config.files import GROUPS, ConfigFiles, config_files
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal
from recipe.record.run_directory import STAGES


def ls(arguments: Arguments) -> int:
    """Groups with their options, or the options of one group with what they are."""
    files = _files(arguments)
    groups = [_group(name, files) for name in arguments.names] or files.groups()
    if arguments.json:
        say(json.dumps({group: files.options(group) for group in groups}, indent=2))
    elif arguments.names:
        for group in groups:
            names = [f"{group}/{option}" for option in files.options(group)]
            say_columns([(name, _about(files, name)) for name in names], indent=0)
    else:
        say_columns([(group, "  ".join(files.options(group))) for group in groups], indent=0, styles=("bold",))
        say()
        say("recipe ls GROUP says what they are, recipe cat GROUP/NAME shows one, recipe cp GROUP/NAME FILE copies it.")
    return 0


def cat(arguments: Arguments) -> int:
    """The text of configs."""
    if not arguments.names:
        raise Refusal("cat needs the name of a config", fix="such as recipe cat model/convnet; recipe ls lists them")
    files = _files(arguments)
    for name in arguments.names:
        print(_file(name, files).read_text(encoding="utf-8"), end="")
    return 0


def cp(arguments: Arguments) -> int:
    """Copies a config to a file that is not there yet."""
    from recipe.record.files import make_folder, write_bytes

    if len(arguments.names) != 2:
        raise Refusal("cp needs a config and a file", fix="such as recipe cp model/convnet conf/model/mine.yaml")
    name, target = arguments.names[0].removesuffix(".yaml"), Path(arguments.names[1])
    source = _file(name, _files(arguments))
    if target.is_dir() or arguments.names[1].endswith("/"):
        target = target / source.name
    if target.suffix != ".yaml":
        raise Refusal("a config's name ends in .yaml", where=str(target), fix=f"recipe cp {name} {target}.yaml")
    if target.exists():
        raise Refusal("is there already, and is not written over", where=str(target), fix="give another name")
    make_folder(target.parent)
    write_bytes(target, source.read_bytes())
    say(f"wrote {target}; edit it, then {_use(name, target)}")
    return 0


def _use(name: str, target: Path) -> str:
    """How a copied config comes into play."""
    group = name.rpartition("/")[0]
    usual = Path("conf", group)
    if target.parent.resolve() != usual.resolve():
        return f"put it into ./{usual}, or into {group or '.'} of a folder that you name with --config-dir"
    if group in GROUPS and target.stem != Path(name).name:
        return f"choose it: {group}={target.stem}"
    return f"it takes the place of the shipped {name}"


def validate(arguments: Arguments) -> int:
    """Composes a config and checks all that can be checked without importing the user's code."""
    composed = checked(arguments)
    if "--cfg" in arguments.flags:
        show_config(composed, arguments)
        return 0
    from recipe.trust import targets_in

    targets = list(dict.fromkeys(str(target) for _, target in targets_in(composed.plain)))
    if arguments.json:
        told = {"valid": True, "choices": composed.choices, "targets": targets, "run.dir": composed.plain["run"]["dir"]}
        say(json.dumps(told, indent=2))
        return 0
    sources = ["the shipped configs", *(layer.name for layer in composed.layers if layer.settings or layer.choices)]
    choices = [f"{group}={composed.choices[group]}" for group in GROUPS]
    say_columns(
        [
            ("valid", " ".join(choices)),
            ("from", " < ".join(sources)),
            ("names", ", ".join(targets) + "  (looked up, not imported)"),
            ("writes to", composed.plain["run"]["dir"]),
            ("next", " ".join(["recipe walk", *map(shlex.quote, composed.overrides)])),
        ],
        indent=0,
        styles=("bold",),
    )
    return 0


def checked(arguments: Arguments) -> Any:
    """The composed config, its `checks.…` and `<stage>.checks` held against the catalogue too."""
    composed = arguments.compose()
    require_known_checks(composed)
    return composed


def require_known_checks(composed: Any) -> None:
    """Refuses `checks.…` and `<stage>.checks` that the catalogue does not have."""
    if composed.plain["checks"]:
        from recipe.commands.checks import known_checks
        from recipe.config.composed import check_settings

        check_settings(composed.plain["checks"], known_checks())
    for stage in STAGES:
        node = composed.plain[stage.replace("-", "_")]
        if node.get("checks") is not None:
            from recipe.commands.checks import require_checks

            require_checks(stage, node["checks"])


def show_config(composed: Any, arguments: Arguments) -> None:
    """--cfg: the resolved config, without what came out of the environment."""
    if arguments.json:
        say(json.dumps(composed.masked, indent=2))
        return
    import yaml  # type: ignore[import-untyped]

    first = {key: composed.masked[key] for key in GROUPS}
    print(yaml.safe_dump({**first, **composed.masked}, sort_keys=False, allow_unicode=True), end="")


def _files(arguments: Arguments) -> ConfigFiles:
    folder = arguments.flags.get("--config-dir")
    return config_files(Path(folder) if folder is not None else None)


def _group(name: str, files: ConfigFiles) -> str:
    if name.strip("/") not in files.groups():
        raise Refusal(f"there is no group {name}", fix=did_you_mean(name, files.groups(), otherwise="groups:"))
    return name.strip("/")


def _file(name: str, files: ConfigFiles) -> Path:
    name = name.removesuffix(".yaml")
    file = files.find(name)
    if file is None:
        names = [f"{group}/{option}" for group in files.groups() for option in files.options(group)]
        ends = [one for one in names if one.rpartition("/")[2] == name]
        fix = f"did you mean {' or '.join(ends)}?" if ends else did_you_mean(name, names, otherwise="configs:")
        raise Refusal(f"there is no config {name}", fix=fix)
    return file


def _about(files: ConfigFiles, name: str) -> str:
    """The comment of a config after its first line, which is a command."""
    file = files.find(name)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines() if file else []
    comment = [line.lstrip("# ") for line in lines if line.startswith("#")][1:]
    yours = "" if file and files.shipped in file.parents else styled("yours  ", "dim")
    return yours + " ".join(comment)
