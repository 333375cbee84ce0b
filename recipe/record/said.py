"""What an exception says, fit to be kept as evidence and shown."""

from __future__ import annotations

from recipe.record.secret import hidden


def said(error: BaseException, *, kind: bool = True) -> str:
    """The first line of its message, without passwords; kind: behind the name of its type, as ValueError: ….

    The name alone where it says nothing.
    """
    message, name = hidden(str(error).strip().split("\n")[0].strip()), type(error).__name__
    if not message:
        return name
    return f"{name}: {message}" if kind else message
