"""Words of the command line in Hydra's override grammar → choices of groups, and settings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from recipe.config.files import GROUPS, ConfigFiles
from recipe.config.layers import Layer, Setting, flatten
from recipe.limits import FREE_TEXT
from recipe.record.refusal import Refusal
from recipe.record.secret import hidden_word

COMMAND_LINE = "the command line"


def layer_of_words(words: Sequence[str], files: ConfigFiles) -> Layer:
    """The command line as a layer. Raises Refusal for a word that the grammar, or we, cannot take."""
    choices: dict[str, str] = {}
    settings: list[Setting] = []
    for word in words:
        key, value, mode = parse_word(word)
        if key.split(".")[0].split("/")[0] == "hydra":
            fix = "run.dir=… sets where everything is written"
            raise Refusal("keys of Hydra's own mean nothing here", where=hidden_word(word), fix=fix)
        if (key in GROUPS or files.is_group(key)) and not isinstance(value, dict):
            choices[key] = _choice(word, key, value, mode, files)
        elif not all(key.split(".")):
            raise Refusal("its key is empty, or a part of it", where=hidden_word(word))
        else:
            settings += flatten(value, tuple(key.split(".")), mode)
    return Layer(COMMAND_LINE, choices, tuple(settings))


def parse_word(word: str) -> tuple[str, Any, str]:
    """(key, value, mode) of one word; mode as in Setting. Raises Refusal."""
    bare, equals, text = word.partition("=")
    key, shown = bare.lstrip("+~"), hidden_word(word)
    if not equals and not word.startswith("~"):
        raise Refusal("is not of the form key=value", where=shown)
    from hydra.core.override_parser.types import OverrideType
    from hydra.errors import HydraException

    try:
        override = _parser().parse_override(word)
        problem = "gives several values" if override.is_sweep_override() else ""
    except (HydraException, RecursionError) as error:
        # Hydra quotes the word in pieces, in which no secret can be told.
        said = f": {str(error).splitlines()[0]}" if shown == word else ""
        problem = f"is not in Hydra's grammar{said}"
    if problem and FREE_TEXT.fullmatch(key):
        return key, text, "set"
    if problem:
        raise Refusal(problem, where=shown, fix=f"""a list is {key}=[…], text is "{key}='…'" with both quotes""")
    if override.package is not None:
        raise Refusal("packages (@) are for files, not for the command line", where=shown)
    modes = {OverrideType.ADD: "add", OverrideType.FORCE_ADD: "force", OverrideType.DEL: "delete"}
    return override.key_or_group, override.value(), modes.get(override.type, "set")


def _choice(word: str, key: str, value: Any, mode: str, files: ConfigFiles) -> str:
    if key == "stage":
        raise Refusal("a stage is a command", where=word, fix=f"recipe {value}")
    if mode == "delete":
        fix = f"choose another: {key}={'|'.join(files.options(key))}"
        raise Refusal(f"every run needs a {key}", where=word, fix=fix)
    if mode != "set" and key in GROUPS:
        raise Refusal(f"{key} is chosen already", where=word, fix=f"leave the + out: {word.lstrip('+')}")
    return files.require_option(key, value, where=word)


@cache
def _parser() -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create()
