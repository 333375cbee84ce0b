"""New processes that leave the user's script alone.

A spawned process, and one of a fork server, first runs the main module of the process that started it, for whatever is
defined there. A script that calls `recipe.walk()` without `if __name__ == "__main__":` would walk again in each. What
is sent to our processes never lies in the main module (`brought.importable`), so they need not run it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_main() -> Iterator[None]:
    """Processes started inside do not import the main module."""
    main = sys.modules["__main__"]
    hidden = {name: value for name, value in vars(main).items() if name in ("__spec__", "__file__")}
    main.__spec__ = None
    vars(main).pop("__file__", None)
    try:
        yield
    finally:
        vars(main).update(hidden)
