"""Two ways to the same numbers: the special case beside its generalisation."""

from __future__ import annotations

from recipe.record.evidence import Evidence


class Way(Evidence, frozen=True, kw_only=True):
    """The model's outputs got in another way than in one batch, in evaluation mode and eager float32.

    kind: exact (the same sums, up to their rounding) or reduced (fewer bits). difference: norm of the difference over
    that of what varies in the outputs; largest: the largest one over the same. agree: share of equal decisions.
    gradient: cosine between the gradients of the loss (None where it was not asked for). error: why there is no result.
    """

    name: str
    kind: str
    difference: float
    largest: float
    agree: float
    gradient: float | None = None
    finite: bool = True
    error: str = ""


class Pair(Evidence, frozen=True, kw_only=True):
    """A fast function of the user's beside its slow twin, on batches of several sizes.

    on: inputs, or outputs and targets. difference: largest difference over the largest number, at batches of `size`.
    gradient: the same of the gradients by inputs or outputs, where both have them. error: what was raised.
    """

    fast: str
    slow: str
    on: str
    sizes: tuple[int, ...]
    difference: float
    size: int
    gradient: float | None = None
    error: str = ""


class Equivalence(Evidence, frozen=True, kw_only=True):
    """All ways to the model's outputs."""

    items: int
    ways: tuple[Way, ...]


class Pairs(Evidence, frozen=True, kw_only=True):
    """All pairs of functions."""

    pairs: tuple[Pair, ...]
