"""`recipe annotate`: the human baseline."""

from __future__ import annotations

import gc

from recipe.commands.command import Arguments
from recipe.commands.configs import checked, show_config


def annotate(arguments: Arguments) -> int:
    """Asks about validation items, or writes the page, or reads what it saved."""
    composed = checked(arguments)
    if "--cfg" in arguments.flags:
        show_config(composed, arguments)
        return 0
    gc.enable()
    from recipe import annotation

    return annotation.annotate(composed, json=arguments.json)
