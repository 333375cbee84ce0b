"""The commands there are, and how words become one of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

STAGES = {
    "inspect-data": "become one with the data",
    "baseline": "a skeleton to trust, and dumb baselines",
    "overfit": "a model large enough to fit the training set",
    "regularize": "give up training loss for validation loss",
    "tune": "the loop over a wide space",
    "ensemble": "squeeze out the juice; opens the sealed test split",
}
SHORT = {"-h": "--help", "-c": "--cfg", "-cd": "--config-dir", "-cn": "--config-name"}
TAKES_VALUE = {"--config-dir": "DIR", "--config-name": "NAME"}
FLAGS = {
    "--help": "this text",
    "--version": "the version",
    "--json": "machine-readable on stdout, and nothing else there",
    "--cfg": "print the composed config and stop",
    "--config-dir": "a folder of configs, searched before ./conf and the shipped ones",
    "--config-name": "a config of yours on top of the recipe so far (default: conf/config.yaml, if there is one)",
    "--open": "open it in the browser",
    "--peers": "other tools on the same exhibits, installed from the package index into an environment of their own",
}
SHORT_KEYS = {"ensemble": ("leave",)}
# Flags that Hydra's users may type, and what to do here.
ELSEWHERE = {
    "--multirun": "to try out many values: recipe tune",
    "-m": "to try out many values: recipe tune",
    "--config-path": "name the folder with --config-dir",
    "-cp": "name the folder with --config-dir",
    "--info": "the composed config: --cfg",
    "--hydra-help": "help: recipe --help",
    "--resolve": "--cfg shows values resolved already",
    "--package": "--cfg shows the whole config",
}


@dataclass(frozen=True)
class Command:
    """words: what follows it, for the usage line. target: module and function that does it, called with Arguments."""

    name: str
    summary: str
    words: str
    target: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arguments:
    """A parsed command line. overrides: words of the form key=value, +key=value, ~key. names: the other words."""

    command: Command
    overrides: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> bool:
        """Whether stdout is for machines."""
        return "--json" in self.flags

    def compose(self, *, overrides: Sequence[str] | None = None) -> Any:
        """The config that the words and flags mean. Raises Refusal."""
        from recipe.config import compose

        folder = self.flags.get("--config-dir")
        return compose(
            self.overrides if overrides is None else overrides,
            config_dir=Path(folder) if folder is not None else None,
            config_name=self.flags.get("--config-name"),
        )


_COMPOSED = ("--json", "--cfg", "--config-dir", "--config-name")
_FOUND = ("--json", "--config-dir", "--config-name")
_KEYS = "[key=value ...]"
_RUN = "[RUN | key=value ...]"
_ALL = (
    *(Command(name, summary, _KEYS, "stages:run_stage", _COMPOSED) for name, summary in STAGES.items()),
    Command("walk", "all six in order; goes on where it stopped", _KEYS, "stages:walk", _COMPOSED),
    Command("status", "stages, verdicts, metrics, and what to type next", _RUN, "runs:status", _FOUND),
    Command("report", "where the run's page is", _RUN, "runs:report", ("--open", *_FOUND[1:])),
    Command("judge", "judges a run's evidence again, with today's checks", _RUN, "runs:judge", _FOUND),
    Command("predict", "the run's model on new files", f"INPUT ... {_KEYS}", "runs:predict", _FOUND),
    Command("explain", "the catalogue of checks; one check in full", "[CHECK]", "checks:explain", ("--json",)),
    Command(
        "selftest",
        "the gallery of planted faults and healthy setups",
        f"[NUMBER ...] {_KEYS}",
        "selftest:selftest",
        ("--peers", *_COMPOSED),
    ),
    Command("annotate", "the human baseline", _KEYS, "annotate:annotate", _COMPOSED),
    Command("validate", "checks a config without importing your code", _KEYS, "configs:validate", _COMPOSED),
    Command("ls", "the shipped configs", "[GROUP]", "configs:ls", ("--json", "--config-dir")),
    Command("cat", "shows one", "GROUP/NAME", "configs:cat", ("--config-dir",)),
    Command("cp", "copies one, to edit", "GROUP/NAME FILE", "configs:cp", ("--config-dir",)),
    Command("init", "a small project to edit", "DIR", "project:init"),
    Command("completion", "tab completion, to be sourced by your shell", "bash|zsh", "completion:script"),
)
COMMANDS = {command.name: command for command in _ALL}
_OVERRIDE = re.compile(r"~|[+]{0,2}(?![./])[\w.@:/-]*=")
_NOTHING = Command("", "", _KEYS, "runs:overview")


def parse(words: Sequence[str]) -> Arguments:
    """Words after `recipe`. Raises Refusal for an unknown command or flag, with the nearest."""
    command: Command | None = None
    overrides: list[str] = []
    names: list[str] = []
    flags: dict[str, str] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            names += waiting
            break
        if word.startswith("-") and len(word) > 1:
            _flag(word, waiting, flags)
        elif command is None and word != "help":
            command = _command(word)
        elif word == "help" and command is None:
            flags["--help"] = ""
        elif _is_override(word):
            overrides.append(_in_full(command, word))
        else:
            names.append(word)
    command = command or _NOTHING
    for flag in flags:
        known = (*command.flags, "--help", "--version")
        if flag not in known:
            raise Refusal(f"{command.name or 'recipe'} has no {flag}", fix=f"it has {', '.join(known)}")
    if names and command.words == _KEYS:
        raise Refusal(f"{names[0]} is not of the form key=value", fix=_key_hint(names[0]))
    return Arguments(command, tuple(overrides), tuple(names), flags)


def run(arguments: Arguments) -> int:
    """Does what was asked; returns the exit code."""
    module, function = arguments.command.target.split(":")
    called = getattr(importlib.import_module(f"recipe.commands.{module}"), function)
    return int(called(arguments))


def _command(word: str) -> Command:
    if word in COMMANDS:
        return COMMANDS[word]
    if _is_override(word):
        raise Refusal(f"{word} stands where a command is expected", fix="such as recipe walk " + word)
    raise Refusal(f"there is no command {word}", fix=did_you_mean(word, COMMANDS, otherwise="commands:", most=20))


def _flag(word: str, waiting: list[str], flags: dict[str, str]) -> None:
    name, equals, value = word.partition("=")
    name = SHORT.get(name, name)
    if name in ELSEWHERE:
        raise Refusal(f"there is no {name} here", fix=ELSEWHERE[name])
    if name not in FLAGS:
        raise Refusal(f"there is no flag {name}", fix=did_you_mean(name, FLAGS, otherwise="flags:"))
    if name in TAKES_VALUE and not equals:
        if not waiting:
            raise Refusal(f"{name} needs a value", fix=f"{name} {TAKES_VALUE[name]}: {FLAGS[name]}")
        value = waiting.pop(0)
    # As with Hydra: `--cfg job`.
    if name == "--cfg" and waiting and waiting[0] in ("job", "all"):
        waiting.pop(0)
    flags[name] = value


def _in_full(command: Command | None, word: str) -> str:
    """A key that one stage may be given without its name in front."""
    short = command is not None and any(word.startswith(f"{key}=") for key in SHORT_KEYS.get(command.name, ()))
    return f"{command.name}.{word}" if short and command is not None else word


def _is_override(word: str) -> bool:
    return bool(_OVERRIDE.match(word)) and not _is_there(word)


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # longer than any name can be
        return False


def _key_hint(word: str) -> str:
    from recipe.config.files import GROUPS, config_files

    files = config_files()
    meant = [f"{group}={word}" for group in GROUPS if word in files.options(group)]
    return f"did you mean {' or '.join(meant)}?" if meant else "such as optimizer.lr=1e-3 or model=convnet"
