"""How the net learns: its predictions along the way, the part at which it breaks, the rates that it bears."""

from __future__ import annotations

from recipe.record.data import Item
from recipe.record.evidence import Evidence
from recipe.record.interval import Interval


class Half(Evidence, frozen=True, kw_only=True):
    """How predictions change from look to look, over one half of a training; means over the items.

    flips: share of the predictions that change. drift: change of the trend, a mean over five looks. jitter: change of
    what is left when the trend is taken away. Both as probability, or in deviations of the target. loss: of the
    watched items, its mean.
    """

    flips: float
    drift: float
    jitter: float
    loss: float


class Dynamics(Evidence, frozen=True, kw_only=True):
    """Predictions on fixed validation items through a training. steps: after how many steps they were looked at.

    truth: a row an item, a column a look: probability of the true class, or (kind "error") prediction less target in
    deviations of the target. right: share of the items predicted right, by look. losses: of the items, by look.
    first, last: the two halves. forgotten: how often an item went from right to wrong, an item; learnt: the reverse.
    moved: mean change from the first to the last look; path: the sum of all changes on the way. progress: share of the
    training loss, from the best guess that ignores the input (or the start, if that is lower) to the lowest achievable
    one, that is gone at the end; late_gain: by which share of itself it fell within the second half.
    """

    kind: str
    steps: tuple[int, ...]
    items: tuple[Item, ...]
    truth: tuple[tuple[float, ...], ...]
    right: tuple[float, ...]
    losses: tuple[float, ...]
    first: Half
    last: Half
    learnt: float
    forgotten: float
    moved: float
    path: float
    progress: float
    late_gain: float
    rate: float | None


class InVal(Evidence, frozen=True, kw_only=True):
    """Validation items of a class: how many, the share predicted right, and what they are most often taken for."""

    items: int
    right: Interval
    taken_for: str
    share: float


class Part(Evidence, frozen=True, kw_only=True):
    """A part of the task, added at a step. items: of it, in training.

    chance: its loss for the best prediction that ignores the input, among the parts that are there. learnt: how much of
    the way from there to the lowest achievable loss its training items have gone at the end of the step that added it;
    at_last: the same after the last step. right: share of its training items predicted right at the end; val: the same
    in validation, of a class. depth: how clearly its items lie with their own class, by the distance to both
    means, over how clearly those of the first part do.
    """

    name: str
    step: int
    items: int
    chance: float
    learnt: float
    at_last: float
    right: float
    val: InVal | None = None
    depth: float | None = None


class SimpleToComplex(Evidence, frozen=True, kw_only=True):
    """One net that is given a task part by part, equal steps each. unit: what a part is.

    sizes: parts that are there at each step. losses: of the training, all steps one after the other.
    """

    unit: str
    steps: int
    sizes: tuple[int, ...]
    losses: tuple[float, ...]
    parts: tuple[Part, ...]
