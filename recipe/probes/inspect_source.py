"""Whether loading the data twice gives the same data: everything that follows is compared with what was seen here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.record.data import Source
from recipe.record.evidence import CannotMeasure

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def measure_source(ingredients: Ingredients) -> Source:
    """Loads a user's data a second time. CannotMeasure for sources of ours, which are tested to repeat."""
    target = str(ingredients.config["data"]["_target_"])
    if target.startswith("recipe."):
        raise CannotMeasure("the source is recipe's own")
    again = type(ingredients)(ingredients.composed)
    return Source(target=target, first=ingredients.data.fingerprint, second=again.data.fingerprint)
