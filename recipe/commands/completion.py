"""Tab completion: scripts for bash and zsh that ask `recipe` itself, which answers without Hydra and torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from recipe.commands.command import COMMANDS, TAKES_VALUE, Arguments, Command
from recipe.config.composition import default_choices
from recipe.config.files import GROUPS, ConfigFiles, config_files
from recipe.config.yaml_text import load_yaml
from recipe.limits import rule_for
from recipe.nearest import did_you_mean
from recipe.record.refusal import Refusal

BASH = """\
# eval "$(recipe completion bash)"     in ~/.bashrc
_recipe() {
    local IFS=$'\\n'
    COMPREPLY=($(recipe completion bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace
}
complete -o default -F _recipe recipe
"""
ZSH = """\
# eval "$(recipe completion zsh)"     in ~/.zshrc, after compinit
_recipe() {
    local -a found
    found=("${(@f)$(recipe completion zsh "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    [[ -n ${found[1]} ]] && compadd -Q -S '' -- "${found[@]}" || _files
}
compdef _recipe recipe
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH}


def script(arguments: Arguments) -> int:
    """Prints the script of a shell; with a line after it (which the scripts give), what could come next."""
    shell = arguments.names[0] if arguments.names else ""
    if shell not in SCRIPTS:
        fix = did_you_mean(shell, SCRIPTS, otherwise="completion is there for")
        raise Refusal(f"there is no completion for {shell or 'no shell'}", fix=fix)
    if len(arguments.names) < 2:
        print(SCRIPTS[shell], end="")
        return 0
    line = arguments.names[1]
    word = "" if line.endswith(" ") else line.split(" ")[-1]
    for candidate in candidates(line):
        # bash takes what stands after the last = for the word.
        print(candidate[word.rfind("=") + 1 :] if shell == "bash" and "=" in word else candidate)
    return 0


def candidates(line: str) -> list[str]:
    """What could stand in place of the last word of a command line, sorted as it is met."""
    words = line.split()[1:]
    word = "" if line.endswith(" ") or not words else words.pop()
    name = next((w for w in words if w in COMMANDS), None)
    if words and words[-1] in TAKES_VALUE:
        return []
    if name is None:
        return _starting(word, COMMANDS) if not word.startswith("-") else _starting(word, ("--help", "--version"))
    if word.startswith("-"):
        return _starting(word, (*COMMANDS[name].flags, "--help"))
    return _starting(word, _words_of(COMMANDS[name], word, words))


def _words_of(command: Command, word: str, words: list[str]) -> Iterator[str]:
    files = config_files()
    if "key=" in command.words:
        yield from _values(word, files) if "=" in word else _keys(word.lstrip("+~"), words, files)
    elif command.name == "explain":
        from recipe.judge import catalogue

        yield from (check.id for check in catalogue())
    elif command.name in ("cat", "cp"):
        yield from (f"{group}/{option}" for group in files.groups() for option in files.options(group))
    elif command.name == "ls":
        yield from files.groups()
    elif command.name == "completion":
        yield from SCRIPTS


def _values(word: str, files: ConfigFiles) -> list[str]:
    key = word.partition("=")[0].lstrip("+")
    rule = rule_for(key)
    found = files.options(key) if key in GROUPS else rule.choices if rule else ()
    return [f"{word.partition('=')[0]}={value}" for value in found]


def _keys(prefix: str, words: list[str], files: ConfigFiles) -> Iterator[str]:
    """Groups and top keys first; the keys of a node once its name stands there with a dot."""
    root = {key: value for key, value in load_yaml(files.shipped / "config.yaml").items() if key != "defaults"}
    stages = {option: load_yaml(files.shipped / "stage" / f"{option}.yaml") for option in files.options("stage")}
    node = prefix.partition(".")[0]
    if "." not in prefix:
        yield from (f"{group}=" for group in GROUPS)
        for key, value in {**root, **{group: {} for group in GROUPS}, **stages}.items():
            yield f"{key}." if isinstance(value, dict) else f"{key}="
        return
    known = {**root, **stages}.get(node)
    keys = dict(known) if isinstance(known, dict) else {}
    if node in GROUPS:
        default = default_choices(files.shipped)[node]
        chosen = next((w.partition("=")[2] for w in words if w.startswith(f"{node}=")), default)
        file = files.find(f"{node}/{chosen}")
        keys |= load_yaml(file) if file else {}
    if node == "checks":
        from recipe.judge import catalogue

        yield from (f"checks.{check.id}.{key}=" for check in catalogue() for key in (*check.thresholds, "skip"))
    yield from (f"{node}.{key}=" for key in keys)


def _starting(word: str, names: Iterable[str]) -> list[str]:
    sign = word[: len(word) - len(word.lstrip("+~"))]
    bare = word[len(sign) :]
    return list(dict.fromkeys(sign + name for name in names if name.startswith(bare)))
