"""`recipe selftest`: the gallery of planted faults and healthy setups."""

from __future__ import annotations

import gc

from recipe.commands.command import Arguments
from recipe.commands.configs import checked, show_config


def selftest(arguments: Arguments) -> int:
    """All exhibits, or those that are named by their number."""
    composed = checked(arguments)
    if "--cfg" in arguments.flags:
        show_config(composed, arguments)
        return 0
    gc.enable()
    from recipe import selftest as gallery

    return gallery.run_selftest(composed, arguments.names, json=arguments.json, peers="--peers" in arguments.flags)
