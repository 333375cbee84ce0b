"""What must not be shown: passwords in URLs, and values under names that say they are secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
_NAMES = r"api[_-]?key|access[_-]?key|secret(?:[_-]key)?|token|password|passwd|credentials?"
_SECRET = re.compile(rf"(^|[_-])({_NAMES})$", re.IGNORECASE)
_USER = r"\w[\w+.-]*:/+[^\s:]*:"
# From the first colon behind the user to the last @: a password that is not percent-encoded may hold an @, and a slash
# too. A colon and an @ that are no login's are masked with what is between them: better too much than too little.
_LOGIN = re.compile(rf"({_USER})(\S*)(?=@)")
# Without a host, so without an @: what stands where a port would and is none.
_HOSTLESS = re.compile(r"(\w[\w+.-]*:/+[^\s:/@\[]+:)(?!\d{1,5}\.?(?:[^\w.@-]|$))([^\s/'\"@][^\s'\"@]*)")
# With spaces, where it is plain to see how far it goes: in a value, and between the quotes of a word.
_WHOLE_LOGIN = re.compile(rf"^(['\"]?{_USER})(.*)(?=@)", re.DOTALL)
_QUOTED_LOGIN = re.compile(rf"(['\"]{_USER})([^'\"]*)(?=@)")
_QUERY = re.compile(rf"([?&;][\w.-]*(?:{_NAMES}|pass(?:phrase)?|pwd|key|sig(?:nature)?|auth)=)([^&\s]+)", re.IGNORECASE)
_ASSIGNED = re.compile(rf"((?<![A-Za-z0-9])(?:{_NAMES})=)([^&\s]+)", re.IGNORECASE)
_IN_BRACES = re.compile(
    rf"((?<![A-Za-z0-9])(?:{_NAMES})['\"]?\s*:\s*)('[^']*'|\"[^\"]*\"|\{{[^}}]*\}}|[^,}}\]]+)", re.IGNORECASE
)
# `${oc.env:NAME}` says where a secret is, not what it is; one with a default behind a comma might.
_REFERENCE = re.compile(r"\$\{[\w.]+(:\w+)?\}")


def is_secret(key: str) -> bool:
    """Whether a key is named like something that must not be shown."""
    return bool(_SECRET.search(key))


def hidden(text: str) -> str:
    """Any text, such as somebody else's error, without the passwords of its URLs and what stands after `token=`."""
    if ":/" not in text and "=" not in text:
        return text
    for pattern in (_LOGIN, _HOSTLESS, _QUERY, _ASSIGNED):
        text = pattern.sub(_masked, text)
    return text


def hidden_value(value: Any, key: str = "") -> Any:
    """A value of a config, fit to be shown: what is named like a secret is masked, whatever it holds."""
    if isinstance(value, Mapping):
        return {name: hidden_value(child, key if is_secret(key) else str(name)) for name, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [hidden_value(child, key) for child in value]
    if is_secret(key) and not (value is None or value == "" or isinstance(value, bool)):
        return MASK
    return hidden(_WHOLE_LOGIN.sub(_masked, value)) if isinstance(value, str) else value


def hidden_word(word: str) -> str:
    """A word of the command line, fit to be shown."""
    key, equals, text = word.partition("=")
    if not equals:
        return hidden(word)
    if text and is_secret(key.lstrip("+~").rpartition(".")[2]):
        return f"{key}={MASK}"
    shown: str = hidden_value(text)
    if text.startswith(("{", "[")):
        shown = _IN_BRACES.sub(_masked, _QUOTED_LOGIN.sub(_masked, shown))
    return f"{key}={shown}"


def _masked(found: re.Match[str]) -> str:
    return found[0] if _REFERENCE.fullmatch(found[2]) else found[1] + MASK
