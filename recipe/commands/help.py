"""Help: of recipe, of a command, and of a stage with its checks and the keys it reads."""

from __future__ import annotations

import re

from recipe.commands.command import COMMANDS, FLAGS, STAGES, TAKES_VALUE, Command
from recipe.commands.screen import WHAT, say, say_columns, say_paragraph, styled
from recipe.config.composition import default_choices
from recipe.config.files import GROUPS, ConfigFiles, shipped_folder
from recipe.config.yaml_text import load_yaml

_BASE = ("data", "task", "seed", "device", "gate", "budget", "run", "checks", "trust")
_LEARN = (*_BASE, "model", "loss", "metrics", "step", "optimizer", "init", "train")
_FIT = (*_LEARN, "schedule", "engine")
_GENERAL = (*_FIT, "regularizers", "early_stopping")
# Which nodes a stage reads, beside its own.
READS = {
    "inspect-data": _BASE,
    "baseline": _LEARN,
    "overfit": _FIT,
    "regularize": _GENERAL,
    "tune": (*_GENERAL, "search"),
    "ensemble": _GENERAL,
}
_KEY = re.compile(r"^(\w+):\s*(.*?)\s*(?:#\s*(.*))?$")


def show_help(command: Command) -> None:
    """The help of a command; of recipe itself for the nameless one."""
    if not command.name:
        _recipe()
        return
    flags = ["--help", *command.flags]
    say(f"recipe {command.name} {command.words}")
    say()
    if command.name in STAGES:
        _stage(command.name)
    else:
        say_paragraph(f"{command.summary[0].upper()}{command.summary[1:]}.")
    say()
    say(styled("Flags", "bold"))
    say_columns([(f"{flag} {TAKES_VALUE.get(flag, '')}".rstrip(), FLAGS[flag]) for flag in flags])


def _recipe() -> None:
    say_paragraph(WHAT)
    say()
    say(styled("The six stages, each of which says what to type next", "bold"))
    say_columns([(f"recipe {name}", summary) for name, summary in STAGES.items()])
    say()
    say(styled("And", "bold"))
    others = [command for command in COMMANDS.values() if command.name not in STAGES]
    say_columns([(f"recipe {c.name} {c.words if 'key=' not in c.words else ''}".rstrip(), c.summary) for c in others])
    say()
    say_paragraph(
        "key=value are overrides in Hydra's grammar: optimizer.lr=1e-3, model=convnet, regularizers.dropout=0.2. "
        "`recipe ls` shows what there is to choose from, `recipe STAGE -h` the keys and the checks of a stage. "
        "Exit codes: 0 the gate is open, 1 a check failed, 2 the command, config or input is wrong, 3 a bug in recipe, "
        "4 out of disk or memory, 5 the run directory is in use, 130 and 143 interrupted."
    )


def _inside(key: str) -> str:
    """The keys of a node, those of its default option among them; options of a group."""
    files = ConfigFiles((shipped_folder(),))
    root = load_yaml(files.shipped / "config.yaml")
    node = root.get(key)
    keys = list(node) if isinstance(node, dict) else []
    if key in GROUPS:
        default = default_choices(files.shipped)[key]
        keys = [*keys, *(k for k in load_yaml(files.shipped / key / f"{default}.yaml") if k not in keys)]
        return f"{' '.join(f'.{k}' for k in keys if k != '_target_')}   or {key}={'|'.join(files.options(key))}".strip()
    return " ".join(f".{k}" for k in keys) or "<check>.<threshold>=…  .<check>.skip='why'"


def _stage(name: str) -> None:
    from recipe.judge import catalogue

    node = name.replace("-", "_")
    lines = (shipped_folder() / "stage" / f"{node}.yaml").read_text(encoding="utf-8").splitlines()
    about = [line.lstrip("# ") for line in lines if line.startswith("#")]
    say_paragraph(" ".join(about[1:]))
    own = [match.groups() for line in lines if (match := _KEY.match(line))]
    if own:
        say()
        say(styled("Its own keys", "bold"))
        say_columns([(f"{node}.{key}={value}", told or "") for key, value, told in own])
    say()
    say(styled("The other keys it reads", "bold") + "  (--cfg shows their values, recipe cat config what they mean)")
    root = (shipped_folder() / "config.yaml").read_text(encoding="utf-8").splitlines()
    found = [match.groups() for line in root if (match := _KEY.match(line))]
    leaves = {key: (f"{key}={value}", told or "") for key, value, told in found if value not in ("", "{}")}
    say_columns([leaves.get(key) or (f"{key}.…", _inside(key)) for key in READS[name]])
    checks = catalogue(name)
    if checks:
        say()
        say(styled("Its checks", "bold") + "  (recipe explain CHECK)")
        say_columns([(check.id, check.title) for check in checks])
