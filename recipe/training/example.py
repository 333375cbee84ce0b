"""Single examples, each read and transformed under random numbers of its own: (seed, epoch, index) sets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import Dataset

from recipe.record.refusal import Refusal, UserCodeError
from recipe.training.seeding import derive, mix, set_seeds

Transform = Callable[..., Any]


def split_transforms(transforms: Sequence[Transform]) -> tuple[list[Transform], list[Transform]]:
    """(for single raw examples, for whole batches after preprocessing); ours say `batched = True`."""
    single = [t for t in transforms if not getattr(t, "batched", False)]
    return single, [t for t in transforms if getattr(t, "batched", False)]


class Examples(Dataset[Any]):
    """Single examples by (epoch, index). An error comes back as a `Failure`, which survives the way from a worker."""

    def __init__(self, split: Any, transforms: Sequence[Transform], seed: int) -> None:
        self.split, self.transforms, self.seed = split, transforms, seed

    def __getitem__(self, place: tuple[int, int]) -> Any:
        epoch, index = place
        set_seeds(mix(derive(self.seed, "item", epoch) + index) >> 1)
        try:
            item = self.split.raw(index)[0]
            for transform in self.transforms:
                item = transform(item)
        except Exception as error:
            return Failure(error, index)
        return item


class Failure:
    """Why an example could not be had, in plain values."""

    def __init__(self, error: Exception, index: int) -> None:
        theirs = error if isinstance(error, Refusal) else UserCodeError.of(error)
        told = theirs or Refusal(f"{type(error).__name__}: {error}", where=f"item {index}")
        self.what, self.where, self.fix = told.what, told.where, told.fix
        self.frames = told.frames if isinstance(told, UserCodeError) else None
        self.index = index

    def raised(self) -> Refusal:
        """The refusal, to be raised where the batches are used."""
        if self.frames is not None:
            return UserCodeError(self.where, self.frames, f"{self.what} (at item {self.index})")
        return Refusal(self.what, where=self.where, fix=self.fix)
