"""All that knows Hydra's composition: from words, files and changes to one plain, checked dict."""

from recipe.config.composed import Composed, compose
from recipe.config.files import GROUPS

__all__ = ["GROUPS", "Composed", "compose"]
