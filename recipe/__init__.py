"""Karpathy's "A Recipe for Training Neural Networks", as a command line that runs it.

From Python: `recipe.walk`, each stage by its name, and `recipe.check(model, loss, batch)`. They are imported when they
are first asked for: `import recipe` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recipe.checking import check
    from recipe.from_python import baseline, ensemble, inspect_data, overfit, regularize, tune, walk

__version__ = "0.1.0"
__all__ = ["baseline", "check", "ensemble", "inspect_data", "overfit", "regularize", "tune", "walk"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("recipe.checking" if name == "check" else "recipe.from_python"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
