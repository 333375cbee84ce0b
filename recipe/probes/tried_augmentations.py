"""Every augmentation that was tried, or is configured: whether labels survive it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recipe.probes.augmented import measure_augmented
from recipe.record.evidence import CannotMeasure
from recipe.record.side_effects import AugmentedItems, TriedAugmentations
from recipe.record.trial import Change

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def measure_tried(
    ingredients: Ingredients, augmentations: Sequence[tuple[str, Change, bool]], seed: int
) -> TriedAugmentations:
    """augmentations: name, change, and whether the final net has it. CannotMeasure without any, or without classes."""
    if not augmentations:
        raise CannotMeasure("no augmentation was tried")
    found, reason = [], ""
    for name, change, used in augmentations:
        try:
            seen = measure_augmented(ingredients.changed(change), seed)
        except CannotMeasure as error:
            reason = str(error)
            continue
        found.append(AugmentedItems(name=name, used=used, found=seen))
    if not found:
        raise CannotMeasure(reason)
    return TriedAugmentations(augmentations=tuple(found))
