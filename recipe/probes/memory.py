"""What would fit, when memory ran out: the largest batch, by halves of the one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.machine import out_of_memory
from recipe.record.refusal import NoRoom

if TYPE_CHECKING:
    from recipe.ingredients import Ingredients


def no_memory(ingredients: Ingredients) -> NoRoom:
    """The refusal, with a batch that fits, or without one where not even a single item does."""
    asked = ingredients.config["train"]["batch_size"]
    size = largest_batch(ingredients, asked // 2)
    fix = f"train.batch_size={size} fits" if size else "not even one item fits: a smaller model, or smaller inputs"
    return NoRoom(f"not enough memory for a step of {asked:,} items", where="train.batch_size", fix=fix)


def largest_batch(ingredients: Ingredients, most: int) -> int | None:
    """The first of `most`, its half, its quarter … with which one step fits; None when none does."""
    size = most
    while size >= 1:
        try:
            _one_step(ingredients, size)
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            size //= 2
        else:
            return size
    return None


def _one_step(ingredients: Ingredients, size: int) -> None:
    learner = ingredients.learner(0, plain=True)
    batch = next(iter(ingredients.feed("train", batch_size=size, plain=True).batches(0)))
    learner.loss(learner.model(batch.inputs), batch.targets).backward()  # type: ignore[no-untyped-call]
    learner.optimizer.step()
